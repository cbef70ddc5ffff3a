"""Bodies of KServe V2: which outputs are wanted as bytes, and how an answer is laid out."""

from __future__ import annotations

import gzip
from typing import Any

import numpy as np
import pytest
from flask import Flask
from support.kserve import received

from deltawire.errors import Refused
from deltawire_service.http.request_context import RequestContext
from deltawire_service.protocols.kserve.body import HEAD_LENGTH, Body, json_bytes, respond, wants_binary

ALL_BINARY = {"parameters": {"binary_data_output": True}}


@pytest.mark.parametrize(
    "head, outputs, binary",
    [
        ({}, [{}], [False]),
        ({"parameters": {"binary_data_output": True}}, [{}, {}], [True, True]),
        (
            {"parameters": {"binary_data_output": True}},
            [{"parameters": {"binary_data": False}}, {}],
            [False, True],
        ),
        ({}, [{"parameters": {"binary_data": True}}, {}], [True, False]),
    ],
)
def test_an_output_overrides_what_holds_for_all(head: Any, outputs: Any, binary: list[bool]) -> None:
    assert wants_binary(head, outputs) == binary


@pytest.mark.parametrize("unfit", ["shared_memory_region", "classification"])
def test_outputs_are_tensors_and_nothing_else(unfit: str) -> None:
    for head, outputs in (({"parameters": {unfit: 1}}, [{}]), ({}, [{"parameters": {unfit: 1}}])):
        with pytest.raises(Refused, match=unfit):
            wants_binary(head, outputs)


def test_an_answer_has_a_head_and_the_bytes_of_its_tensors_in_order() -> None:
    outputs = {"a": np.arange(3.0), "b": np.array([[1, 2]], "f4"), "c": np.arange(2)}
    with Flask(__name__).test_request_context():
        answer = respond({"id": "7"}, outputs, [True, False, True])
    length = int(answer.headers[HEAD_LENGTH])
    assert answer.data[length:] == outputs["a"].tobytes() + outputs["c"].tobytes()
    for name, array in received(answer).items():
        np.testing.assert_array_equal(array, outputs[name])


def test_a_body_takes_as_much_memory_as_one_of_v1() -> None:
    assert Body({}, memoryview(b""), False).media_type == "application/json"
    assert Body({}, memoryview(b"1"), False).media_type == "application/vnd.safetensors"


@pytest.mark.parametrize(
    "environ, expected",
    [
        ({"CONTENT_LENGTH": "900"}, 900),
        ({"CONTENT_LENGTH": "900", "HTTP_INFERENCE_HEADER_CONTENT_LENGTH": "40"}, 40),
        ({"CONTENT_LENGTH": "900", "HTTP_INFERENCE_HEADER_CONTENT_LENGTH": "0"}, 0),
        ({"CONTENT_LENGTH": "900", "HTTP_INFERENCE_HEADER_CONTENT_LENGTH": "9" * 5000}, 900),
        ({"CONTENT_LENGTH": "900", "HTTP_INFERENCE_HEADER_CONTENT_LENGTH": "²"}, 900),
        ({"CONTENT_LENGTH": "900", "HTTP_CONTENT_ENCODING": "identity"}, 900),
    ],
)
def test_the_bytes_of_json_are_those_of_the_head(environ: dict[str, str], expected: int) -> None:
    assert json_bytes(RequestContext(environ)) == expected


def test_what_is_compressed_counts_as_what_it_may_become() -> None:
    inflated = 2**24
    body = gzip.compress(b"0" * inflated)
    environ = {"CONTENT_LENGTH": str(len(body)), "HTTP_CONTENT_ENCODING": "gzip"}
    assert inflated <= json_bytes(RequestContext(environ)) < 1.1 * inflated

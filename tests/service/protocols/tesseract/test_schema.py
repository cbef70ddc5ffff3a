"""The interface of a published network for Tesseract's clients."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.engine import compiled
from support.publishing import publish

from deltawire.errors import Refused
from deltawire_service.networks.published import read_published
from deltawire_service.protocols.tesseract.schema import Place, Signature, check_jacobian, whole_jacobian
from deltawire_service.settings import Settings


@pytest.fixture
def signature(tmp_path: Path) -> Signature:
    path = publish(tmp_path, values=["scores"])
    return Signature(read_published("good", path, compiled))


def test_places_and_shapes(signature: Signature) -> None:
    assert {path: signature.shape(place) for path, place in signature.places.items()} == {
        "x": (None, 2), "params.scores.weight": (3, 2), "params.scores.bias": (3,),
    }  # fmt: skip
    assert signature.output_shapes(5) == {"scores": (5, 3)}


def test_a_learned_input_is_a_parameter_of_no_node(tmp_path: Path) -> None:
    learned = {"shape": [2], "parameter": {"normal": 1.0}}
    spec = {
        "inputs": {"x": {"shape": [2]}, "w": learned, "after": learned},
        "nodes": [
            {"name": "f", "kind": "multiply", "inputs": ["x", "w"]},
            {"kind": "add", "inputs": ["f", "after"]},
            {"kind": "sum"},
        ],
    }
    params = {"w": [1.0, 2.0], "after": [0.0, 0.0]}
    path = publish(tmp_path, network=spec, params=params, values=["f"])
    signature = Signature(read_published("good", path, compiled))
    assert {path: signature.shape(place) for path, place in signature.places.items()} == {
        "x": (None, 2), "params.w": (2,),
    }  # fmt: skip
    assert signature.place("params.{w}", "") == Place("params", "w")
    leaf = {"object_type": "array", "shape": [2], "dtype": "float64"}
    for array in (leaf, [3.0, 4.0]):
        leaves = signature.leaves({"params": {"w": array}})
        assert leaves == {Place("params", "w"): (array, "/inputs/params/w")}
    with pytest.raises(Refused, match="there is no input 'params.after'"):
        signature.leaves({"params": {"after": [0.0, 0.0]}})


@pytest.mark.parametrize("path", ["params.scores.bias", "params.{scores}.{bias}"])
def test_a_path_is_of_fields_or_of_keys(signature: Signature, path: str) -> None:
    assert signature.place(path, "/x") == Place("params", "scores.bias")


@pytest.mark.parametrize("path", ["y", "params", "scores", None, 3, "x" * 10_000])
def test_a_path_that_leads_nowhere_is_refused(signature: Signature, path: object) -> None:
    with pytest.raises(Refused) as refused:
        signature.place(path, "/vjp_inputs/0")
    assert (refused.value.code, refused.value.pointer) == ("unknown_name", "/vjp_inputs/0")


def test_the_whole_jacobian_is_zero_between_examples() -> None:
    each = np.arange(2 * 3 * 4.0).reshape(2, 3, 4)
    whole = whole_jacobian(each, 1, True)
    assert whole.shape == (2, 3, 2, 4)
    for one in range(2):
        for other in range(2):
            expected = each[one] if one == other else np.zeros((3, 4))
            np.testing.assert_array_equal(whole[one, :, other], expected)
    assert whole_jacobian(each, 1, False) is each


def test_a_jacobian_that_is_too_large_is_refused() -> None:
    check_jacobian([(10, 10)], Settings(elements=100))
    with pytest.raises(Refused):
        check_jacobian([(10, 10), (1,)], Settings(elements=100))

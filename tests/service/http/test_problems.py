"""Problem documents: one handler, bounded, clean, and silent about what is not the caller's business."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Response
from support.layers import failing, registry
from support.posting import changed, good, pointwise
from werkzeug.exceptions import BadRequest, ClientDisconnected, ImATeapot, MethodNotAllowed

from deltawire.errors import MOST_FAULTS, Fault
from deltawire_service.admission.authentication import Unauthorized
from deltawire_service.admission.compute_queue import Overloaded
from deltawire_service.admission.rate_limits import RateLimited
from deltawire_service.app import create_app
from deltawire_service.engine import DeadlineExceeded
from deltawire_service.faults import ServiceError
from deltawire_service.http.problem_codes import PROBLEMS
from deltawire_service.http.problems import (
    FOREIGN,
    MEDIA_TYPE,
    MOST_CHARACTERS,
    clean,
    document,
    faults_of,
    with_headers,
)
from deltawire_service.settings import Settings

SECRET = "postgres://user:hunter2@10.0.0.1"


def broken(*arguments: Any) -> Any:
    raise RuntimeError(SECRET)


def test_a_problem_document_has_every_member() -> None:
    faults = [Fault("/data/x", "shape_mismatch", "expected [2]"), Fault("/dtype", "dtype_unsupported", "no")]
    assert document(faults, "abc") == {
        "type": "/problems/shape_mismatch",
        "title": "A shape is not the expected one",
        "status": 422,
        "code": "shape_mismatch",
        "detail": "expected [2]",
        "request_id": "abc",
        "errors": [
            {"pointer": "/data/x", "code": "shape_mismatch", "detail": "expected [2]"},
            {"pointer": "/dtype", "code": "dtype_unsupported", "detail": "no"},
        ],
    }


@pytest.mark.parametrize("phase", ["config", "shape", "forward", "signal", "delta"])
def test_a_layers_bug_names_node_and_kind_and_nothing_else(
    phase: str, capfd: pytest.CaptureFixture[str]
) -> None:
    client = create_app(Settings(), registry(boom=failing(phase, broken))).test_client()
    request = pointwise("boom", 1.0)
    request["network"]["nodes"][0]["name"] = "culprit"
    answer = client.post("/v1/gradients", json=request)
    assert (answer.status_code, answer.json["code"]) == (500, "plugin_error")
    assert "'culprit'" in answer.json["detail"] and "'boom'" in answer.json["detail"]
    assert leaks_nothing(answer)
    log = capfd.readouterr().err
    assert SECRET in log and answer.json["request_id"] in log
    assert client.post("/v1/gradients", json=good()).status_code == 200


def test_a_bug_of_the_service_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    app = create_app(Settings())
    app.view_functions["health.live"] = broken
    answer = app.test_client().get("/livez")
    assert (answer.status_code, answer.json["code"], answer.mimetype) == (500, "internal", MEDIA_TYPE)
    assert leaks_nothing(answer)
    failed, request = map(json.loads, capfd.readouterr().err.splitlines())
    assert SECRET in failed["exception"] and "Traceback" in failed["exception"]
    assert failed["request_id"] == request["request_id"] == answer.json["request_id"]


def test_a_bug_while_the_answer_is_finished_says_nothing() -> None:
    app = create_app(Settings())
    app.after_request(broken)
    answer = app.test_client().get("/livez")
    assert (answer.status_code, answer.json["code"]) == (500, "internal")
    assert leaks_nothing(answer)


def leaks_nothing(answer: Any) -> bool:
    everything = answer.text + str(answer.headers)
    return not any(part in everything for part in (SECRET, "RuntimeError", "Traceback", ".py", "0x"))


@pytest.mark.parametrize(
    "error, code", [(BadRequest(SECRET), "bad_request"), (ImATeapot(SECRET), "internal")]
)
def test_errors_of_the_framework_go_the_same_way(error: Exception, code: str) -> None:
    def fail() -> None:
        raise error

    app = create_app(Settings())
    app.view_functions["health.live"] = fail
    answer = app.test_client().get("/livez")
    assert (answer.status_code, answer.json["code"]) == (PROBLEMS[code].status, code)
    assert leaks_nothing(answer)


def test_a_wrong_method_gets_the_right_ones() -> None:
    answer = create_app(Settings()).test_client().delete("/v1/gradients")
    assert (answer.status_code, answer.mimetype) == (405, MEDIA_TYPE)
    assert answer.allow.as_set() == {"post", "options"}
    assert answer.json["detail"] == "the route takes OPTIONS, POST"


def test_texts_of_callers_are_cut_and_cleaned() -> None:
    assert clean("a\r\nb\x1b[31m\u202e\x00é€") == r"a\r\nb\x1b[31m\u202e\x00é€"
    assert clean("a" * MOST_CHARACTERS) == "a" * MOST_CHARACTERS
    assert clean("a" * 10**6) == "a" * MOST_CHARACTERS + "…"


@pytest.mark.parametrize(
    "pointer", ["/{}", "/data/{}", "/params/{}", "/network/inputs/{}", "/network/nodes/0/{}"]
)
def test_hostile_names_do_not_come_back(pointer: str) -> None:
    client = create_app(Settings()).test_client()
    for name in ("\x1b[2J\r\nSet-Cookie: a=b", "a" * 10**6, "%s%n", "../../etc/passwd".replace("/", ".")):
        request = changed((pointer.format("HERE"), 1))
        body = json.dumps(request).replace('"HERE"', json.dumps(name))
        answer = client.post("/v1/gradients", data=body, content_type="application/json")
        assert answer.status_code == 422
        assert len(answer.data) < 3000
        assert "Set-Cookie" not in answer.headers
        assert not any(ord(character) < 32 for character in json.dumps(answer.json, ensure_ascii=False))


def test_a_thousand_faults_are_told_by_the_first_twenty() -> None:
    client = create_app(Settings()).test_client()
    for request in (
        good() | {f"field{number}": 1 for number in range(1000)},
        changed(*((f"/params/p{number}", 0) for number in range(900))),
        changed(("/network/nodes", [{"kind": "nothing"}] * 500)),
    ):
        answer = client.post("/v1/gradients", json=request)
        assert answer.status_code == 422
        assert 1 < len(answer.json["errors"]) <= MOST_FAULTS
        assert len(answer.data) < 10_000


def service_errors(base: type[ServiceError] = ServiceError) -> Iterator[type[ServiceError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from service_errors(kind)


def test_every_error_of_the_service_carries_a_code_of_the_table() -> None:
    kinds = set(service_errors())
    assert {"Unauthorized", "RateLimited", "Overloaded", "PluginError"} <= {kind.__name__ for kind in kinds}
    assert {kind.code for kind in kinds} <= PROBLEMS.keys()


def test_an_error_has_the_fault_of_its_nearest_base_class() -> None:
    assert faults_of(ClientDisconnected())[0].code == "bad_request"
    assert faults_of(KeyError("secret"))[0].code == "internal"
    assert faults_of(DeadlineExceeded())[0].code == "deadline_exceeded"
    assert faults_of(RateLimited(3)) == (Fault("", "rate_limited", str(RateLimited(3))),)
    table = {**FOREIGN, LookupError: Fault("", "not_found", "")}
    assert faults_of(KeyError(), table)[0].code == "not_found"


def test_errors_say_in_headers_what_to_do() -> None:
    assert with_headers(Response(), RateLimited(3)).headers["Retry-After"] == "3"
    assert with_headers(Response(), Overloaded(7)).headers["Retry-After"] == "7"
    assert len(with_headers(Response(), Unauthorized()).headers.getlist("WWW-Authenticate")) == 2
    assert with_headers(Response(), MethodNotAllowed(["GET"])).headers["Allow"] == "GET"

"""Changes are made once for each Idempotency-Key, and answered alike; other requests change nothing."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from support.http_models import (
    ADAM,
    DATA,
    SPEC,
    DescribedClient,
    code,
    in_binary,
    make_model,
    step,
    versions,
)
from werkzeug.test import TestResponse

NEW = {"name": "new", "network": SPEC, "optimizer": ADAM}
CHANGES: dict[str, tuple[str, str, Any]] = {
    "create": ("POST", "/v1/models", NEW),
    "step": ("POST", "/v1/models/model/steps", {"data": DATA}),
    "change": ("PATCH", "/v1/models/model", {"optimizer": {"config": {"learning_rate": 0.5}}}),
    "restore": ("POST", "/v1/models/model/restore", {"version": 1}),
    "fork": ("POST", "/v1/models/model/fork", {"name": "new"}),
    "delete": ("DELETE", "/v1/models/model", None),
}
change = pytest.mark.parametrize("change", CHANGES)


@pytest.fixture
def client(client: DescribedClient) -> DescribedClient:
    """Of the service, whose model has taken a step."""
    step(client, 1)
    return client


def send(client: DescribedClient, change: str, key: str | None = "key", **headers: str) -> TestResponse:
    method, path, document = CHANGES[change]
    if key is not None:
        headers["Idempotency-Key"] = key
    body: dict[str, Any] = {} if document is None else {"json": document}
    return client.open(path, method=method, headers=headers, **body)


@change
def test_a_key_that_comes_again_gets_the_same_answer(client: DescribedClient, change: str) -> None:
    first, again, quoted = send(client, change), send(client, change), send(client, change, '"key"')
    assert first.status_code in (200, 201)
    assert again.status_code == quoted.status_code == first.status_code
    assert first.json["replayed"] is False
    assert again.json == quoted.json == first.json | {"replayed": True}
    if change in ("step", "change", "restore"):
        assert len(versions(client)) == 3


@change
def test_the_answer_stays_after_the_model_is_deleted(client: DescribedClient, change: str) -> None:
    first = send(client, change)
    for name in ("model", "new"):
        client.delete(f"/v1/models/{name}")
    assert send(client, change).json == first.json | {"replayed": True}
    assert client.get("/v1/models").json["models"] == []


@change
def test_a_key_is_refused_where_the_name_means_another_model(client: DescribedClient, change: str) -> None:
    send(client, change)
    for name in ("model", "new"):
        client.delete(f"/v1/models/{name}")
        make_model(client, name)
    assert code(send(client, change)) == "idempotency_key_reused"
    assert versions(client) == versions(client, "new") == ["created"]


@change
def test_a_key_is_for_one_request(client: DescribedClient, change: str) -> None:
    """The same key with another body, path, query, method or media type is refused, and changes nothing."""
    first = send(client, change)
    method, path, document = CHANGES[change]
    headers = {"Idempotency-Key": "key"}
    before = client.get("/v1/models").json
    others = [send(client, other) for other in CHANGES if other != change]
    others += [
        client.open(path, method=method, headers=headers, json={**(document or {}), "if_version": None}),
        client.open(f"{path}?a=1", method=method, headers=headers, json=document),
        client.open(path, method=method, headers=headers, **in_binary(document or {})),
        client.open(
            path,
            method=method,
            headers=headers,
            data=json.dumps(document or {}),
            content_type="application/json; charset=utf-8",
        ),
        client.open(path, method=method, headers=headers, data=json.dumps(document or {}, indent=1),
                    content_type="application/json"),
    ]  # fmt: skip
    assert {code(answer, "") for answer in others} == {"idempotency_key_reused"}
    assert client.get("/v1/models").json == before
    assert send(client, change).json == first.json | {"replayed": True}


@change
def test_a_replay_needs_no_model_and_no_deadline(client: DescribedClient, change: str) -> None:
    first = send(client, change, **{"Deltawire-Deadline": "30"})
    assert send(client, change).json == first.json | {"replayed": True}
    assert "Deltawire-Deadline" not in first.headers


@change
def test_another_key_makes_the_change_again(client: DescribedClient, change: str) -> None:
    send(client, change)
    again = send(client, change, "another")
    if change in ("create", "fork"):
        assert code(again, "/name") == "model_name_taken"
    elif change == "delete":
        assert code(again) == "model_not_found"
    else:
        assert again.json["version"] == 3 and again.json["replayed"] is False


@change
def test_refusals_store_nothing(client: DescribedClient, change: str) -> None:
    """A request that was refused may come again with its key, and then it is looked at anew."""
    if change in ("create", "fork"):
        make_model(client, "new")
    else:
        client.delete("/v1/models/model")
    refused = send(client, change)
    assert code(refused) in ("model_name_taken", "model_not_found")
    if change in ("create", "fork"):
        client.delete("/v1/models/new")
    else:
        make_model(client)
        step(client, 1)
    answer = send(client, change)
    assert answer.status_code in (200, 201) and answer.json["replayed"] is False


@pytest.mark.parametrize(
    "key", ["", '""', "a" * 256, "a" * 300, "a b", "a\x01b", "a\tb", "é", '"a', 'a"', "\x7f"]
)
@change
def test_a_key_that_cannot_be_read_is_refused(unchanged: DescribedClient, change: str, key: str) -> None:
    before = unchanged.get("/v1/models").json
    assert code(send(unchanged, change, key), "") == "idempotency_key_invalid"
    assert unchanged.get("/v1/models").json == before


def test_the_longest_key_is_taken(client: DescribedClient) -> None:
    for key in ("a" * 255, "!#$%&'()*+,-./:;<=>?@[]^_`{|}~"):
        assert send(client, "step", key).json["replayed"] is False
        assert send(client, "step", f'"{key}"').json["replayed"] is True


@pytest.mark.parametrize("change", ["step", "create", "fork", "delete"])
def test_two_at_once_make_one_change(client: DescribedClient, change: str) -> None:
    """The second one waits for the first, and reads its answer."""
    barrier = Barrier(4)

    def ask(_: int) -> Any:
        barrier.wait()
        return send(client.application.test_client(), change).json  # type: ignore[arg-type]

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask, range(4)))
    assert sorted(answer["replayed"] for answer in answers) == [False, True, True, True]
    assert len({json.dumps(answer | {"replayed": None}) for answer in answers}) == 1
    if change == "step":
        assert versions(client) == ["created", "step", "step"]


def test_one_key_for_two_models_at_once_changes_one_of_them(client: DescribedClient) -> None:
    """Their locks are different, so the key decides in the transaction."""
    for number in range(4):
        make_model(client, f"m{number}")
    barrier = Barrier(4)

    def ask(number: int) -> Any:
        barrier.wait()
        return step(client.application.test_client(), name=f"m{number}", key="one")

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask, range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]
    assert {code(answer) for answer in answers if answer.status_code != 200} == {"idempotency_key_reused"}
    assert sum(len(versions(client, f"m{number}")) for number in range(4)) == 5


@pytest.mark.parametrize("document", [b"null", b"[]", b"3", b'"text"'])
@change
def test_a_body_that_is_no_object_is_refused(
    unchanged: DescribedClient, change: str, document: bytes
) -> None:
    method, path, _ = CHANGES[change]
    answer = unchanged.open(path, method=method, data=document, content_type="application/json")
    assert code(answer, "") == "field_invalid"


@pytest.mark.parametrize("document", [b"{", b"{'a': 1}", b"\xff", b"{} {}"])
@change
def test_a_body_that_is_no_json_is_refused(unchanged: DescribedClient, change: str, document: bytes) -> None:
    method, path, _ = CHANGES[change]
    answer = unchanged.open(path, method=method, data=document, content_type="application/json")
    assert code(answer) == "json_invalid"


@pytest.mark.parametrize("change", [name for name, (method, *_) in CHANGES.items() if method != "DELETE"])
def test_an_empty_body_is_no_object(unchanged: DescribedClient, change: str) -> None:
    method, path, _ = CHANGES[change]
    empty = {"CONTENT_LENGTH": "0", "CONTENT_TYPE": "application/json"}
    assert code(unchanged.open(path, method=method, environ_overrides=empty)) == "json_invalid"
    assert code(unchanged.open(path, method=method)) == "media_type_unsupported"


@change
def test_an_unknown_field_is_refused_at_its_place(unchanged: DescribedClient, change: str) -> None:
    method, path, document = CHANGES[change]
    answer = unchanged.open(path, method=method, json={**(document or {}), "dataa": 1})
    assert code(answer, "/dataa") == "field_unknown"


@change
def test_a_deadline_that_has_passed_changes_nothing(client: DescribedClient, change: str) -> None:
    before = client.get("/v1/models").json
    answer = send(client, change, **{"Deltawire-Deadline": "0.001"})
    if answer.status_code == 504:
        assert code(answer) == "deadline_exceeded"
        assert client.get("/v1/models").json == before
        assert send(client, change).json["replayed"] is False


def test_what_changes_nothing_takes_no_key(unchanged: DescribedClient) -> None:
    headers = {"Idempotency-Key": "a b"}
    for path in ("/v1/models", "/v1/models/model", "/v1/models/model/params"):
        assert unchanged.get(path, headers=headers).status_code == 200
    forward = {"data": DATA, "values": ["scores"]}
    assert unchanged.post("/v1/models/model/forward", json=forward, headers=headers).status_code == 200

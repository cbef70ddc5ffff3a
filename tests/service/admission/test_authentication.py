"""A key is known by its digest and sent in three ways; without one, only health checks are answered."""

from __future__ import annotations

import base64
import json
import time
from hashlib import sha256

import pytest
from flask.testing import FlaskClient
from support.posting import good

from deltawire_service.admission.api_keys import Key
from deltawire_service.admission.authentication import find_key
from deltawire_service.app import create_app
from deltawire_service.settings import Settings

SECRET = "correct-horse"
DIGEST = sha256(SECRET.encode()).hexdigest()


def client(line: str = f"{DIGEST} laptop", **settings: str) -> FlaskClient:
    return create_app(Settings(api_keys=line, **settings)).test_client()


def bearer(key: str = SECRET) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


KNOWN = [bearer(), basic("laptop", SECRET), basic(SECRET, ""), {"Authorization": f"bEARER   {SECRET} "}]
UNKNOWN = [
    {},
    bearer("wrong"),
    bearer(""),
    bearer("é" * 10),
    bearer("x" * 10_000),
    bearer(DIGEST),
    basic("laptop", "wrong"),
    basic(SECRET, "wrong"),
    basic("", ""),
    basic("", SECRET + ":"),
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer  "},
    {"Authorization": "Basic"},
    {"Authorization": "Basic " + base64.b64encode(SECRET.encode()).decode()},
    {"Authorization": "Basic QUFBQQ=="},
    {"Authorization": "Basic not base64!"},
    {"Authorization": "Basic é"},
    {"Authorization": f"Digest {SECRET}"},
    {"Authorization": SECRET},
]


@pytest.mark.parametrize("headers", KNOWN)
def test_a_known_key_is_let_in(headers: dict[str, str]) -> None:
    assert client().post("/v1/gradients", json=good(), headers=headers).status_code == 200


@pytest.mark.parametrize("headers", UNKNOWN)
def test_without_a_known_key_no_route_answers_but_health(headers: dict[str, str]) -> None:
    keyless = client()
    for path in ("/", "/v1/limits", "/v1/layers", "/openapi.json", "/docs", "/nowhere"):
        answer = keyless.get(path, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (401, "unauthorized"), path
        ways = answer.headers.getlist("WWW-Authenticate")
        assert [way.split()[0] for way in ways] == ["Bearer", "Basic"]
    assert keyless.post("/v1/gradients", json=good(), headers=headers).status_code == 401
    assert keyless.get("/livez", headers=headers).status_code == 200
    assert keyless.get("/readyz", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers, detail",
    [
        ({}, "the request has no API key: send a key as `Authorization: Bearer KEY`, or with HTTP Basic"),
        (bearer("wrong"), "the service does not know the API key of the request"),
        (basic("laptop", "wrong"), "the service does not know the API key of the request"),
        ({"Authorization": SECRET}, "the header Authorization holds no API key"),
        ({"Authorization": f"Digest {SECRET}"}, "the header Authorization holds no API key"),
        (bearer(""), "the header Authorization holds no API key"),
        ({"Authorization": "Basic not base64!"}, "the header Authorization holds no API key"),
    ],
)
def test_a_wrong_key_is_told_apart_from_none(headers: dict[str, str], detail: str) -> None:
    answered = client().get("/v1/limits", headers=headers).json
    assert answered["detail"].startswith(detail) and SECRET not in answered["detail"]


def test_no_key_is_in_the_logs_or_in_answers(capfd: pytest.CaptureFixture[str]) -> None:
    known = client()
    answers = [known.get("/v1/limits", headers=headers) for headers in (*KNOWN, bearer("guess-of-a-secret"))]
    text = capfd.readouterr().err + "".join(answer.text for answer in answers)
    assert SECRET not in text and "guess" not in text and DIGEST not in text
    assert base64.b64encode(SECRET.encode()).decode()[:10] not in text
    assert [json.loads(line)["status"] for line in text.splitlines() if line.startswith('{"method')]


def test_a_key_has_its_rate() -> None:
    limited = client(f"{DIGEST} laptop requests_per_second=3")
    codes = [limited.get("/v1/limits", headers=bearer()).status_code for _ in range(6)]
    assert codes[:3] == [200] * 3 and 429 in codes
    answer = limited.get("/v1/limits", headers=bearer())
    assert (answer.json["code"], answer.headers["Retry-After"]) == ("rate_limited", "1")
    time.sleep(1.1)
    assert limited.get("/v1/limits", headers=bearer()).status_code == 200


@pytest.mark.parametrize(
    "headers", [bearer(""), {"Authorization": "Basic QUFBQQ=="}, basic("", ""), basic("a", "")]
)
def test_an_empty_key_is_none_whatever_keys_there_are(headers: dict[str, str]) -> None:
    """Even if its digest were among them."""
    key = Key("nobody", 0)
    empty = {sha256(text).digest(): key for text in (b"", b"\n", b":")}
    assert find_key(empty, headers["Authorization"]) is None
    assert find_key({sha256(b"x").digest(): key}, bearer("x")["Authorization"]) is key

"""API keys: known by their digest, sent in three ways, each with limits; without one, nothing but health."""

from __future__ import annotations

import base64
import json
import multiprocessing
import time
from hashlib import sha256
from pathlib import Path

import pytest
from environs import EnvError
from flask.testing import FlaskClient
from support.posting import good

from deltawire_service.admission.api_keys import Key, Rates, read_keys
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


def test_a_key_has_its_memory() -> None:
    small = client(f"{DIGEST} laptop planned_bytes=100\n{sha256(b'other').hexdigest()} other")
    answer = small.post("/v1/gradients", json=good(), headers=bearer())
    assert (answer.status_code, answer.json["code"]) == (422, "memory_plan_exceeded")
    assert "may ask for 100" in answer.json["detail"]
    assert small.post("/v1/gradients", json=good(), headers=bearer("other")).status_code == 200


def take(rates: Rates, key: Key, taken: multiprocessing.Queue[int]) -> None:
    taken.put(sum(not rates.wait(key, 100.0) for _ in range(50)))


def test_a_rate_holds_over_all_processes() -> None:
    fork = multiprocessing.get_context("fork")
    rates, key, taken = Rates(2), Key("laptop", 1, requests_per_second=30), fork.Queue()
    workers = [fork.Process(target=take, args=(rates, key, taken)) for _ in range(3)]
    for worker in workers:
        worker.start()
    assert sum(taken.get(timeout=20) for _ in workers) == 30
    for worker in workers:
        worker.join()


@pytest.mark.parametrize("rate", [0.1, 1.0, 7.0, 1000.0])
def test_over_a_long_time_a_key_gets_its_rate(rate: float) -> None:
    rates, key = Rates(1), Key("laptop", 0, requests_per_second=rate)
    now, got = 0.0, 0
    while now < 100:
        got += not rates.wait(key, now)
        now += 0.03 / rate
    assert 95 * rate - 1 <= got <= 100 * rate + max(1, rate) + 1


def test_keys_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(
        f"# who may ask\n\n{DIGEST} laptop requests_per_second=2.5 planned_bytes=1000 # a limit\n"
    )
    (key,) = read_keys(Settings(api_keys_file=str(file))).values()
    assert key == Key("laptop", 0, 2.5, 1000.0)


@pytest.mark.parametrize(
    "line, told",
    [
        (SECRET, "line 1: expected the SHA-256"),
        (f"{SECRET} laptop", "line 1: expected the SHA-256"),
        (DIGEST.upper() + " laptop", "line 1: expected the SHA-256"),
        (DIGEST, "no name"),
        (f"{DIGEST} a\n{DIGEST} b", "line 2: the key is there twice"),
        (f"{DIGEST} a requests=1", "expected a limit, requests_per_second or planned_bytes, got 'requests'"),
        (f"{DIGEST} a planned_bytes=0", "planned_bytes is a number above 0"),
        (f"{DIGEST} a planned_bytes=nan", "planned_bytes is a number above 0"),
        ("# none", "there is no key in them"),
    ],
)
def test_a_line_that_does_not_fit_stops_the_start(line: str, told: str) -> None:
    with pytest.raises(EnvError) as refused:
        client(line)
    assert told in str(refused.value) and "DELTAWIRE_API_KEYS" in str(refused.value)
    assert SECRET not in str(refused.value)


def test_the_limit_of_a_key_holds_for_drawing_parameters_and_is_what_it_is_told() -> None:
    keyed = client(f"{DIGEST} laptop planned_bytes=100000")
    network = {
        "inputs": {"x": {"shape": [100]}},
        "nodes": [{"kind": "linear", "config": {"units": 100}}, {"kind": "sum"}],
    }
    drawn = keyed.post("/v1/init", json={"network": network}, headers=bearer())
    assert (drawn.status_code, drawn.json["code"]) == (422, "memory_plan_exceeded")
    planned = keyed.post("/v1/plan", json={"network": network, "batch": 1}, headers=bearer()).json
    assert (planned["limit_bytes"], planned["fits"]) == (100_000, False)
    limits = keyed.get("/v1/limits", headers=bearer()).json["limits"]
    assert limits["planned_bytes"] == 100_000

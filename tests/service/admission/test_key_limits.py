"""A key has a limit of memory of its own, which every computation keeps to."""

from __future__ import annotations

from hashlib import sha256
from types import SimpleNamespace
from typing import Any

from flask.testing import FlaskClient
from support.posting import good

from deltawire import wire
from deltawire_service.admission.key_limits import within_key_limits
from deltawire_service.app import create_app
from deltawire_service.settings import Settings

SECRET = "correct-horse"
DIGEST = sha256(SECRET.encode()).hexdigest()


def client(line: str) -> FlaskClient:
    return create_app(Settings(api_keys=line)).test_client()


def bearer(key: str = SECRET) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_a_key_has_its_memory() -> None:
    small = client(f"{DIGEST} laptop planned_bytes=100\n{sha256(b'other').hexdigest()} other")
    answer = small.post("/v1/gradients", json=good(), headers=bearer())
    assert (answer.status_code, answer.json["code"]) == (422, "memory_plan_exceeded")
    assert "allows 100" in answer.json["detail"]
    assert small.post("/v1/gradients", json=good(), headers=bearer("other")).status_code == 200


def test_work_without_a_request_has_no_limit() -> None:
    plan: Any = SimpleNamespace(peak_bytes=2**50)
    assert within_key_limits(lambda compute, plan=None: compute())(lambda: 5, plan) == 5


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


def test_the_limit_of_a_key_holds_for_the_answer_of_init_in_its_media_type() -> None:
    """10,100 numbers take 8 bytes each, and writing them 8 bytes more, 11 in base64 or 25 in lists."""
    network = {
        "inputs": {"x": {"shape": [100]}},
        "nodes": [{"kind": "linear", "config": {"units": 100}}, {"kind": "sum"}],
    }
    keyed = client(f"{DIGEST} laptop planned_bytes={(8 + 10) * 10_100}")

    def drawn(accept: str, tensors: str = "lists") -> int:
        headers, body = bearer() | {"Accept": accept}, {"network": network, "tensors": tensors}
        return keyed.post("/v1/init", json=body, headers=headers).status_code

    assert drawn(wire.JSON) == drawn(wire.JSON, "base64") == 422
    assert drawn(wire.SAFETENSORS) == 200

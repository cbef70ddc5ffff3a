"""Every answer says how long its phases took."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from support.posting import changed, good

from deltawire_service.app import create_app
from deltawire_service.settings import Settings


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(log_level="error")).test_client()


def phases(header: str) -> dict[str, float]:
    """name;dur=milliseconds, … as https://www.w3.org/TR/server-timing/ has it."""
    assert re.fullmatch(r"[a-z]+;dur=\d+\.\d{3}(, [a-z]+;dur=\d+\.\d{3})*", header)
    return {name: float(ms) for name, ms in re.findall(r"([a-z]+);dur=([\d.]+)", header)}


@pytest.mark.parametrize("route", ["gradients", "forward", "init", "check", "plan"])
def test_an_answer_has_all_phases_and_their_sum_is_within_the_total(client: FlaskClient, route: str) -> None:
    request = {name: value for name, value in good().items() if name in ("network", "params", "data")}
    if route in ("init", "plan"):
        request = {"network": request["network"]}
    if route == "forward":
        request["values"] = ["scores"]
    answer = client.post(f"/v1/{route}", json=request)
    assert answer.status_code == 200, answer.text
    timed = phases(answer.headers["Server-Timing"])
    assert timed.keys() == {"read", "check", "compute", "write", "total"}
    assert sum(timed.values()) - timed["total"] <= timed["total"] + 0.01


def test_a_problem_has_the_phases_that_were_begun(client: FlaskClient) -> None:
    for request, begun in (
        (changed(("/network/nodes/0/kind", "liner")), {"read", "check", "total"}),
        (good() | {"values": ["score"]}, {"read", "check", "compute", "total"}),
    ):
        answer = client.post("/v1/gradients", json=request)
        assert answer.status_code == 422
        assert phases(answer.headers["Server-Timing"]).keys() == begun
    unread = client.post("/v1/gradients", data=b"x", content_type="text/plain")
    assert phases(unread.headers["Server-Timing"]).keys() == {"read", "total"}
    assert phases(client.get("/nowhere").headers["Server-Timing"]).keys() == {"total"}

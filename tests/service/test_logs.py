"""Logs: one JSON line a request, with its id, and nothing of its content."""

from __future__ import annotations

import json
import logging.config
from typing import Any

import pytest
from support.posting import changed, good

from deltawire_service.app import create_app
from deltawire_service.logs import server_logging
from deltawire_service.settings import Settings


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().err.splitlines()]


def test_one_line_a_request(capfd: pytest.CaptureFixture[str]) -> None:
    client = create_app(Settings()).test_client()
    client.post("/v1/gradients", json=good(), headers={"X-Request-Id": "step-17"})
    client.post("/v1/gradients", json=changed(("/data/y/0", 7)))
    client.get("/secret/path?token=1")
    good_one, refused, missing = lines(capfd)
    assert {key: good_one[key] for key in ("method", "route", "status", "code", "request_id", "level")} == {
        "method": "POST", "route": "/v1/gradients", "status": 200, "code": None, "request_id": "step-17",
        "level": "info",
    }  # fmt: skip
    assert 0 < good_one["ms"] < 60_000
    assert (refused["status"], refused["code"]) == (422, "label_out_of_range")
    assert (missing["status"], missing["route"]) == (404, None)


def test_nothing_of_a_request_is_logged(capfd: pytest.CaptureFixture[str]) -> None:
    client = create_app(Settings(log_level="debug")).test_client()
    request = changed(("/data/x/0/0", 123456.5), ("/network/nodes/0/name", "confidential"))
    client.post("/v1/gradients?password=hunter2", json=request, headers={"Authorization": "Bearer hunter2"})
    written = capfd.readouterr().err
    assert written
    assert not any(part in written for part in ("123456.5", "confidential", "hunter2"))


@pytest.mark.parametrize("given", ["a", "A-1", "0" * 64])
def test_an_id_of_the_caller_is_kept(given: str) -> None:
    answer = create_app(Settings()).test_client().get("/nowhere", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == answer.json["request_id"] == given


@pytest.mark.parametrize(
    "given", ["", "a b", "a\x1b[2J", "%s", "a_b", "ä", "0" * 65, "a" * 10**6, '"}', "../x"]
)
def test_any_other_id_is_replaced(given: str, capfd: pytest.CaptureFixture[str]) -> None:
    client = create_app(Settings()).test_client()
    ids = {client.get("/nowhere", headers={"X-Request-Id": given}).headers["X-Request-Id"] for _ in range(2)}
    assert len(ids) == 2
    assert all(len(one) == 32 and one.isalnum() for one in ids)
    assert {line["request_id"] for line in lines(capfd)} == ids


def test_a_newline_after_an_id_is_no_part_of_it() -> None:
    client = create_app(Settings()).test_client()
    answer = client.get("/livez", environ_overrides={"HTTP_X_REQUEST_ID": "abc\n"})
    assert answer.headers["X-Request-Id"] != "abc"


def test_lines_of_the_web_server_are_json_too(capfd: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(server_logging("info"))
    try:
        logging.getLogger("gunicorn.error").warning("Invalid request from %s", "1.2.3.4")
        try:
            raise ValueError("boom")
        except ValueError:
            logging.getLogger("gunicorn.error").exception("worker failed")
    finally:
        logging.config.dictConfig({"version": 1})
    invalid, failed = lines(capfd)
    assert (invalid["event"], invalid["level"]) == ("Invalid request from 1.2.3.4", "warning")
    assert "ValueError: boom" in failed["exception"]

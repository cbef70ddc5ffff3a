"""Logs: one JSON line a request, with its id, and nothing of its content."""

from __future__ import annotations

import json
import logging.config
from typing import Any

import pytest
from support.layers import failing, registry
from support.posting import changed, good, pointwise

from deltawire_service.app import create_app
from deltawire_service.observability.logs import server_logging
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


@pytest.mark.parametrize("method", ["BREW", "hunter2", "\x9b2J", "\xe2\x80\xae", 'A"}\n{', "\x7f", "get"])
def test_a_method_of_the_caller_is_not_logged(method: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A server that checks nothing may hand on any text."""
    client = create_app(Settings()).test_client()
    client.get("/livez", environ_overrides={"REQUEST_METHOD": method})
    written = capfd.readouterr().err
    assert written.isascii() and written.count("\n") == 1
    assert json.loads(written)["method"] == "other" and method not in written


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_a_known_method_is_logged(method: str, capfd: pytest.CaptureFixture[str]) -> None:
    create_app(Settings()).test_client().open("/livez", method=method)
    assert json.loads(capfd.readouterr().err)["method"] == method


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


FORGED = '{"event": "request", "level": "info", "status": 200}'
INJECTIONS = [
    f"a\n{FORGED}", f"a\r\n{FORGED}", f'", "level": "info"}}\n{FORGED}', "a\x1b[2J\x1b[31mred",
    "a\x1b]0;title\x07", "%s%s%n%x", "{0.__class__} {request_id}", "a\x00b", "a\u2028b\u2029c", "a\x85b",
    "\u202egnp.exe", "\ud800", "${jndi:ldap://127.0.0.1/a}",
    "<script>alert(1)</script>", "a" * 100_000, '\\"\\n', "аdmin", "a\x08\x08b",
]  # fmt: skip


@pytest.mark.parametrize("text", INJECTIONS, ids=range(len(INJECTIONS)))
@pytest.mark.parametrize("level", ["info", "debug"])
def test_no_text_of_a_caller_gets_into_the_log(
    text: str, level: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Wherever it is sent: one line of JSON a request, with these keys and no others."""
    client = create_app(Settings(log_level=level)).test_client()
    raw = text.encode("utf-8", "surrogatepass").decode(
        "latin-1"
    )  # as a server that checks nothing hands it on
    name = escaped(changed(("/network/nodes/0/name", text)))
    client.post("/v1/gradients", data=name, content_type="application/json")
    kind = escaped(changed(("/network/nodes/0/kind", text)))
    client.post("/v1/gradients", data=kind, content_type="application/json")
    wanted = escaped(changed(("/wrt", {"data": [text]})))
    client.post("/v1/gradients", data=wanted, content_type="application/json")
    for variable in (
        "HTTP_X_REQUEST_ID",
        "HTTP_USER_AGENT",
        "HTTP_ACCEPT",
        "HTTP_DELTAWIRE_DEADLINE",
        "PATH_INFO",
    ):
        client.get("/livez", environ_overrides={variable: raw})
    client.get("/livez", environ_overrides={"QUERY_STRING": raw})
    client.post("/v1/gradients", environ_overrides={"CONTENT_TYPE": raw}, data=b"{}")
    written = capfd.readouterr().err
    found = [json.loads(line) for line in written.split("\n")[:-1]]
    assert len(found) == 10
    keys = {"method", "route", "status", "code", "ms", "request_id", "event", "level", "timestamp"}
    assert all(line.keys() == keys for line in found)
    assert written.isascii() and written.replace("\n", "").isprintable()
    told = json.dumps(
        [[line[key] for key in sorted(keys - {"timestamp", "ms", "request_id"})] for line in found]
    )
    assert not any(part in told for part in (text, FORGED, "jndi", "script", "aaaa", "gnp", "__class__"))
    assert all(len(line["request_id"]) == 32 for line in found)


def escaped(request: dict[str, Any]) -> bytes:
    """As JSON with escapes: strings a strict writer would refuse are what is sent here."""
    return json.dumps(request).encode()


@pytest.mark.parametrize("text", INJECTIONS[:8])
def test_what_a_layer_raises_stays_in_its_line(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    def fail(x: Any) -> Any:
        raise ValueError(text)

    client = create_app(Settings(), registry(odd=failing("delta", fail))).test_client()
    client.post("/v1/gradients", json=pointwise("odd", 1.0))
    written = capfd.readouterr().err
    failed, answered = (json.loads(line) for line in written.split("\n")[:-1])
    assert failed["event"] == "failed" and failed["level"] == "error" and "ValueError" in failed["exception"]
    assert answered["event"] == "request" and failed["request_id"] == answered["request_id"]
    assert written.isascii() and written.replace("\n", "").isprintable()

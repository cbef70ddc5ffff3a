"""The corpus over raw sockets, at the real gunicorn, as shipped: every answer, and what the service did."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from hostile.corpus import FOLDER, Case, cases, read
from hostile.replay import PATIENCE, replay, seconds_of_the_next
from hostile.watched import OWN, watch
from support.service import Service, running_service

from deltawire_service.http.problem_codes import DATASETS, MODELS, PROBLEMS

FILES = sorted(FOLDER.glob("*.http"))
SECRET = "hunter2"


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A service with one worker, so that the worker that got a case answers the next request."""
    with running_service(
        "-w", "1", app="hostile.watched:app()", queue_seconds="10", allowed_hosts="deltawire x"
    ) as service:
        yield service
        log = service.log()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert [line for line in lines if "reached" in line] == []
    assert log.count("Booting worker") == 1, "the worker was replaced"
    assert not [line for line in lines if line.get("level") == "error"]


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_every_case_is_answered_as_it_says(service: Service, file: Path) -> None:
    wrong = []
    for case in read(file.read_text()):
        try:
            replay(service, case, PATIENCE)
            assert seconds_of_the_next(service) < PATIENCE
        except (AssertionError, OSError, ValueError) as error:
            wrong.append(f"{case.id}: {type(error).__name__} {error}")
    assert not wrong, "\n".join(wrong)


def test_every_line_of_the_log_is_json_and_holds_nothing_of_a_request(service: Service) -> None:
    before = len(service.log())
    for case in read((FOLDER / "H08_logs.http").read_text()):
        replay(service, case, PATIENCE)
    told = service.log()[before:]
    assert SECRET in "".join(case.sent.decode("latin-1") for case in cases())
    lines = told.splitlines()
    assert len(lines) > 50
    for line in lines:
        assert isinstance(json.loads(line), dict)
    for foreign in (SECRET, "\x1b", "%s", "jndi", "a" * 65):
        assert foreign not in told


def test_there_are_enough_and_no_two_have_one_name() -> None:
    found = cases()
    assert len(found) > 1000 and sum(file.read_text().count("\n### ") for file in FILES) > 300
    assert len({case.id for case in found}) == len(found)


def test_every_row_of_the_catalogue_that_is_an_exchange_is_there() -> None:
    rows = {case.id.split()[0] for case in cases()}
    assert {"F01", "F02", "F03", "F04", "F05", "F06", "F07", "F08", "F09", "F10", "F11"} <= rows
    assert {
        "F12",
        "F13",
        "F15",
        "F16",
        "F17",
        "H01",
        "H02",
        "H03",
        "H04",
        "H07",
        "H08",
        "H12",
        "H14",
        "H15",
        "H20",
    } <= rows


def test_every_row_is_explained() -> None:
    explained = set(re.findall(r"[FH]\d\d", (FOLDER / "README.md").read_text().partition("## Rows")[2]))
    rows = {case.id.split()[0] for case in cases()}
    assert {row for row in rows if re.match(r"[A-Z]\d", row)} == explained


def test_every_code_is_provoked() -> None:
    """Those that one caller alone cannot provoke are in the tests of what answers with them."""
    elsewhere = {"plugin_error", "internal", "overloaded", "deadline_exceeded", "not_ready"}
    elsewhere |= {"unauthorized", "rate_limited", "request_timeout"}
    elsewhere |= {"first_order_only"}  # of layers of plugins
    elsewhere |= {"worker_lost", "cluster_unavailable", "link_invalid"}  # of a service with workers
    elsewhere |= MODELS.keys() | DATASETS.keys()  # the corpus is for a service that keeps none
    assert {case.code for case in cases()} - {"-"} | elsewhere == set(PROBLEMS)


LOST = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
ALIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "sent, status, code, closed, why",
    [
        (LOST, 404, "not_found", True, "timed out"),
        (LOST, 405, "not_found", False, "404"),
        (LOST, 404, "internal", False, "not_found"),
        (ALIVE, 404, "not_found", False, "200"),
        (ALIVE + b"GET", 200, "-", False, "next request"),
    ],
)
def test_a_wrong_answer_is_noticed(
    service: Service, sent: bytes, status: int, code: str, closed: bool, why: str
) -> None:
    with pytest.raises((AssertionError, TimeoutError), match=why):
        replay(service, Case("", sent, status, code, "", closed, False))


def test_a_second_answer_is_noticed(service: Service) -> None:
    with pytest.raises(AssertionError):
        replay(service, Case("", ALIVE + ALIVE, 200, "-", "", False, False))


def test_what_a_request_reaches_for_is_noticed(capfd: pytest.CaptureFixture[str]) -> None:
    watch("open", ("/etc/passwd", "r"))
    with Flask("here").test_request_context():
        watch("open", (f"{OWN}/app.py", "r"))
        assert capfd.readouterr().err == ""
        watch("open", ("/etc/passwd", "r"))
        watch("socket.connect", ("169.254.169.254", 80))
    assert [json.loads(line)["reached"] for line in capfd.readouterr().err.splitlines()] == [
        "open",
        "socket.connect",
    ]

"""One Idempotency-Key, sent to two workers at once: the change is made once, and all get its answer."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

import pytest
from support.http_models import ADAM, DATA, SPEC
from support.service import Service, children, running_service

EACH = 3
"""Connections to each worker."""

ROUNDS = 5

NEW = {"network": SPEC, "optimizer": ADAM}
SMALLER = {"optimizer": {"config": {"eps": 1e-3}}}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service("-w", "2", data_dir=str(tmp_path_factory.mktemp("data"))) as service:
        yield service


@pytest.fixture(scope="module")
def connections(service: Service) -> Iterator[list[HTTPConnection]]:
    """As many connections to one worker as to the other."""
    held = dict.fromkeys(children(service.pid), 0)
    with ExitStack() as opened:
        chosen = list[HTTPConnection]()
        for _ in range(1000):
            connection = opened.enter_context(closing(HTTPConnection(urlsplit(service).netloc, timeout=30)))
            call(connection, "GET", "/v1/models")
            worker = worker_of(service, connection)
            if held[worker] < EACH:
                held[worker] += 1
                chosen.append(connection)
            else:
                connection.close()
            if len(chosen) == 2 * EACH:
                break
        assert set(held.values()) == {EACH}, "one worker takes all connections"
        yield chosen


def worker_of(service: Service, connection: HTTPConnection) -> int:
    """The worker that has accepted a connection: the one with the other end of it among its files."""
    (_, mine), (_, theirs) = connection.sock.getsockname(), connection.sock.getpeername()
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ends = [(each[1][-4:], each[2][-4:], each[9]) for each in sockets]
    inode = next(
        inode for local, remote, inode in ends if (local, remote) == (f"{theirs:04X}", f"{mine:04X}")
    )
    for worker in children(service.pid):
        for file in Path(f"/proc/{worker}/fd").iterdir():
            with suppress(FileNotFoundError):  # it was closed meanwhile
                if os.readlink(file) == f"socket:[{inode}]":
                    return worker
    raise AssertionError("no worker has accepted the connection")


def call(
    connection: HTTPConnection, method: str, path: str, document: Any = None, key: str = ""
) -> tuple[int, dict[str, Any]]:
    headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
    connection.request(method, path, json.dumps(document) if document is not None else None, headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def make(connection: HTTPConnection, name: str, steps: int = 2) -> None:
    assert (
        call(connection, "POST", "/v1/models", {"name": name, "network": SPEC, "optimizer": ADAM})[0] == 201
    )
    for _ in range(steps):
        assert call(connection, "POST", f"/v1/models/{name}/steps", {"data": DATA})[0] == 200


def ledger_of(connection: HTTPConnection, name: str) -> list[str] | None:
    """The kinds of the entries of a model; None where there is no such model."""
    status, document = call(connection, "GET", f"/v1/models/{name}/ledger")
    return [entry["kind"] for entry in document["entries"]] if status == 200 else None


BEFORE = ["created", "step", "step"]
NUMBERS = count()


@pytest.mark.parametrize(
    "method, path, document, status, after, made",
    [
        ("POST", "{name}/steps", {"data": DATA}, 200, [*BEFORE, "step"], None),
        (
            "PATCH",
            "{name}",
            {"optimizer": {"config": {"eps": 1e-3}}},
            200,
            [*BEFORE, "hyperparameters"],
            None,
        ),
        ("POST", "{name}/restore", {"version": 1}, 200, [*BEFORE, "restored"], None),
        ("POST", "{name}/fork", {"name": "{name}-new"}, 201, BEFORE, ["created"]),
        ("POST", "", NEW | {"name": "{name}-new"}, 201, BEFORE, ["created"]),
        ("DELETE", "{name}", None, 200, None, None),
    ],
    ids=["step", "hyperparameters", "restore", "fork", "create", "delete"],
)
def test_a_change_is_made_once(
    connections: list[HTTPConnection],
    method: str,
    path: str,
    document: dict[str, Any] | None,
    status: int,
    after: list[str] | None,
    made: list[str] | None,
) -> None:
    for _ in range(ROUNDS):
        name = f"model{next(NUMBERS)}"
        make(connections[0], name)
        asked = document and {
            part: value.format(name=name) if part == "name" else value for part, value in document.items()
        }
        place, together = "/v1/models" + (f"/{path.format(name=name)}" if path else ""), Barrier(2 * EACH)

        def send(connection: HTTPConnection) -> tuple[int, dict[str, Any]]:
            together.wait()  # noqa: B023 - it is called in this round
            return call(connection, method, place, asked, key=name)  # noqa: B023

        with ThreadPoolExecutor(2 * EACH) as pool:
            answers = list(pool.map(send, connections))
        replayed = [answer.pop("replayed") for _, answer in answers]
        assert sorted(replayed) == [False] + [True] * (2 * EACH - 1), answers
        assert all(answer == (status, answers[0][1]) for answer in answers), answers
        assert ledger_of(connections[0], name) == after
        assert ledger_of(connections[-1], f"{name}-new") == made

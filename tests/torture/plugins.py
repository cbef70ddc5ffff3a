"""Layers that break the contract, over real requests: contained, named, and nobody else harmed.

    PYTHONPATH=tests python -m torture.plugins

Twelve ways in each of five phases, four times each: a layer that cannot be used stops every kind of start;
one that fails in a request is tried in both media types, with a batch in one chunk and in several, on two
threads. The program posts to the real gunicorn, too, and measures how soon it has its capacity back.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr
from functools import cached_property
from io import StringIO
from pathlib import Path
from time import monotonic, sleep
from typing import Any, NamedTuple

import numpy as np
import requests
from support.service import running_service
from torture.layers import DELTAS, FORWARD, GRADS, LAYERS, SECRET, SHAPE, kind_of
from torture.starts import START_CASES, Start

from deltawire import wire
from deltawire_service.app import create_app
from deltawire_service.settings import Settings

CAPACITY_BACK = 2.0
"""Seconds."""
WORKERS = 2


class Answer(NamedTuple):
    """What comes back over HTTP, whoever sent it."""

    status: int
    body: bytes


Post = Callable[[bytes, dict[str, str]], Answer]


class Case(NamedTuple):
    """A layer that breaks the contract in one way, and how a request comes to it."""

    phase: str
    what: str
    media_type: str
    chunks: bool
    """Whether the batch is computed in several chunks."""

    @property
    def kind(self) -> str:
        return kind_of(self.phase, self.what)

    @property
    def id(self) -> str:
        body = "json" if self.media_type == wire.JSON else "binary"
        return f"{self.kind.replace('_', '-')}-{body}-{'chunks' if self.chunks else 'whole'}"

    def request(self, kind: str) -> bytes:
        """A request through a layer of a kind, with others before and after it."""
        batch = 24 if self.chunks else 3
        nodes = [
            {"name": "before", "kind": "linear", "config": {"units": 3}},
            {"name": "culprit", "kind": kind},
            {"name": "after", "kind": "bulky" if self.chunks else "tanh"},
            {"name": "loss", "kind": "sum"},
        ]
        numbers = np.linspace(-1, 1, 2 * batch).reshape(batch, 2)
        document = {
            "network": {"inputs": {"x": {"shape": [2]}}, "nodes": nodes},
            "params": {
                "before.weight": np.arange(6.0).reshape(3, 2) / 4,
                "before.bias": np.zeros(3),
                "culprit.w": np.array([1.0, -2.0, 3.0]),
            },
            "data": {"x": numbers},
            "wrt": {"data": True},
        }
        if self.media_type == wire.JSON:
            for place in ("params", "data"):
                document[place] = {name: array.tolist() for name, array in document[place].items()}
        body = wire.encode(document, self.media_type)
        return body if isinstance(body, bytes) else b"".join(body)

    def headers(self, request_id: str) -> dict[str, str]:
        media = {"Content-Type": self.media_type, "Accept": self.media_type}
        return media | {"X-Request-Id": request_id}

    def run(self, post: Post, log: Callable[[], str], among: ThreadPoolExecutor) -> None:
        """Post it while a good request is computed, and a good one after it: AssertionError unless it is
        contained, named and logged."""
        good = self.request("times")
        expected = post(good, self.headers("reference"))
        assert expected.status == 200, expected.body

        beside = among.submit(post, good, self.headers("beside"))
        # In a thread, like every request of the service: the main thread's KeyboardInterrupt is the user's.
        failed = among.submit(post, self.request(self.kind), self.headers(self.id)).result()
        text = failed.body.decode()
        problem = json.loads(text)
        assert (failed.status, problem["code"]) == (500, "plugin_error"), text
        assert "'culprit'" in problem["detail"] and f"'{self.kind}'" in problem["detail"], text
        assert problem["request_id"] == self.id
        assert not any(secret in text for secret in (SECRET, "Traceback", "File ", ".py", "Error:")), text

        assert beside.result() == expected, "a request beside it was harmed"
        assert post(good, self.headers("after")) == expected, "a request after it was harmed"

        lines = [json.loads(line) for line in log().splitlines() if f'"{self.id}"' in line]
        told = [line for line in lines if line.get("code") == "plugin_error" and "exception" in line]
        assert len(told) == 1 and "PluginError: node 'culprit'" in told[0]["exception"], lines
        if self.what in ("raises", "exits", "interrupts"):
            assert SECRET in told[0]["exception"]


CASES = [
    Case(phase, what, media_type, chunks)
    for phase, ways in (("shape", SHAPE), ("forward", FORWARD), ("deltas", DELTAS), ("grads", GRADS))
    for what in ways
    for media_type in wire.MEDIA_TYPES
    for chunks in (False, True)
]


class Service:
    """The service in this process, and what it logs."""

    def __init__(self, compute_threads: int):
        self._log = StringIO()
        with redirect_stderr(self._log):
            self._app = create_app(Settings(compute_threads=compute_threads, queue_seconds=60), LAYERS)

    def log(self) -> str:
        return self._log.getvalue()

    def post(self, body: bytes, headers: dict[str, str]) -> Answer:
        answer = self._app.test_client().post("/v1/gradients", data=body, headers=headers)
        return Answer(answer.status_code, answer.data)


class Services:
    """One that computes in the caller's thread, and one with two threads of its own."""

    @cached_property
    def _one(self) -> Service:
        return Service(1)

    @cached_property
    def _two(self) -> Service:
        return Service(2)

    def run(self, case: Case) -> None:
        service = self._two if case.chunks else self._one
        with ThreadPoolExecutor(2) as among:
            case.run(service.post, service.log, among)


# The real server.


class Server:
    """A gunicorn with the layers of this corpus."""

    def __init__(self, url: str, log: Callable[[], str]):
        self.url = url
        self.log = log
        self._session = requests.Session()

    def post(self, body: bytes, headers: dict[str, str]) -> Answer:
        answer = self._session.post(f"{self.url}/v1/gradients", data=body, headers=headers, timeout=30)
        return Answer(answer.status_code, answer.content)

    def seconds_until_good(self) -> float:
        """How long until every one of a few good requests is answered."""
        body, headers = CASES[0].request("times"), CASES[0].headers("good")
        start, good = monotonic(), 0
        while good < 8 and monotonic() < start + 30:
            try:  # a connection each, so that they come to all workers
                answer = requests.post(f"{self.url}/v1/gradients", data=body, headers=headers, timeout=5)
                good = good + 1 if answer.status_code == 200 else 0
            except requests.ConnectionError:
                good = 0
        return monotonic() - start

    def workers_replaced(self) -> int:
        return max(0, self.log().count("Booting worker") - WORKERS)


@contextmanager
def serving() -> Iterator[Server]:
    """The real server, as shipped, with the layers of this corpus."""
    path = str(Path(__file__).parents[1])
    environ = {"PYTHONPATH": os.pathsep.join([path, os.environ.get("PYTHONPATH", "")])}
    settings = {"queue_seconds": "10"}  # who harms whom is looked at here, not what is too much
    with running_service(
        "-w", str(WORKERS), app="torture.layers:app()", environ=environ, **settings
    ) as service:
        yield Server(str(service), service.log)


def lose_a_worker(server: Server) -> float:
    """Seconds until the server has its capacity back after a layer ended its worker process."""
    case, before, start = CASES[0], server.workers_replaced(), monotonic()
    try:
        server.post(case.request("dies"), case.headers("dies"))
    except requests.ConnectionError:
        while server.workers_replaced() == before and monotonic() < start + 30:
            sleep(0.01)
        server.seconds_until_good()
        return monotonic() - start
    raise AssertionError("the worker lives")


def figures() -> dict[str, float]:
    """Contained, of how many; over the real server the same, how many workers it lost, and seconds until its
    capacity was back after the worst case."""
    services = Services()
    contained = sum(holds(services.run, case) for case in CASES)
    contained += sum(holds(Start.run, start) for start in START_CASES)
    back, over_http = [], 0
    with serving() as server, ThreadPoolExecutor(2) as among:
        for case in CASES:
            over_http += holds(lambda case: case.run(server.post, server.log, among), case)
            back.append(server.seconds_until_good())
        lost = server.workers_replaced()
        process_ended = lose_a_worker(server)
    return {
        "cases": len(CASES) + len(START_CASES),
        "contained": contained,
        "cases_over_http": len(CASES),
        "contained_over_http": over_http,
        "workers_lost": lost,
        "capacity_back_seconds": round(max(back), 3),
        "capacity_back_after_exit_seconds": round(process_ended, 3),
    }


def holds(check: Callable[[Any], None], case: Case | Start) -> bool:
    """Whether a case is contained; what was wrong goes to standard error."""
    try:
        check(case)
    except AssertionError as error:
        print(f"{case.id}: {error}", file=sys.stderr)
        return False
    return True


def main() -> None:
    found = figures()
    print(json.dumps(found, indent=2))
    sys.exit(
        found["contained"] < found["cases"]
        or found["contained_over_http"] < found["cases_over_http"]
        or found["workers_lost"] > 0
        or max(found["capacity_back_seconds"], found["capacity_back_after_exit_seconds"]) >= CAPACITY_BACK
    )


if __name__ == "__main__":
    main()

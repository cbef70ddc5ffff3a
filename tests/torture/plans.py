"""S17: the memory of requests at their peak, beside what was planned before they were computed.

    PYTHONPATH=tests python -m torture.plans [--short] [--kinds linear,max] [--part 1/4] [--numbers 262144]

Each request is answered in this process, whose resident memory the system measures from before the body is
received until every piece of the answer is there: as for a client that reads nothing of it meanwhile. Freed
memory goes back to the system at once, so that no request uses what one before has left.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeVar

import numpy as np
from support.memory import resident
from torture.load import report
from torture.plan_cases import LAYERS, Case, cases
from torture.plan_protocols import Request, publish_wide, requests

from deltawire import wire
from deltawire_service.admission.answer_memory import AnswerMemory
from deltawire_service.app import create_app
from deltawire_service.engine import Plan, Runner
from deltawire_service.server.bodies.received_body import ReceivedBody
from deltawire_service.settings import Settings

T = TypeVar("T")
PROCESS = Path("/proc/self")
TRIM = ctypes.CDLL(None).malloc_trim
RETURNED = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}
"""Has glibc return freed memory to the system at once; read when a process starts."""
MIB = 2**20
ROUTES = {"per_example": "gradients", "diagonal": "hvp", "loss_by_parameters": "jacobian"}

UNLIMITED = replace(
    Settings(),
    planned_bytes=2**42,
    queue_bytes=2**42,
    json_body_bytes=2**33,
    binary_body_bytes=2**33,
    json_lists=2**30,
    elements=2**36,
    deadline_seconds=600.0,
    log_level="critical",
)
"""Plans are measured, and none is refused."""


class Measured(NamedTuple):
    """The memory of a request, in bytes."""

    case: Case | Request
    planned: int
    peak: int

    @property
    def bound(self) -> float:
        return 1.1 * self.planned + 16 * MIB

    def __str__(self) -> str:
        return f"{self.peak / self.planned:5.2f} × {self.planned / MIB:6.1f} MiB planned: {self.case}"


class Service:
    """A service in this process that shows the plans of its requests."""

    def __init__(self, settings: Settings = UNLIMITED):
        self.plans = list[Plan]()
        shown, count = self.plans, AnswerMemory.counting

        def counting(memory: AnswerMemory, run: Runner) -> Runner:
            counted = count(memory, run)

            def recorded(compute: Callable[[float], T], plan: Plan | None = None) -> T:
                shown.extend([plan] if plan else [])
                return counted(compute, plan)

            return recorded

        AnswerMemory.counting = counting  # type: ignore[method-assign]
        try:
            self._app = create_app(settings)
        finally:
            AnswerMemory.counting = count  # type: ignore[method-assign]

    def peak(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        """Answer a request, and return how many bytes it took at its peak."""
        gc.collect()
        TRIM(0)
        self.plans.clear()
        before = resident(PROCESS, "VmRSS")
        (PROCESS / "clear_refs").write_text("5")  # the peak starts anew
        status, text = self._answer(path, body, headers)
        peak = resident(PROCESS, "VmHWM")
        assert status.startswith("200"), (status, text[:1000])
        return peak - before

    def _answer(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[str, bytes]:
        statuses = list[str]()

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            statuses.append(status)

        received = np.empty(len(body), np.uint8).data
        received[:] = body
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": ReceivedBody(received.toreadonly()),
        } | {key if key == "CONTENT_TYPE" else f"HTTP_{key}": value for key, value in headers.items()}
        del received
        pieces = self._app(environ, start)
        unread = list(pieces)
        pieces.close()
        return statuses[0], unread[0]


def measure(service: Service, case: Case) -> Measured:
    sent = wire.SAFETENSORS if case.sent == wire.SAFETENSORS else wire.JSON
    accept = wire.SAFETENSORS if case.answered == wire.SAFETENSORS else wire.JSON
    tensors = "base64" if case.sent == "base64" else "lists"
    body = wire.encode(case.document, sent, tensors)
    route = case.route.removeprefix("several_")
    path = f"/v1/{ROUTES.get(route, route)}"
    peak = service.peak(path, body, {"CONTENT_TYPE": sent, "ACCEPT": accept})
    return Measured(case, max(plan.peak_bytes for plan in service.plans), peak)


def measured_protocols() -> Iterator[Measured]:
    """Measure the requests of other protocols."""
    with TemporaryDirectory() as folder:
        publish_wide(Path(folder))
        protocols = replace(UNLIMITED, networks_dir=folder)
        service = Service(protocols)
        for request in requests():
            peak = service.peak(*request)
            yield Measured(request, max(plan.peak_bytes for plan in service.plans), peak)


def measured(kinds: list[str], seed: int, numbers: int, part: int = 1, parts: int = 1) -> Iterator[Measured]:
    """Measure one part of so many of the requests of some kinds."""
    service = Service()
    for place, case in enumerate(chain.from_iterable(cases(kind, seed, numbers) for kind in kinds)):
        if place % parts == part - 1:
            yield measure(service, case)


def main() -> None:
    if RETURNED.items() - os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **RETURNED})
    parser = argparse.ArgumentParser(prog="python -m torture.plans")
    parser.add_argument("--short", action="store_true", help="one request of 127")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    parser.add_argument("--numbers", type=int, default=2**18, help="numbers of the largest array, about")
    parser.add_argument("--kinds", default=",".join(LAYERS))
    parser.add_argument("--part", default="1/1", help="one part of the requests: 2/4 is the second of four")
    chosen = parser.parse_args()
    part, parts = (1, 127) if chosen.short else map(int, chosen.part.split("/"))
    begun, found, missed = time.monotonic(), list[Measured](), 0
    routes = measured(chosen.kinds.split(","), chosen.seed, chosen.numbers, part, parts)
    for each in chain(measured_protocols(), routes):
        found.append(each)
        if len(found) % 50 == 0:
            print(f"{len(found)} requests, {missed} missed", flush=True)
        if each.peak > each.bound:
            missed += 1
            print("missed:", each, flush=True)
    for each in sorted(found, key=lambda each: each.peak / each.bound, reverse=True)[:10]:
        print(each)
    report(
        {"seed": chosen.seed, "requests": len(found), "seconds": round(time.monotonic() - begun)},
        {"peak ≤ 1.1 × plan + 16 MiB": not missed},
    )


if __name__ == "__main__":
    main()

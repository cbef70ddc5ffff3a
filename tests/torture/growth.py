"""S10: what a worker keeps after 100,000 requests of all sorts: good, wrong, and broken off.

    PYTHONPATH=tests python -m torture.growth [--short]

One worker, never replaced. Before it is measured it has answered a quarter as many, until its caches are full
and its memory is as large as the largest requests at once make it; each time no request has come for a while.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from support.memory import resident
from support.posting import changed, good, pointwise
from support.service import running_service
from torture.load import Connection, Target, arguments, children, message, posted, report

from deltawire import wire
from deltawire_service.server.malloc import IDLE_SECONDS

Draw = Callable[[], tuple[int, bytes]]
"""Draws a request: the status that must come back, 0 where it is broken off, and the request."""

AT_ONCE = 8
MIB = 2**20


class Sorts:
    """Requests, drawn from a seed: (what must come back, the request); no status: it is broken off."""

    def __init__(self, dice: random.Random):
        self._dice = dice
        self._made = [
            self.good,
            self.good,
            self.binary,
            self.large,
            self.wrong,
            self.unreadable,
            self.broken_off,
        ]

    def draw(self) -> tuple[int, bytes]:
        return self._dice.choice(self._made)()

    def good(self) -> tuple[int, bytes]:
        """One of 1,000 networks, of which a fifth is cached."""
        request = good()
        name = f"n{self._dice.randrange(1000)}"
        request["network"]["nodes"].insert(1, {"name": name, "kind": "tanh", "inputs": ["scores"]})
        return 200, posted(request)

    def binary(self) -> tuple[int, bytes]:
        return 200, self._binary(self._dice.choice([3, 64]))

    def large(self) -> tuple[int, bytes]:
        """A megabyte, now and then."""
        return (200, self._binary(20_000)) if self._dice.random() < 0.02 else self.good()

    def wrong(self) -> tuple[int, bytes]:
        return self._dice.choice(
            [
                (422, posted(changed(("/data/y/0", 7)))),
                (422, posted(changed(("/network/nodes/0/kind", f"k{self._dice.randrange(10**6)}")))),
                (422, posted(pointwise("log", 0.0))),
                (422, posted(pointwise("reshape", 1.0) | {"values": [f"n{self._dice.randrange(10**6)}"]})),
            ]
        )

    def unreadable(self) -> tuple[int, bytes]:
        return self._dice.choice(
            [
                (400, message("/v1/gradients", b'{"network": ' + b"[" * 100)),
                (400, message("/v1/gradients", b"\x08" + bytes(100), wire.SAFETENSORS)),
                (404, message(f"/v1/{self._dice.randrange(10**6)}", b"{}")),
                (405, message("/v1/layers", b"{}")),
                (406, message("/v1/gradients", b"{}", Accept="text/html")),
                (415, message("/v1/gradients", b"{}", f"text/x{self._dice.randrange(10**6)}")),
            ]
        )

    def broken_off(self) -> tuple[int, bytes]:
        """The connection ends in the middle of the request, or before its answer."""
        _, whole = self._dice.choice([self.good, self.binary])()
        return 0, whole[: self._dice.choice([10, len(whole) // 2, len(whole)])]

    def _binary(self, rows: int) -> bytes:
        request: dict[str, Any] = good()
        data = {"x": np.ones((rows, 2)), "y": np.zeros(rows, np.int64)}
        params = {name: np.array(value) for name, value in request["params"].items()}
        body = wire.encode(request | {"params": params, "data": data}, wire.SAFETENSORS)
        return message("/v1/gradients", body, wire.SAFETENSORS)


async def post(target: Target, draw: Draw, many: int, run_now: int = AT_ONCE) -> Counter[str]:
    """So many requests, several at once; what came back that was not expected."""
    left, odd = iter(range(many)), Counter[str]()

    async def client() -> None:
        connection = Connection(target)
        for _ in left:
            expected, request = draw()
            if expected:
                answer = await connection.send(request)
                if answer.status not in (expected, 503):
                    odd[f"{answer.status} for {expected}"] += 1
                odd["refused (503)"] += answer.status == 503
            else:
                _, writer = await asyncio.open_connection(*target)
                writer.write(request)
                await writer.drain()
                writer.transport.abort()
        connection.close()

    await asyncio.gather(*(client() for _ in range(run_now)))
    return odd


def state(pid: int) -> dict[str, int]:
    """Of a process, idle for long enough to have given memory back."""
    time.sleep(IDLE_SECONDS + 1)
    process = Path("/proc", str(pid))
    return {
        "rss": resident(process, "VmRSS"),
        "handles": len(list((process / "fd").iterdir())),
        "threads": int((process / "status").read_text().split("Threads:")[1].split()[0]),
    }


def main() -> None:
    given = arguments("growth", requests="instead of 100,000")
    many = int(given.requests or (3_000 if given.short else 100_000))
    sorts = Sorts(random.Random(given.seed))
    # What waits longer than in production is computed all the same: refusals would only be fewer requests.
    with running_service(
        "-w", "1", log_level="warning", queue_seconds="2", cache_bytes=str(4 * MIB)
    ) as service:
        (worker,) = children(service.pid)
        target = Target.at(service)
        asyncio.run(post(target, sorts.draw, many // 20, run_now=64))  # all threads have started
        first = state(worker)
        asyncio.run(post(target, sorts.draw, many // 5))
        before = state(worker)
        began = time.monotonic()
        odd = asyncio.run(post(target, sorts.draw, many))
        took = time.monotonic() - began
        after = state(worker)
        same = children(service.pid) == [worker]
    grown = {name: after[name] - before[name] for name in before}
    bound = 30 if given.short else 5
    report(
        {
            "seed": given.seed,
            "requests": many,
            "per_second": round(many / took),
            "rss_mib_after_the_first_twentieth": round(first["rss"] / MIB, 2),
            "rss_mib_before": round(before["rss"] / MIB, 2),
            "rss_mib_grown": round(grown["rss"] / MIB, 2),
            "handles_grown": grown["handles"],
            "threads_grown": grown["threads"],
            "unexpected": odd,
        },
        {
            f"at most {bound} MiB": grown["rss"] <= bound * MIB,
            "no handle": grown["handles"] <= 0,
            "no thread": grown["threads"] <= 0,
            "every answer as expected": set(odd) <= {"refused (503)"},
            "the same worker": same,
        },
    )


if __name__ == "__main__":
    main()

"""Load on a real server, from one process: requests written beforehand, over sockets, as fast as wanted."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import orjson

from deltawire import wire

TIMEOUT = 20.0
"""Seconds after which a request counts as not answered."""


class Answer(NamedTuple):
    """What came back, and after how many seconds; status 0: nothing did."""

    status: int
    seconds: float


class Target(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    @classmethod
    def at(cls, url: str) -> Target:
        parts = urlsplit(url)
        assert parts.hostname and parts.port
        return cls(parts.hostname, parts.port)


def message(path: str, body: bytes, media_type: str = wire.JSON, **headers: str) -> bytes:
    """A request as it goes over the wire."""
    fields = {"Host": "localhost", "Content-Type": media_type, "Content-Length": str(len(body))} | headers
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def posted(document: Mapping[str, Any]) -> bytes:
    """A request to /v1/gradients with this document."""
    return message("/v1/gradients", orjson.dumps(document))


def pyramid(doublings: int, layers: int, answer_values: bool = False) -> dict[str, Any]:
    """A small request that takes long: 16 numbers, doubled, then sigmoids of all of them.

    answer_values: the last values are answered: 2^(4 + doublings) numbers.
    """
    nodes: list[dict[str, Any]] = [{"kind": "concat", "name": "c0", "inputs": ["x", "x"]}]
    nodes += [{"kind": "concat", "name": f"c{n}", "inputs": [f"c{n - 1}"] * 2} for n in range(1, doublings)]
    nodes += [{"kind": "sigmoid", "name": f"s{n}"} for n in range(layers)]
    nodes.append({"kind": "sum"})
    return {
        "network": {"inputs": {"x": {"shape": [16]}}, "nodes": nodes},
        "data": {"x": [[0.125 * n for n in range(16)]]},
        "wrt": {"data": True},
        "values": [f"s{layers - 1}"] if answer_values else [],
    }


class Connection:
    """A connection that is kept for the next request, or opened anew."""

    def __init__(self, target: Target):
        self._target = target
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: bytes, keep: bool = True) -> Answer:
        """Send a request, and read its answer to the end."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(TIMEOUT):
                status = await self._exchange(request)
        except (OSError, ValueError, asyncio.IncompleteReadError, TimeoutError):
            self.close()
            return Answer(0, time.perf_counter() - began)
        if not keep:
            self.close()
        return Answer(status, time.perf_counter() - began)

    async def _exchange(self, request: bytes) -> int:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._target)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        if b"\nconnection: close" in head:
            self.close()
        return int(head[9:12])

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None


def p99(seconds: Sequence[float]) -> float:
    """In milliseconds; NaN of none."""
    return round(1e3 * float(np.quantile(seconds, 0.99)), 2) if seconds else float("nan")


def first() -> bool:
    """Let this process go before the servers, as clients on machines of their own would; whether it may."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    except PermissionError:
        return False
    return True


def children(pid: int) -> list[int]:
    """The worker processes of a gunicorn."""
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def arguments(program: str, **more: Any) -> argparse.Namespace:
    """`--short` for continuous integration, and the seed, printed with the figures."""
    parser = argparse.ArgumentParser(prog=f"python -m torture.{program}")
    parser.add_argument("--short", action="store_true", help="at most 20 seconds, with wide margins")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    for name, text in more.items():
        parser.add_argument(f"--{name}", help=text)
    return parser.parse_args()


def report(figures: Mapping[str, Any], reached: Mapping[str, bool]) -> None:
    """Print the figures, and end the program: 0 when everything was reached."""
    missed = [name for name, is_reached in reached.items() if not is_reached]
    print(json.dumps({**figures, "missed": missed}, indent=2))
    sys.exit(bool(missed))

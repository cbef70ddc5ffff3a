"""What a good request pays for metrics, for a key, and for the worker's guards: the circuit, again and again.

    PYTHONPATH=tests python -m torture.happy [--short]

Five services of one worker each, asked in turns over a connection each, so that whatever the machine does it
does to all of them. A turn's figure is the median of its requests, a service's is the median of its turns.
Nothing can be missed: what it costs is to be known.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from hashlib import sha256
from statistics import median
from time import perf_counter
from typing import Any

from flask import Flask
from support.service import TESTS, running_service
from torture.load import Target, arguments, message, report

from deltawire import wire

CIRCUIT = TESTS.parent / "examples" / "circuit.json"
KEY = "a-key-of-this-measurement"
PLAIN = ("-k", "gthread")
BARE = "torture.happy:without_metrics()"
SERVICES: Mapping[str, Mapping[str, Any]] = {
    "shipped": {},
    "with a key": {"api_keys": f"{sha256(KEY.encode()).hexdigest()} measurement"},
    "without metrics": {"app": BARE},
    "in gunicorn's own worker": {"arguments": PLAIN},
    "without metrics, in gunicorn's own worker": {"app": BARE, "arguments": PLAIN},
}


def without_metrics() -> Flask:
    """The service, counting nothing."""
    from deltawire_service import app as wiring
    from deltawire_service.engine import ignore_seconds

    class Uncounted(wiring.Metrics):
        counted = staticmethod(lambda run: run)
        on_compute_seconds = staticmethod(ignore_seconds)
        began = ended = staticmethod(lambda context: None)

    wiring.Metrics = Uncounted
    return wiring.create_app()


def seconds(sock: socket.socket, request: bytes, many: int) -> Iterator[float]:
    """What each of so many requests takes, one after the other."""
    for _ in range(many):
        began = perf_counter()
        sock.sendall(request)
        answer = sock.recv(2**16)
        head, _, body = answer.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        while len(body) < length:
            body += sock.recv(2**16)
        yield perf_counter() - began
        assert answer.startswith(b"HTTP/1.1 200"), answer[:500]


def main() -> None:
    given = arguments("happy")
    turns, many = (10, 50) if given.short else (40, 200)
    request = message("/v1/gradients", CIRCUIT.read_bytes(), wire.JSON, Authorization=f"Bearer {KEY}")
    found: dict[str, list[float]] = {name: [] for name in SERVICES}
    with ExitStack() as stack:
        sockets = {}
        for name, how in SERVICES.items():
            settings = {key: value for key, value in how.items() if key != "arguments"}
            service = running_service("-w", "1", *how.get("arguments", ()), **settings)
            target = Target.at(stack.enter_context(service))
            sockets[name] = stack.enter_context(socket.create_connection(target, timeout=20))
            sockets[name].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            list(seconds(sockets[name], request, many))  # warm
        for _ in range(turns):
            for name, sock in sockets.items():
                found[name].append(median(seconds(sock, request, many)))
    typical = {name: median(each) for name, each in found.items()}
    report(
        {
            "seed": given.seed,
            "requests": turns * many,
            **{
                name: {
                    "ms": round(1e3 * each, 3),
                    "beside the shipped one": f"{100 * (each / typical['shipped'] - 1):+.1f} %",
                }
                for name, each in typical.items()
            },
        },
        {},
    )


if __name__ == "__main__":
    main()

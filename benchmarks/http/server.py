"""Servers in processes of their own: a gunicorn as we ship it, or any other program."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

PYTHON = Path(sys.executable)

OURS = "deltawire_service.app:create_app()"


class Server(NamedTuple):
    """A running server. cold_start: seconds from its launch to its first answer."""

    port: int
    cold_start: float
    pid: int

    def worker_mib(self, size: str = "Pss") -> float:
        """Return a worker's proportional set size, or its resident one (`Rss`): the mean over the workers."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        sizes = [
            int(Path(f"/proc/{child}/smaps_rollup").read_text().split(f"{size}:")[1].split()[0])
            for child in children
        ]
        return sum(sizes) / len(sizes) / 1024


@contextmanager
def serving(
    application: str = OURS, workers: int = 1, python: Path = PYTHON, **environment: str
) -> Iterator[Server]:
    """Serve a WSGI application by gunicorn as we ship it.

    Args:
        application: the module and the expression that makes the application.
        workers: processes.
        python: the interpreter, whose environment has the service.
        environment: variables of the process.
    """
    command = ["-m", "gunicorn", "-c", "python:deltawire_service.gunicorn_conf", "-w", str(workers)]
    with running(
        lambda port: [*command, "-b", f"127.0.0.1:{port}", application], python=python, **environment
    ) as server:
        yield server


@contextmanager
def running(
    command: Callable[[int], list[str]], http: bool = True, python: Path = PYTHON, **environment: str
) -> Iterator[Server]:
    """Run a server with a free port of this machine, until the block ends.

    Args:
        command: returns Python's arguments for a port.
        http: whether it answers HTTP; else it runs as soon as it takes connections.
        python: the interpreter.
        environment: variables of the process.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    begin = time.perf_counter()
    process = subprocess.Popen(
        [python, *command(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # ours writes a line for every request
        env=os.environ | environment,
    )
    try:
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=10) as first:
                    first.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    if not http or first.recv(1):
                        break
            except OSError:
                if process.poll() is not None or time.perf_counter() - begin > 60:
                    raise SystemExit(f"{process.args} does not start") from None
                time.sleep(0.01)
        yield Server(port, time.perf_counter() - begin, process.pid)
    finally:
        process.terminate()
        process.wait(60)

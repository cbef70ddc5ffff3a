"""A real gunicorn for tests, as shipped."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import requests

TESTS = Path(__file__).parents[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def printed(log: IO[bytes]) -> str:
    """What is in it; read at a place of its own, for the service writes where the file is."""
    return os.pread(log.fileno(), os.fstat(log.fileno()).st_size, 0).decode()


def children(pid: int) -> set[int]:
    """The worker processes of a gunicorn."""
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def count_workers(arguments: Sequence[str]) -> int:
    """The workers that arguments of gunicorn ask for; one at least."""
    return int(arguments[arguments.index("-w") + 1]) if "-w" in arguments else 1


class Service(str):
    """The address of a gunicorn; its process, how to wait for its end, and what it has printed until now."""

    pid: int
    wait: Callable[..., int]
    log: Callable[[], str]


def command(port: int, *arguments: str, app: str = "deltawire_service.app:create_app()") -> list[str]:
    """What starts a gunicorn as shipped."""
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", "python:deltawire_service.gunicorn_conf"]
    return [*gunicorn, "-b", f"127.0.0.1:{port}", "--pythonpath", str(TESTS), *arguments, app]


def environment(**settings: str) -> dict[str, str]:
    """This process's, with settings by the names of their variables, without the prefix, in small letters."""
    return {**os.environ, **{f"DELTAWIRE_{name.upper()}": value for name, value in settings.items()}}


@contextmanager
def running_service(
    *arguments: str,
    seconds: float = 30.0,
    app: str = "deltawire_service.app:create_app()",
    environ: Mapping[str, str] | None = None,
    wrapper: Sequence[str] = (),
    **settings: str,
) -> Iterator[Service]:
    """A gunicorn that serves until the block ends.

    app: another application than the service's own. environ: variables beside those of this process.
    wrapper: the beginning of a command that becomes gunicorn. settings: as for `environment`; without
    `trainer`, nobody takes runs, and all children are workers.
    """
    settings = {"trainer": "false"} | settings
    port = free_port()
    log = TemporaryFile()  # nobody reads while it serves, and a pipe that is full would stop it
    service = subprocess.Popen(
        [*wrapper, *command(port, *arguments, app=app)],
        env=environment(**settings) | dict(environ or {}),
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    url = Service(f"http://127.0.0.1:{port}")
    url.pid, url.wait, url.log = service.pid, service.wait, lambda: printed(log)
    end = time.monotonic() + seconds
    try:
        while True:
            assert service.poll() is None, f"the service stopped: {printed(log)}"
            try:
                if requests.get(f"{url}/readyz", timeout=1).ok:
                    break
            except requests.ConnectionError:
                assert time.monotonic() < end, "the service does not answer"
                time.sleep(0.05)
        while len(children(service.pid)) < count_workers(arguments):
            assert time.monotonic() < end, "a worker does not start"
            time.sleep(0.01)
        yield url
    finally:
        service.terminate()
        service.wait(timeout=30)
        log.close()

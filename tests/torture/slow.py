"""S9: a hundred clients that send or read as slowly as they can: behind nginx, nobody else notices.

    PYTHONPATH=tests python -m torture.slow [--short] [--url http://127.0.0.1:8000]

url: of the stack of compose.yaml; without one, nginx as packaged runs here, with that stack's configuration.
A third send their head a line at a time, a third their body a byte at a time, a third ask for much and read
nothing. Who is cut off comes again. The same is then done to the service with no nginx in front, to say what
that is good for.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests
from support.posting import good
from support.service import free_port, running_service
from torture.load import Answer, Connection, Target, arguments, first, p99, posted, pyramid, report

SLOW = 100
PATIENCE = 5.0
"""Seconds after which a good client gives up."""
HELD = 12.0
"""Seconds a reader that does not read stays; nginx is tired of it after 10."""
LARGE = posted(pyramid(14, 1, answer_values=True))  # 2^18 numbers in JSON: what no buffer of a socket holds
CONF = Path(__file__).parents[2] / "deploy" / "nginx.conf"


async def slow_head(target: Target) -> None:
    reader, writer = await asyncio.open_connection(*target)
    writer.write(b"POST /v1/gradients HTTP/1.1\r\nHost: localhost\r\n")
    await trickle(reader, writer, b"X-Slow: 1\r\n")


async def slow_body(target: Target) -> None:
    reader, writer = await asyncio.open_connection(*target)
    head, _, body = posted(good()).partition(b"\r\n\r\n")
    writer.write(head + b"\r\n\r\n" + body[:10])
    await trickle(reader, writer, b" ")


async def slow_reader(target: Target) -> None:
    """Asks, and does not read; again when it was turned away."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    with connection:
        await loop.sock_connect(connection, target)
        await loop.sock_sendall(connection, LARGE)
        await asyncio.sleep(HELD)


async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, piece: bytes) -> None:
    """A piece a second, until the server has had enough."""
    try:
        while not reader.at_eof():
            writer.write(piece)
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                if await asyncio.wait_for(reader.read(1000), 1):
                    return  # it was told off
    finally:
        writer.close()


async def attack(target: Target, number: int, within: float, saved: Counter[str]) -> None:
    """One slow client, again and again. They come one by one: what is tried is slowness, not load."""
    how = (slow_head, slow_body, slow_reader)[number % 3]
    await asyncio.sleep(within * number / SLOW)
    while True:
        saved[how.__name__] += 1
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            await how(target)
        await asyncio.sleep(0.1)


async def well_behaved(target: Target, seconds: float) -> list[Answer]:
    """Two clients that ask again and again, each time on a connection of its own."""
    answers, end = list[Answer](), time.perf_counter() + seconds
    request = posted(good())

    async def client() -> None:
        while time.perf_counter() < end:
            try:
                async with asyncio.timeout(PATIENCE):
                    answers.append(await Connection(target).send(request, keep=False))
            except TimeoutError:
                answers.append(Answer(0, PATIENCE))
            await asyncio.sleep(0.02)

    await asyncio.gather(client(), client())
    return answers


async def measure(url: str, seconds: float) -> dict[str, Any]:
    """Good answers before and during the attack."""
    target, saved = Target.at(url), Counter[str]()
    await well_behaved(target, 1)
    quiet = await well_behaved(target, seconds / 3)
    within = min(HELD, seconds / 4)
    attackers = [asyncio.create_task(attack(target, number, within, saved)) for number in range(SLOW)]
    await asyncio.sleep(within + 1)
    during = await well_behaved(target, seconds)
    for attacker in attackers:
        attacker.cancel()
    await asyncio.gather(*attackers, return_exceptions=True)
    fine = [answer.seconds for answer in during if answer.status == 200]
    quiet_p99 = p99([answer.seconds for answer in quiet])
    return {
        "slow_connections": dict(saved),
        "requests": len(during),
        "good_percent": round(100 * len(fine) / len(during), 2),
        "quiet_p99_ms": quiet_p99,
        "p99_ms": p99(fine),
        "p99_of_quiet": round(p99(fine) / quiet_p99, 2),
        "statuses": dict(Counter(answer.status for answer in during)),
    }


@contextlib.contextmanager
def behind_nginx(service: str) -> Iterator[str]:
    """The address of an nginx of this machine, as in compose.yaml, in front of a service."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert nginx, "give the --url of a stack, or install nginx"
    port = free_port()
    with TemporaryDirectory(prefix="deltawire-nginx-") as folder:
        Path(folder).chmod(0o755)
        conf = CONF.read_text()
        for old, new in (
            ("http://compute:8000", service),
            ("http://models:8000", service),
            ("listen 8080", f"listen 127.0.0.1:{port}"),
            ("/var/cache/nginx/", f"{folder}/"),
            ("/run/", f"{folder}/"),
            ("access_log /dev/stdout", f"access_log {folder}/access.log"),
        ):
            assert old in conf, old
            conf = conf.replace(old, new)
        (Path(folder) / "nginx.conf").write_text(conf)
        process = subprocess.Popen([nginx, "-c", f"{folder}/nginx.conf", "-g", "daemon off;"])
        try:
            end = time.monotonic() + 10
            while True:
                try:
                    assert requests.get(f"http://127.0.0.1:{port}/readyz", timeout=1).ok
                    break
                except requests.ConnectionError:
                    assert time.monotonic() < end and process.poll() is None, "nginx does not start"
                    time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def main() -> None:
    given = arguments("slow", url="of the stack")
    seconds = 5.0 if given.short else 60.0
    is_first, bare = first(), None
    if given.url:
        stack = asyncio.run(measure(given.url, seconds))
    else:
        with running_service(log_level="warning") as service, behind_nginx(service) as url:
            stack = asyncio.run(measure(url, seconds))
    if not given.short:
        with running_service(log_level="warning") as service:
            bare = asyncio.run(measure(service, 20))
    times = 20 if given.short else 2
    report(
        {"seed": given.seed, "clients_go_first": is_first, "behind_nginx": stack, "bare_gunicorn": bare},
        {
            "every good request answered": stack["good_percent"] == 100,
            f"p99 below {times} x quiet": stack["p99_of_quiet"] < times,
        },
    )


if __name__ == "__main__":
    main()

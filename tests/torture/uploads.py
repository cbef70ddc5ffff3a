"""S21: bodies and answers of hundreds of megabytes, good, stalled and broken off, at one worker.

    PYTHONPATH=tests python -m torture.uploads [--short]

Several clients send large bodies and read large answers at once. Others stop half-way, leave, or read
nothing, again and again. Meanwhile there is a health check every 20 ms.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from support.large_bodies import PATH
from support.memory import MIB, resident
from support.service import running_service
from torture.load import Connection, Target, arguments, children, first, p99, report

from deltawire import wire

HEALTH = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
AT_ONCE = 4
TENSORS = 8
"""One alone would have more numbers than DELTAWIRE_ELEMENTS allows."""


def head(length: int) -> bytes:
    lines = [f"POST {PATH} HTTP/1.1", "Host: localhost", f"Content-Type: {wire.SAFETENSORS}"]
    return "\r\n".join([*lines, f"Content-Length: {length}", "Connection: close", "", ""]).encode()


def question(path: Path) -> bytes:
    head = f"GET {PATH}?file={path}&count=4 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    return head.encode()


class Clients:
    """Clients that send and read a file of numbers.

    Args:
        target: the service.
        file: the numbers.
        dice: decides where clients stop.
    """

    def __init__(self, target: Target, file: Path, dice: random.Random):
        self._target, self._file, self._dice = target, file, dice
        numbers = np.memmap(file, np.float32, "r")
        params = {f"p{place}": part for place, part in enumerate(np.split(numbers, TENSORS))}
        self._parts = wire.encode_in_parts({"params": params}, wire.SAFETENSORS)
        self._size = sum(map(len, self._parts))
        self.statuses = Counter[str]()

    async def send(self) -> None:
        """Send a whole body, and read its answer."""
        reader, writer = await asyncio.open_connection(*self._target)
        writer.write(head(self._size))
        for part in self._parts:
            for start in range(0, len(part), MIB):
                writer.write(part[start : start + MIB])
                await writer.drain()
        status = (await reader.read())[9:12].decode()
        self.statuses[f"sent: {status}"] += 1
        writer.close()

    async def read(self) -> None:
        """Read a whole answer."""
        reader, writer = await asyncio.open_connection(*self._target, limit=MIB)
        writer.write(question(self._file))
        count = 0
        while piece := await reader.read(MIB):
            count += len(piece)
        self.statuses["read" if count > self._file.stat().st_size else "cut short"] += 1
        writer.close()

    async def stop(self) -> None:
        """Send a part of a body, wait until the service has had enough, or leave."""
        reader, writer = await asyncio.open_connection(*self._target)
        writer.write(head(self._size))
        for _ in range(self._dice.randrange(40)):
            writer.write(bytes(MIB))
            await writer.drain()
        if self._dice.random() < 0.5:
            await reader.read()
        writer.transport.abort()

    async def ignore(self) -> None:
        """Ask for an answer, read a little or nothing, and leave."""
        loop = asyncio.get_running_loop()
        with socket.socket() as connection:
            connection.setblocking(False)
            await loop.sock_connect(connection, self._target)
            await loop.sock_sendall(connection, question(self._file))
            for _ in range(self._dice.randrange(3)):
                await loop.sock_recv(connection, MIB)
            await asyncio.sleep(2 * self._dice.random())


async def measure(target: Target, clients: Clients, process: Path, rounds: int) -> dict[str, Any]:
    health, peak = list[float](), 0

    async def watch() -> None:
        nonlocal peak
        while True:
            answer = await Connection(target).send(HEALTH, keep=False)
            health.append(answer.seconds if answer.status == 200 else float("inf"))
            peak = max(peak, resident(process, "RssAnon"))
            await asyncio.sleep(0.02)

    async def repeat(action: Callable[[], Coroutine[Any, Any, None]], times: int | None) -> None:
        while times is None or times:
            times = None if times is None else times - 1
            try:
                await action()
            except OSError as error:
                clients.statuses[type(error).__name__] += 1

    good = [repeat(action, rounds) for action in (clients.send, clients.read) for _ in range(AT_ONCE)]
    bad = [repeat(action, None) for action in (clients.stop, clients.ignore) for _ in range(AT_ONCE)]
    others = [asyncio.create_task(each) for each in (watch(), *bad)]
    began = time.perf_counter()
    await asyncio.gather(*good)
    seconds = time.perf_counter() - began
    for each in others:
        each.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    return {"seconds": seconds, "livez_ms": 1000 * max(health), "livez_p99_ms": p99(health), "peak": peak}


def files_of(process: Path) -> int:
    """The files without a name that a process has mapped or open."""
    links = [each.readlink().name for each in (process / "fd").iterdir() if each.is_symlink()]
    maps = (process / "maps").read_text().splitlines()
    return sum("(deleted)" in each and "uploads" in each for each in [*links, *maps])


def main() -> None:
    given = arguments("uploads", megabytes="of each body, instead of 500")
    size = int(given.megabytes or (50 if given.short else 500))
    is_first = first()
    with TemporaryDirectory() as folder:
        file = Path(folder, "numbers")
        np.random.default_rng(given.seed).normal(size=size * MIB // 4).astype(np.float32).tofile(file)
        settings = {"data_dir": folder, "deadline_seconds": "4" if given.short else "30"}
        with running_service(
            "-w", "1", app="support.large_bodies:app()", log_level="warning", **settings
        ) as service:
            (worker,) = children(service.pid)
            process = Path("/proc", str(worker))
            clients = Clients(Target.at(service), file, random.Random(given.seed))
            before = resident(process, "RssAnon")
            figures = asyncio.run(measure(Target.at(service), clients, process, 1 if given.short else 5))
            end = time.monotonic() + 20
            while files_of(process) and time.monotonic() < end:
                time.sleep(0.1)
            left, same = files_of(process), children(service.pid) == [worker]
    grown = (figures.pop("peak") - before) / MIB
    most = 1000.0 if given.short else 100.0
    sent, read = clients.statuses["sent: 200"], clients.statuses["read"]
    wanted = AT_ONCE * (1 if given.short else 5)
    report(
        {"seed": given.seed, "clients_go_first": is_first, "megabytes": size, **figures}
        | {"anonymous_mib_grown": round(grown, 1), "statuses": clients.statuses},
        {
            "every good body and answer": (sent, read) == (wanted, wanted),
            "at most 64 MiB": grown <= 64,
            f"/livez within {most} ms": figures["livez_ms"] <= most,
            "no file is left": left == 0,
            "the same worker": same,
        },
    )


if __name__ == "__main__":
    main()

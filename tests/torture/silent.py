"""S15: connections that are silent, stalled, read nothing, are too many or send as much as they may.

    PYTHONPATH=tests python -m torture.silent [--short] [--attack crowd]

Each attack has a service of its own, bare gunicorn as shipped:

- silent: 500 connect and send nothing, 25 stop in their head, 25 in their body, 50 ask for much and hardly
  read it.
- unread: 1,000 ask for much, and read nothing.
- crowd: 2,500 connect and send nothing, more than both workers take, while 50 hardly read their answers.
- parsers: 16 send the largest body in JSON that is read, all at once.

Who is cut off comes again. Meanwhile there are ten health checks a second, and good requests one by one, on
connections of their own; what is turned away for now (503) is sent again, as the SDK does.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Iterator
from functools import cache, partial
from multiprocessing import Pipe, Process
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from support.memory import MIB, resident
from support.posting import good
from support.service import running_service
from torture.growth import state
from torture.load import Connection, Target, arguments, children, first, p99, posted, pyramid, report

from deltawire_service.settings import Settings

PATIENCE = 5.0
"""Seconds after which a good client gives up."""

WORKERS = 2

LIVELY_MS = 100.0
"""Milliseconds in which every health check must be answered."""

SETTLING = 15.0
"""Seconds in which the workers end what was asked of them, and return its memory."""

MOST_GROWN = 32 * MIB
PINNED = 64 * MIB
"""Memory that Python keeps in a worker that has parsed large bodies: blocks of 1 MiB, each with an object
that lives on. One body filled as many."""

LARGE = posted(pyramid(14, 1, answer_values=True))
"""A request whose answer has 5 MB: more than the buffers of a socket hold."""

HEALTH = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEAD, _, BODY = posted(good()).partition(b"\r\n\r\n")

UNREAD_SECONDS = 60.0
"""Seconds in which a client that reads nothing does not look whether it was cut off."""


async def hold(target: Target, sent: bytes) -> None:
    """Send this and no more, until the service has had enough."""
    reader, writer = await asyncio.open_connection(*target)
    try:
        writer.write(sent)
        while await reader.read(1000):
            pass
    finally:
        writer.close()


async def ask(target: Target, seconds: float) -> None:
    """Ask for much, and read a thousand bytes every so many seconds, until the service has had enough."""
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        await loop.sock_connect(connection, target)
        await loop.sock_sendall(connection, LARGE)
        await asyncio.sleep(seconds)
        while await loop.sock_recv(connection, 1000):
            await asyncio.sleep(seconds)


async def again(
    attack: Callable[[], Coroutine[Any, Any, None]], after: float, name: str, begun: Counter[str]
) -> None:
    """One attacker, which comes again when it is cut off."""
    await asyncio.sleep(after)
    while True:
        begun[name] += 1
        with contextlib.suppress(OSError):
            await attack()
        await asyncio.sleep(0.5)


async def send_largest(target: Target) -> None:
    """Send the largest body in JSON, and read its answer."""
    await Connection(target).send(largest(), keep=False)


@cache
def largest() -> bytes:
    """A request of as many bytes as a body in JSON may have: numbers with all their digits."""
    numbers = np.random.default_rng(0).standard_normal(256).tolist()
    network = {"inputs": {"x": {"shape": [256]}}, "nodes": [{"kind": "sum"}]}
    rest = len(orjson.dumps({"network": network, "data": {"x": []}}))
    rows = (Settings().json_body_bytes - rest) // (len(orjson.dumps(numbers)) + 1)
    return posted({"network": network, "data": {"x": [numbers] * rows}})


Attack = Callable[[Target], Coroutine[Any, Any, None]]

ATTACKS: dict[str, dict[str, tuple[int, Attack]]] = {
    "silent": {
        "silent": (500, lambda target: hold(target, b"")),
        "half a head": (25, lambda target: hold(target, HEAD)),
        "half a body": (25, lambda target: hold(target, HEAD + b"\r\n\r\n" + BODY[:9])),
        "slow reader": (50, lambda target: ask(target, 1)),
    },
    "unread": {"no reader": (1000, lambda target: ask(target, UNREAD_SECONDS))},
    "crowd": {
        "silent": (2500, lambda target: hold(target, b"")),
        "slow reader": (50, lambda target: ask(target, 1)),
    },
    "parsers": {"largest JSON": (16, send_largest)},
}
"""How many of each sort of client there are, and what one of them does."""


def attackers(
    target: Target, sorts: dict[str, tuple[int, Attack]], scale: float, within: float, begun: Counter[str]
) -> list[asyncio.Task[None]]:
    """All of them, one after the other."""
    return [
        asyncio.create_task(again(partial(attack, target), within * number / count, name, begun))
        for name, (most, attack) in sorts.items()
        for count in [max(1, round(scale * most))]
        for number in range(count)
    ]


async def check_health(target: Target, seconds: float) -> dict[int, float]:
    """The slowest health check of each second, in milliseconds."""
    slowest, start = defaultdict[int, float](float), time.perf_counter()
    while (now := time.perf_counter() - start) < seconds:
        answer = await Connection(target).send(HEALTH, keep=False)
        taken = 1000 * answer.seconds if answer.status == 200 else float("inf")
        slowest[int(now)] = max(slowest[int(now)], taken)
        await asyncio.sleep(0.1)
    return slowest


async def well_behaved(target: Target, seconds: float) -> tuple[Counter[int], list[float]]:
    """The last statuses of good requests, and how long those took that were answered."""
    statuses, times, end = Counter[int](), list[float](), time.perf_counter() + seconds
    request = posted(good())
    while (began := time.perf_counter()) < end:
        status = 503
        while status == 503 and time.perf_counter() - began < PATIENCE:
            status = (await Connection(target).send(request, keep=False)).status
            await asyncio.sleep(0.05 * (status == 503))
        statuses[status] += 1
        times.append(time.perf_counter() - began)
        await asyncio.sleep(0.02)
    return statuses, times


async def warm_up(target: Target) -> None:
    """Let every worker compute everything once, in the threads that it starts for it."""
    for _ in range(5):
        await asyncio.gather(*(Connection(target).send(LARGE, keep=False) for _ in range(8)))
    await well_behaved(target, 1)


async def measure(service: str, workers: list[int], seconds: float) -> dict[str, Any]:
    """What others get for so many seconds, and the memory that the workers take."""
    target = Target.at(service)
    health, (statuses, times), peak = await asyncio.gather(
        check_health(target, seconds), well_behaved(target, seconds), watch_memory(workers, seconds)
    )
    return {
        "livez_slowest_ms": round(max(health.values()), 1),
        "livez_seconds_too_slow": sum(slowest > LIVELY_MS for slowest in health.values()),
        "good_requests": statuses.total(),
        "good_percent": round(100 * statuses[200] / statuses.total(), 2),
        "statuses": dict(statuses),
        "good_p99_ms": p99(times),
        "peak_mib": round(peak / MIB, 1),
    }


@contextlib.contextmanager
def under_attack(service: str, attack: str, scale: float, within: float) -> Iterator[Counter[str]]:
    """Attack from a process of its own: what it does must not delay what is measured here."""
    begun, (ours, theirs) = Counter[str](), Pipe()
    process = Process(target=attack_until, args=(theirs, service, attack, scale, within))
    process.start()
    try:
        yield begun
    finally:
        ours.send("end")
        begun.update(ours.recv())
        process.join()


def attack_until(end: Any, service: str, attack: str, scale: float, within: float) -> None:
    """Attack until a message comes, and answer with how many of each sort of client have begun."""

    async def run() -> Counter[str]:
        begun = Counter[str]()
        tasks = attackers(Target.at(service), ATTACKS[attack], scale, within, begun)
        await asyncio.to_thread(end.recv)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return begun

    end.send(asyncio.run(run()))


async def watch_memory(workers: list[int], seconds: float) -> int:
    """The most that all workers had together."""
    most, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        most = max(most, memory(workers))
        await asyncio.sleep(0.2)
    return most


def memory(workers: list[int]) -> int:
    """The bytes of these workers; one that has ended has none, and is reported as lost."""
    total = 0
    for worker in workers:
        with contextlib.suppress(OSError, IndexError):
            total += resident(Path(f"/proc/{worker}"), "VmRSS")
    return total


def main() -> None:
    given = arguments("silent", scale="of the attack: 1 as described", attack="the only one to try")
    seconds, scale = (4.0, 0.3) if given.short else (60.0, 1.0)
    scale = float(given.scale or scale)
    is_first = first()
    figures, reached = dict[str, Any](), dict[str, bool]()
    for attack in [given.attack] if given.attack else ATTACKS:
        figures[attack], judged = attacked(attack, seconds, scale, given.short)
        reached |= {f"{attack}: {name}": is_reached for name, is_reached in judged.items()}
    report({"clients_go_first": is_first, **figures}, reached)


def settled(workers: list[int], before: list[dict[str, int]]) -> list[dict[str, int]]:
    """The state of the workers once all that the clients had asked for is over, or after a while."""
    end = time.monotonic() + SETTLING
    while True:
        time.sleep(1)  # connections that have just ended are closed
        after = [state(worker) for worker in workers]
        handles = sum(b["handles"] - a["handles"] for a, b in zip(before, after, strict=True))
        grown = sum(b["rss"] - a["rss"] for a, b in zip(before, after, strict=True))
        if (handles <= 0 and grown <= MOST_GROWN) or time.monotonic() > end:
            return after


def attacked(
    attack: str, seconds: float, scale: float, short: bool
) -> tuple[dict[str, Any], dict[str, bool]]:
    """The figures of a service under attack, and which of its aims were reached."""
    with running_service("-w", str(WORKERS), log_level="warning") as service:
        while len(workers := children(service.pid)) < WORKERS:
            time.sleep(0.1)
        asyncio.run(warm_up(Target.at(service)))
        for _ in range(10):  # on a busy machine one of them may have answered everything
            if len({state(worker)["threads"] for worker in workers}) == 1:
                break
            asyncio.run(warm_up(Target.at(service)))
        before = [state(worker) for worker in workers]
        quiet, within = asyncio.run(check_health(Target.at(service), 2)), min(10.0, seconds / 3)
        with under_attack(service, attack, scale, within) as begun:
            figures = asyncio.run(measure(service, workers, within + seconds))
        after = settled(workers, before) if children(service.pid) == workers else before
        same = children(service.pid) == workers
        lost = "" if same else service.log()[-1000:]
        health_after = max(asyncio.run(check_health(Target.at(service), 2)).values())
    planned = len(workers) * Settings().planned_bytes / MIB
    before_mib, after_mib = (sum(each["rss"] for each in states) / MIB for states in (before, after))
    lively = 10 * LIVELY_MS if short else LIVELY_MS
    kept = MOST_GROWN + (PINNED * WORKERS if attack == "parsers" else 0)
    figures |= {
        "attackers_begun": dict(begun),
        "log_of_lost_workers": lost,
        "livez_quiet_ms": round(max(quiet.values()), 1),
        "livez_afterwards_ms": round(health_after, 1),
        "mib_before": round(before_mib, 1),
        "mib_afterwards": round(after_mib, 1),
        "mib_planned": planned,
        "handles_grown": sum(b["handles"] - a["handles"] for a, b in zip(before, after, strict=True)),
        "threads_grown": sum(b["threads"] - a["threads"] for a, b in zip(before, after, strict=True)),
    }
    return figures, {
        f"every health check within {lively:.0f} ms": figures["livez_slowest_ms"] <= lively,
        "every good request answered": figures["good_percent"] == 100,
        "memory at most 64 MiB more than planned": figures["peak_mib"] - before_mib <= planned + 64,
        "memory as before": after_mib - before_mib <= kept / MIB,
        "no handle, no thread more": all(
            b[name] <= a[name] for a, b in zip(before, after, strict=True) for name in ("handles", "threads")
        ),
        "health as before": health_after <= lively,
        "the same workers": same,
    }


if __name__ == "__main__":
    main()

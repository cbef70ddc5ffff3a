"""S15: hundreds of connections that are silent, stalled or read nothing, at bare gunicorn as shipped.

    PYTHONPATH=tests python -m torture.silent [--short]

500 connect and send nothing, 25 stop in their head, 25 in their body, 50 ask for much and hardly read it. Who
is cut off comes again. Meanwhile there are ten health checks a second, and good requests one by one, all on
connections of their own; what is turned away for now (503) is sent again, as the SDK does.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

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

LARGE = posted(pyramid(14, 1, answer_values=True))
"""A request whose answer has 5 MB: more than the buffers of a socket hold."""

HEALTH = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEAD, _, BODY = posted(good()).partition(b"\r\n\r\n")

SENT = {"silent": b"", "half a head": HEAD, "half a body": HEAD + b"\r\n\r\n" + BODY[:9]}


async def hold(target: Target, sent: bytes) -> None:
    """Send this and no more, until the service has had enough."""
    reader, writer = await asyncio.open_connection(*target)
    try:
        writer.write(sent)
        while await reader.read(1000):
            pass
    finally:
        writer.close()


async def read_slowly(target: Target) -> None:
    """Ask for much, and read a thousand bytes a second."""
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        await loop.sock_connect(connection, target)
        await loop.sock_sendall(connection, LARGE)
        while await loop.sock_recv(connection, 1000):
            await asyncio.sleep(1)


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


def attackers(target: Target, scale: float, within: float, begun: Counter[str]) -> list[asyncio.Task[None]]:
    """All of them, one after the other."""
    sorts: list[tuple[str, int, Callable[[], Coroutine[Any, Any, None]]]] = [
        *(
            (name, count, lambda sent=sent: hold(target, sent))  # type: ignore[misc]
            for (name, sent), count in zip(SENT.items(), (500, 25, 25), strict=True)
        ),
        ("slow reader", 50, lambda: read_slowly(target)),
    ]
    return [
        asyncio.create_task(again(attack, within * number / count, name, begun))
        for name, most, attack in sorts
        for count in [round(scale * most)]
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


async def measure(service: str, workers: list[int], seconds: float, scale: float) -> dict[str, Any]:
    """What others get while the attack goes on, and the memory it takes."""
    target, begun = Target.at(service), Counter[str]()
    quiet = await check_health(target, 2)
    within = min(10.0, seconds / 3)
    tasks = attackers(target, scale, within, begun)
    health, (statuses, times), peak = await asyncio.gather(
        check_health(target, within + seconds),
        well_behaved(target, within + seconds),
        watch_memory(workers, within + seconds),
    )
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return {
        "attackers_begun": dict(begun),
        "livez_quiet_ms": round(max(quiet.values()), 1),
        "livez_slowest_ms": round(max(health.values()), 1),
        "livez_seconds_too_slow": sum(slowest > LIVELY_MS for slowest in health.values()),
        "good_requests": statuses.total(),
        "good_percent": round(100 * statuses[200] / statuses.total(), 2),
        "statuses": dict(statuses),
        "good_p99_ms": p99(times),
        "peak_mib": round(peak / MIB, 1),
    }


async def watch_memory(workers: list[int], seconds: float) -> int:
    """The most that all workers had together."""
    most, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        most = max(most, memory(workers))
        await asyncio.sleep(0.2)
    return most


def memory(workers: list[int]) -> int:
    return sum(resident(Path(f"/proc/{worker}"), "VmRSS") for worker in workers)


def main() -> None:
    given = arguments("silent", scale="of the attack: 1 as described")
    seconds, scale = (8.0, 0.3) if given.short else (60.0, 1.0)
    scale = float(given.scale or scale)
    is_first = first()
    with running_service("-w", str(WORKERS), log_level="warning") as service:
        while len(workers := children(service.pid)) < WORKERS:
            time.sleep(0.1)
        asyncio.run(warm_up(Target.at(service)))
        before = [state(worker) for worker in workers]
        figures = asyncio.run(measure(service, workers, seconds, scale))
        time.sleep(1)  # connections that have just ended are closed
        after = [state(worker) for worker in workers]
        same = children(service.pid) == workers
        health_after = max(asyncio.run(check_health(Target.at(service), 2)).values())
    planned = len(workers) * Settings().planned_bytes / MIB
    before_mib, after_mib = (sum(each["rss"] for each in states) / MIB for states in (before, after))
    lively = 10 * LIVELY_MS if given.short else LIVELY_MS
    report(
        {
            "clients_go_first": is_first,
            **figures,
            "livez_afterwards_ms": round(health_after, 1),
            "mib_before": round(before_mib, 1),
            "mib_afterwards": round(after_mib, 1),
            "mib_planned": planned,
            "handles_grown": sum(b["handles"] - a["handles"] for a, b in zip(before, after, strict=True)),
            "threads_grown": sum(b["threads"] - a["threads"] for a, b in zip(before, after, strict=True)),
        },
        {
            f"every health check within {lively:.0f} ms": figures["livez_slowest_ms"] <= lively,
            "every good request answered": figures["good_percent"] == 100,
            "memory at most 64 MiB more than planned": figures["peak_mib"] - before_mib <= planned + 64,
            "memory as before": after_mib - before_mib <= 32,
            "no handle, no thread more": all(
                b[name] <= a[name]
                for a, b in zip(before, after, strict=True)
                for name in ("handles", "threads")
            ),
            "health as before": health_after <= lively,
            "the same workers": same,
        },
    )


if __name__ == "__main__":
    main()

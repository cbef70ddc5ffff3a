"""S8: four times the requests that can be computed: as many are computed as before, the rest refused at once.

    PYTHONPATH=tests python -m torture.overload [--short]

The requests arrive at random times, whether the ones before are answered or not. They are small, and take
about 50 ms to compute, so that sending them costs this machine little of what the service computes with.
"""

from __future__ import annotations

import asyncio
import random
import time
from itertools import count
from statistics import median

from support.service import running_service
from torture.load import Answer, Connection, Target, arguments, first, p99, posted, pyramid, report

WANTED_SECONDS = 0.05
DOUBLINGS = 12  # 2^16 numbers: half a MiB for each layer


async def alone(target: Target, request: bytes, seconds: float) -> list[float]:
    """One after the other."""
    connection, on_compute_seconds, end = Connection(target), list[float](), time.perf_counter() + seconds
    while time.perf_counter() < end:
        answer = await connection.send(request, keep=False)
        assert answer.status == 200, answer
        on_compute_seconds.append(answer.seconds)
    return on_compute_seconds


async def closed_loop(target: Target, request: bytes, clients: int, seconds: float) -> float:
    """Good answers a second to so many clients, each of which asks again as soon as it is answered."""
    end, good = time.perf_counter() + seconds, count()

    async def client() -> None:
        connection = Connection(target)
        while time.perf_counter() < end:
            if (await connection.send(request, keep=False)).status == 200:
                next(good)
            else:
                await asyncio.sleep(0.02)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return next(good) / (time.perf_counter() - began)


async def open_loop(target: Target, request: bytes, rate: float, seconds: float, seed: int) -> list[Answer]:
    """All answers to requests that come at this rate, whatever becomes of them."""
    dice, idle, tasks = random.Random(seed), list[Connection](), list[asyncio.Task[Answer]]()

    async def ask() -> Answer:
        connection = idle.pop() if idle else Connection(target)
        answer = await connection.send(request)
        idle.append(connection)
        return answer

    began = time.perf_counter()
    due = began
    while (due := due + dice.expovariate(rate)) < began + seconds:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(ask()))
    return await asyncio.gather(*tasks)


async def measure(url: str, seconds: float, seed: int) -> tuple[dict[str, float], list[Answer]]:
    target, layers = Target.at(url), 20
    for _ in range(2):  # the first are slower
        took = median(await alone(target, posted(pyramid(DOUBLINGS, layers)), 2))
        layers = max(1, round(layers * WANTED_SECONDS / took))
    request = posted(pyramid(DOUBLINGS, layers))
    unloaded = await alone(target, request, max(2.0, seconds / 6))
    peak = max([await closed_loop(target, request, clients, max(2.0, seconds / 10)) for clients in (2, 3, 4)])
    answers = await open_loop(target, request, 4 * peak, seconds, seed)
    good = [answer.seconds for answer in answers if answer.status == 200]
    refused = [answer.seconds for answer in answers if answer.status == 503]
    figures = {
        "unloaded_median_ms": round(1e3 * median(unloaded), 2),
        "unloaded_p99_ms": p99(unloaded),
        "peak_per_second": round(peak, 1),
        "sent_per_second": round(len(answers) / seconds, 1),
        "goodput_per_second": round(len(good) / seconds, 1),
        "goodput_of_peak": round(len(good) / seconds / peak, 3),
        "accepted_p99_ms": p99(good),
        "accepted_p99_of_unloaded_p99": round(p99(good) / p99(unloaded), 2),
        "refusal_p99_ms": p99(refused),
        "refusal_median_ms": round(1e3 * median(refused), 2),
        "neither": len(answers) - len(good) - len(refused),
    }
    return figures, answers


def main() -> None:
    given = arguments("overload")
    seconds = 5 if given.short else 60
    is_first = first()
    with running_service(log_level="warning") as service:
        figures, _ = asyncio.run(measure(service, seconds, given.seed))
    goodput, times, refusal = (0.5, 10.0, 1000.0) if given.short else (0.9, 3.0, 100.0)
    report(
        {"seed": given.seed, "seconds": seconds, "clients_go_first": is_first, **figures},
        {
            f"goodput at least {goodput} of the peak": figures["goodput_of_peak"] >= goodput,
            f"p99 of accepted at most {times} x unloaded": figures["accepted_p99_of_unloaded_p99"] <= times,
            f"refused within {refusal} ms (p99)": figures["refusal_p99_ms"] <= refusal,
            "nothing but 200 and 503": figures["neither"] == 0,
        },
    )


if __name__ == "__main__":
    main()

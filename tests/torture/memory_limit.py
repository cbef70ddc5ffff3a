"""S19: the limits of our own Kubernetes manifest, and four clients that ask for as much memory as they get.

    PYTHONPATH=tests python -m torture.memory_limit [--short]

gunicorn runs in a control group with the manifest's memory and its settings, with one core and with half a
core. One client draws the parameters of a huge network as JSON, one in base64, one asks for the values of all
of 512 nodes, and one reads nothing of its answers. The kernel must end no process, gunicorn's watchdog must
end no worker, and `/livez` must answer as the manifest's probe wants it to. It needs the right to make
control groups: it fails without, and says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import yaml
from support.cgroups import Group, limited
from support.memory import MIB
from support.service import Service, children, running_service
from torture.load import Target, arguments, message, report

MANIFEST = Path(__file__).parents[2] / "deploy" / "kubernetes" / "deployment.yaml"
SECONDS = 60.0
CORES = (1.0, 0.5)
PATIENCE = 60.0
"""Seconds that a client waits for more of its answer."""

LIVEZ = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Pod(NamedTuple):
    """The container of the manifest."""

    memory: int
    """Bytes that it may take."""
    workers: str
    probe_seconds: float
    """Seconds in which its liveness probe must be answered."""

    @classmethod
    def read(cls) -> Pod:
        """Read it from the manifest."""
        (container,) = yaml.safe_load(MANIFEST.read_text())["spec"]["template"]["spec"]["containers"]
        memory = container["resources"]["limits"]["memory"]
        assert memory.endswith("Gi")
        environ = {each["name"]: each["value"] for each in container["env"]}
        probe = container["livenessProbe"]["timeoutSeconds"]
        return cls(int(memory.removesuffix("Gi")) * 2**30, environ["WEB_CONCURRENCY"], float(probe))


def drawing(size: int, tensors: str) -> bytes:
    """Ask for the parameters of one layer, so many numbers."""
    nodes = [{"kind": "linear", "config": {"units": size // 1024}}]
    network = {"inputs": {"x": {"shape": [1024]}}, "nodes": nodes}
    request = {"network": network, "seed": 1, "tensors": tensors}
    return message("/v1/init", orjson.dumps(request), Connection="close")


def all_values(size: int) -> bytes:
    """Ask for the values of 512 nodes, together about so many numbers."""
    names = [f"n{number}" for number in range(510)]
    nodes: list[dict[str, Any]] = [{"kind": "sigmoid", "name": name} for name in names]
    width = max(1, size // len(names))
    network = {"inputs": {"x": {"shape": [width]}}, "nodes": nodes}
    request = {"network": network, "data": {"x": [[0.5] * width]}, "values": names}
    return message("/v1/forward", orjson.dumps(request), Connection="close")


async def ask(target: Target, request: bytes, read: bool = True) -> int:
    """Send a request on a connection of its own. Return its status; 0 when it is cut off.

    read: read the answer to its end, and keep nothing of it; otherwise wait to be cut off.
    """
    reader, writer = await asyncio.open_connection(*target, limit=2**18)
    try:
        writer.write(request)
        await writer.drain()
        status = int((await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE))[9:12])
        if not read and status == 200:
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            await asyncio.sleep(PATIENCE)
        while await asyncio.wait_for(reader.read(2**18), PATIENCE):
            pass
        return status
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return 0
    finally:
        writer.transport.abort()


async def largest(target: Target, make: Any) -> bytes:
    """Return the largest of these requests that the service takes, to three quarters."""
    size = 2**26
    while size > 1024:
        with contextlib.suppress(OSError):
            if await ask(target, make(size)) == 200:
                return bytes(make(size))
        size = size * 3 // 4
    raise AssertionError("the service takes none of these requests")


async def check_health(target: Target, end: float) -> list[float]:
    """Return the seconds of every health check; infinity for one that failed."""
    times = list[float]()
    while (began := time.monotonic()) < end:
        status = 0
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                status = await ask(target, LIVEZ)
        times.append(time.monotonic() - began if status == 200 else float("inf"))
        await asyncio.sleep(0.1)
    return times


async def attack(target: Target, seconds: float) -> tuple[dict[str, Counter[int]], list[float]]:
    """Let the four clients ask; return their statuses, and the seconds of health checks."""
    lists, base64, values = (
        await largest(target, lambda size: drawing(size, "lists")),
        await largest(target, lambda size: drawing(size, "base64")),
        await largest(target, all_values),
    )
    clients = {
        "draws, JSON": (lists, True),
        "draws, base64": (base64, True),
        "all values": (values, True),
        "reads nothing": (lists, False),
    }
    statuses = {name: Counter[int]() for name in clients}
    end = time.monotonic() + seconds

    async def repeat(name: str, request: bytes, read: bool) -> None:
        while time.monotonic() < end:
            statuses[name][await ask(target, request, read)] += 1
            await asyncio.sleep(0.05)

    asking = [asyncio.create_task(repeat(name, *client)) for name, client in clients.items()]
    times = await check_health(target, end)
    for each in asking:
        each.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    return statuses, times


class Measured(NamedTuple):
    """What has become of the service with so many cores."""

    figures: dict[str, Any]
    reached: dict[str, bool]


@contextlib.contextmanager
def serving(pod: Pod, group: Group) -> Iterator[Service]:
    """Serve in the group, as the pod does."""
    with running_service("-w", pod.workers, seconds=60, wrapper=group.entering(), log_level="warning") as url:
        while len(children(url.pid)) < int(pod.workers):
            time.sleep(0.05)
        yield url


def measure(pod: Pod, cores: float, seconds: float) -> Measured:
    """Run the four clients against the service with so many cores."""
    with limited(pod.memory, cores) as group:
        with serving(pod, group) as url:
            before = children(url.pid)
            statuses, times = asyncio.run(attack(Target.at(url), seconds))
            same, log = children(url.pid) == before, url.log()
        slowest, kills, peak = max(times), group.oom_kills(), group.peak_bytes()
    watchdog = log.count("WORKER TIMEOUT")
    name = f"{cores:g} core"
    figures = {
        "oom_kills": kills,
        "watchdog_kills": watchdog,
        "peak_mib": peak and round(peak / MIB),
        "livez_ms_slowest": round(1e3 * slowest, 1),
        "livez_checks": len(times),
        "statuses": {client: dict(counts) for client, counts in statuses.items()},
    }
    reached = {
        f"{name}: no OOM kill": kills == 0,
        f"{name}: no watchdog kill": watchdog == 0,
        f"{name}: the same workers": same,
        f"{name}: every health check answered": slowest <= pod.probe_seconds,
    }
    return Measured({name: figures}, reached)


def main() -> None:
    given = arguments("memory_limit")
    pod, figures, reached = Pod.read(), dict[str, Any](), dict[str, bool]()
    for cores in CORES[:1] if given.short else CORES:
        measured = measure(pod, cores, 8.0 if given.short else SECONDS)
        figures |= measured.figures
        reached |= measured.reached
    report(figures, reached)


if __name__ == "__main__":
    main()

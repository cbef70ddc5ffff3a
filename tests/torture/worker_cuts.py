"""The network is cut, or the scheduler killed, while workers compute: answers are right, or say so in time.

    PYTHONPATH=tests python -m torture.worker_cuts [--short]

The service, the scheduler and a worker live in network namespaces of this program (it needs root), with a
cable from the first to the second, and one from there to the third. In a request each cable is cut in turn,
and the scheduler killed; then all is mended. A request has the bits of one process, or is refused with 503
and a code, before its deadline. Afterwards workers compute again, and nobody has started anything but the
scheduler. Addresses are not of this machine alone, so all connections have TLS.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf, isfinite
from pathlib import Path
from threading import Timer
from time import monotonic, sleep
from typing import NamedTuple

from support.cluster import Cluster, Sent, bits_of, cut_into, sending_to
from support.engine import LAYERS
from support.tls import certificate
from torture.load import arguments, report

from deltawire_service.cluster.errors import ClusterUnavailable
from deltawire_service.engine import DeadlineExceeded, call_until, compile_network

INSIDE = "DELTAWIRE_TORTURE_NAMESPACE"
"""A variable that is set in the namespace of this program."""

SEGMENTS = 16

DEADLINES = (30.0, 7.0)
"""Seconds of a request, in turn: enough to compute it here after all, or just to learn of the loss."""

GRACE_SECONDS = 1.0
"""How long after its deadline a request may be answered: checks are some tenths of a second apart."""

MENDED_SECONDS = 90.0
"""How long after the end of a cut the first request goes out again, at most."""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


class CutCluster(Cluster):
    """A scheduler and a worker, each behind a cable."""

    def __init__(self, folder: Path, **environ: str):
        super().__init__(folder, "tls", **environ)
        self._scheduler_space, self._worker_space = (f"dw-{os.getpid()}-{role}" for role in ("s", "w"))
        self.address = f"tls://10.77.0.2:{self.port}"

    def lay_cables(self) -> None:
        for space in (self._scheduler_space, self._worker_space):
            ip("netns", "add", space)
            ip("-n", space, "link", "set", "lo", "up")
        ip("link", "set", "lo", "up")
        ip("link", "add", "near", "type", "veth", "peer", "name", "far", "netns", self._scheduler_space)
        ip("addr", "add", "10.77.0.1/24", "dev", "near")
        ip("-n", self._scheduler_space, "addr", "add", "10.77.0.2/24", "dev", "far")
        cable = ["link", "add", "left", "type", "veth", "peer", "name", "right", "netns", self._worker_space]
        ip("-n", self._scheduler_space, *cable)
        ip("-n", self._scheduler_space, "addr", "add", "10.77.1.1/24", "dev", "left")
        ip("-n", self._worker_space, "addr", "add", "10.77.1.2/24", "dev", "right")
        for space, end in (("", "near"), (self._scheduler_space, "far"), (self._scheduler_space, "left"),
                           (self._worker_space, "right")):  # fmt: skip
            ip(*(["-n", space] if space else []), "link", "set", end, "up")

    def remove_cables(self) -> None:
        for space in (self._scheduler_space, self._worker_space):
            subprocess.run(["ip", "netns", "delete", space])

    def damage(self, part: str) -> None:
        """Cut the cable of a part, `service` or `worker`, or kill the `scheduler`."""
        if part == "scheduler":
            self.kill_scheduler()
        else:
            self._set_cable(part, "down")

    def mend(self, part: str) -> None:
        """Mend a cable, or start another scheduler."""
        if part == "scheduler":
            self.start_scheduler()
        else:
            self._set_cable(part, "up")

    def _set_cable(self, part: str, state: str) -> None:
        if part == "service":
            ip("link", "set", "near", state)
        else:
            ip("-n", self._scheduler_space, "link", "set", "left", state)

    def start_scheduler(self) -> None:
        command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--protocol", "tls"]
        command += ["--host", "0.0.0.0", "--port", str(self.port), "--no-dashboard"]
        within = ["ip", "netns", "exec", self._scheduler_space]
        self.scheduler = self._start("scheduler", [*within, *command], {})

    def start_worker(self, name: str, *options: str, **environ: str) -> None:
        command = [
            sys.executable,
            "-m",
            "deltawire",
            "worker",
            f"tls://10.77.1.1:{self.port}",
            "--name",
            name,
        ]
        within = ["ip", "netns", "exec", self._worker_space]
        self.workers[name] = self._start(name, [*within, *command, "--host", "10.77.1.2", *options], environ)


@contextmanager
def cut_cluster(folder: Path, environ: dict[str, str]) -> Iterator[CutCluster]:
    cluster = CutCluster(folder, **environ)
    try:
        cluster.lay_cables()
        cluster.start_scheduler()
        cluster.start_worker("0", DELTAWIRE_DATA_DIR=str(folder / "data"))
        cluster.wait_for(1)
        yield cluster
    finally:
        cluster.stop()
        cluster.remove_cables()


class Damage(NamedTuple):
    """What became of a request in which something was damaged, and of those after it."""

    part: str
    deadline: float
    outcome: str
    """`answered`, the code of a refusal, or `other bits`."""
    seconds: float
    recovery_seconds: float
    """From the mending to the first request that workers computed again; infinite where none did."""

    def is_right(self) -> bool:
        """Return whether the request was answered rightly, or refused in words."""
        return self.outcome in ("answered", ClusterUnavailable.code)


class Requests:
    """The same gradients again and again, by workers where there are some."""

    def __init__(self, sent: Sent, compute: Callable[[], str], expected: str):
        self._sent, self._compute, self._expected = sent, compute, expected

    def outcome(self, seconds: float) -> str:
        """Compute once. seconds: until the deadline."""
        try:
            found = call_until(monotonic() + seconds, self._compute)
        except ClusterUnavailable as error:
            return error.code
        except DeadlineExceeded:
            return "deadline_exceeded"
        return "answered" if found == self._expected else "other bits"

    def are_computed_by_workers(self) -> bool:
        before = len(self._sent.reports)
        outcome = self.outcome(DEADLINES[0])
        assert outcome != "other bits"
        return len(self._sent.reports) > before and self._sent.last.workers > 0


def damage(cluster: CutCluster, part: str, requests: Requests, deadline: float, moment: float) -> Damage:
    """Damage a part of the cluster in a request, mend it, and wait until workers compute again.

    Args:
        cluster: the cluster.
        part: as for `CutCluster.damage`.
        requests: the requests.
        deadline: of the request, in seconds.
        moment: when it is damaged, in seconds from the beginning of the request.
    """
    damager = Timer(moment, cluster.damage, (part,))
    damager.start()
    began = monotonic()
    outcome = requests.outcome(deadline)
    seconds = monotonic() - began
    damager.join()
    cluster.mend(part)
    began, recovered = monotonic(), False
    while not recovered and monotonic() < began + MENDED_SECONDS:
        recovered = requests.are_computed_by_workers()
        sleep(0 if recovered else 0.5)
    recovery = round(monotonic() - began, 1) if recovered else inf
    return Damage(part, deadline, outcome, round(seconds, 1), recovery)


def main() -> None:
    given = arguments("worker_cuts")
    if INSIDE not in os.environ:
        words = ["unshare", "-n", sys.executable, "-m", "torture.worker_cuts", *sys.argv[1:]]
        os.execvpe("unshare", words, {**os.environ, INSIDE: "1"})
    import numpy as np

    rows = 20_000 if given.short else 60_000
    spec = {
        "inputs": {"x": {"shape": [128]}},
        "nodes": [
            {"kind": "linear", "inputs": ["x"], "config": {"units": 1024}},
            {"kind": "tanh"},
            {"name": "loss", "kind": "sum"},
        ],
    }
    data = {"x": np.random.default_rng(0).standard_normal((rows, 128)).astype(np.float32)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        environ = certificate(folder)
        os.environ.update(environ)
        with cut_cluster(folder, environ) as cluster, cut_into(SEGMENTS):
            here = compile_network(spec, LAYERS)
            params = here.init(0, np.float32)
            sent = sending_to(cluster, folder / "data")
            network = sent.compile(spec)
            expected = bits_of(here.gradients(params, data))

            def compute() -> str:
                return bits_of(network.gradients(params, data))

            requests, dice = Requests(sent, compute, expected), random.Random(given.seed)
            assert requests.are_computed_by_workers()
            found = [
                damage(cluster, part, requests, deadline, dice.uniform(0, 0.5))
                for deadline in (DEADLINES[:1] if given.short else DEADLINES * 3)
                for part in ("service", "worker", "scheduler")
            ]
    report(
        {"seed": given.seed, "requests": [each._asdict() for each in found]},
        {
            "the bits of one process, or 503": all(each.is_right() for each in found),
            "within the deadline": all(each.seconds < each.deadline + GRACE_SECONDS for each in found),
            "all goes on": all(isfinite(each.recovery_seconds) for each in found),
        },
    )


if __name__ == "__main__":
    main()

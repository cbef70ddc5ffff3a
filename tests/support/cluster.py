"""A real Dask scheduler and real workers, as processes on 127.0.0.1, for tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any, NamedTuple

import numpy as np
import pytest
from support.service import free_port
from threadpoolctl import ThreadpoolController

from deltawire_layers import load_layers
from deltawire_service.cluster.members import Member
from deltawire_service.cluster.report import Report
from deltawire_service.cluster.starting import make_dispatcher
from deltawire_service.cluster.working.worker import NO_LIMITS
from deltawire_service.engine import Network, run_now
from deltawire_service.engine.plan import memory_plan
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.observability.logs import make_log
from deltawire_service.settings import Settings

STARTS = 60.0
"""Seconds in which a scheduler and its workers have to start, also on a busy machine."""

ENVIRONMENT = {
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "2",  # three lost workers are enough
    "OPENBLAS_NUM_THREADS": "1",
}


class Cluster:
    """A scheduler with workers. folder: for their logs, and for what they leave."""

    def __init__(self, folder: Path, scheme: str = "tcp", **environ: str):
        self.port = free_port()
        self.address = f"{scheme}://127.0.0.1:{self.port}"
        self._folder = folder
        self._environ = {**os.environ, **ENVIRONMENT, "TMPDIR": str(folder), **environ}
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.workers: dict[str, subprocess.Popen[bytes]] = {}

    def start_scheduler(self) -> None:
        command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
        if self.address.startswith("tls"):
            command += ["--protocol", "tls"]
        self.scheduler = self._start("scheduler", command, {})

    def start_worker(self, name: str, *options: str, **environ: str) -> None:
        """Start a worker. environ: its settings and other variables, by their whole names."""
        command = [sys.executable, "-m", "deltawire", "worker", self.address, "--name", name, *options]
        self.workers[name] = self._start(name, command, environ)

    def wait_for(self, count: int) -> list[Member]:
        """Wait until there are so many workers, and return them."""
        from deltawire_service.cluster.dispatching.client import Scheduler, SchedulerLost

        end, scheduler = monotonic() + STARTS, Scheduler(self.address)
        try:
            while True:
                with suppress(SchedulerLost):
                    members = scheduler.members(fresh=True)
                    if len(members) == count:
                        return members
                assert monotonic() < end, self.logs()
                sleep(0.1)
        finally:
            scheduler.close()

    def kill_worker(self, name: str) -> bool:
        """Kill the process that computes, if there is one, and tell so. Dask's nanny starts another."""
        return self.signal_worker(name, signal.SIGKILL)

    def signal_worker(self, name: str, number: signal.Signals) -> bool:
        """Send a signal to the process that computes, if there is one, and tell so."""
        for nanny in descendants(self.workers[name].pid):
            for pid in descendants(nanny):
                if b"spawn_main" in command_line(pid):
                    with suppress(ProcessLookupError):
                        os.kill(pid, number)
                        return True
        return False

    def end_worker(self, name: str) -> None:
        """Kill a worker for good, with all of its processes."""
        process = self.workers.pop(name)
        for pid in (process.pid, *descendants(process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()

    def kill_scheduler(self) -> None:
        assert self.scheduler
        self.scheduler.kill()
        self.scheduler.wait()

    def logs(self) -> str:
        return "\n".join(path.read_text()[-2000:] for path in sorted(self._folder.glob("*.log")))

    def stop(self) -> None:
        for name in list(self.workers):
            self.end_worker(name)
        if self.scheduler:
            self.kill_scheduler()

    def _start(self, name: str, command: list[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command, env={**self._environ, **environ}, stdout=log, stderr=subprocess.STDOUT
            )


def descendants(pid: int) -> list[int]:
    """The processes below a process, children before theirs."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        own = [int(child) for each in threads for child in (each / "children").read_text().split()]
    except OSError:
        return []
    return own + [other for child in own for other in descendants(child)]


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@contextmanager
def running_cluster(
    workers: int = 2, *options: str, scheme: str = "tcp", **environ: str
) -> Iterator[Cluster]:
    """A scheduler and so many workers, named 0, 1 and so on, until the block ends.

    options: of the command of each worker. environ: variables of all processes.
    """
    with TemporaryDirectory() as folder:
        cluster = Cluster(Path(folder), scheme, **environ)
        try:
            cluster.start_scheduler()
            for number in range(workers):
                cluster.start_worker(str(number), *options)
            if workers:
                cluster.wait_for(workers)
            yield cluster
        finally:
            cluster.stop()


def settings_for(cluster: Cluster, folder: Path, **changes: Any) -> dict[str, Any]:
    """The settings of a service that sends everything out that has several segments."""
    return {"dask": cluster.address, "data_dir": str(folder), "cluster_operations": 1, **changes}


class Sent(NamedTuple):
    """Networks whose computations go out, beside those that stay."""

    compile: Callable[[Any], Network]
    reports: list[Report]
    dispatcher: Any
    folder: Path

    @property
    def last(self) -> Report:
        return self.reports[-1]


def use_one_blas_thread() -> None:
    """Have BLAS compute in one thread, as in a service and its workers: it is part of the fingerprint."""
    for library in ThreadpoolController().select(user_api="blas").lib_controllers:
        library.set_num_threads(1)


def sending_to(
    cluster: Cluster,
    folder: Path,
    threads: int = 1,
    on_report: Callable[[Report], None] = lambda report: None,
    **changes: Any,
) -> Sent:
    """Networks that send everything with several segments to a cluster.

    folder: the folder of the service. threads: those that compute here. on_report: called with each report,
    in the thread that has asked. changes: of the settings.
    """
    use_one_blas_thread()
    settings, reports = Settings(**settings_for(cluster, folder, **changes)), list[Report]()

    def keep(report: Report) -> None:
        reports.append(report)
        on_report(report)

    dispatcher = make_dispatcher(settings, lambda: networks.fingerprint(), keep, make_log("error"))
    assert dispatcher
    networks = NetworkCache(load_layers(), NO_LIMITS, compute_threads=threads, run=dispatcher.runner(run_now))
    return Sent(networks.compile, reports, dispatcher, folder)


@contextmanager
def cut_into(chunks: int) -> Iterator[None]:
    """Have every batch cut into so many chunks, as far as it has rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory_plan, "count_chunks", lambda network, batch, itemsize: min(batch, chunks))
        yield


def bits_of(result: Any) -> str:
    """The SHA-256 of the loss and the gradients of a result."""
    arrays = [np.array(result.loss), *result.params.values(), *result.data.values()]
    return sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()

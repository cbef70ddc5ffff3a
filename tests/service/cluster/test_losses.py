"""Workers and a scheduler that are lost while they compute: the same numbers, or an error in time."""

from __future__ import annotations

import platform
import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from time import monotonic, sleep
from typing import Any

import numpy as np
import pytest
from support.cluster import Cluster, Sent, bits_of, cut_into, running_cluster, sending_to
from support.distributions import install
from support.engine import LAYERS

from deltawire_service.cluster.errors import WorkerLost
from deltawire_service.cluster.report import Membership
from deltawire_service.engine import DeadlineExceeded, call_until, compile_network

pytestmark = pytest.mark.cluster

SPEC = {
    "inputs": {"x": {"shape": [256]}, "y": {"shape": [], "dtype": "int64"}},
    "nodes": [
        {"kind": "linear", "inputs": ["x"], "config": {"units": 512}},
        {"kind": "tanh"},
        {"kind": "linear", "config": {"units": 512}},
        {"kind": "tanh"},
        {"kind": "linear", "config": {"units": 10}},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["linear3", "y"]},
    ],
}
SEGMENTS = 16

OLD_KERNEL = "Nehalem" if platform.machine() in ("x86_64", "AMD64") else "ARMV8"
"""A kernel of OpenBLAS that none takes by itself on a processor of today."""


DEADLY = """
import os
from deltawire_layers.layers.pointwise.activations import Tanh

class Deadly(Tanh):
    def forward(self, params, x):
        if "ACME" in os.environ:
            os._exit(1)
        return super().forward(params, x)
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("data")
    with running_cluster(2, DELTAWIRE_DATA_DIR=str(folder)) as running:
        running.data_dir = folder  # type: ignore[attr-defined]
        yield running


@pytest.fixture(scope="module")
def sent(cluster: Cluster) -> Sent:
    return sending_to(cluster, cluster.data_dir)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def batch() -> dict[str, Any]:
    numbers = np.random.default_rng(0)
    return {
        "x": numbers.standard_normal((40_000, 256)).astype(np.float32),
        "y": numbers.integers(0, 10, 40_000),
    }


@pytest.fixture(scope="module")
def expected(sent: Sent, batch: dict[str, Any]) -> str:
    """The bits of this process."""
    with cut_into(SEGMENTS):
        network = compile_network(SPEC, LAYERS)
        return bits_of(network.gradients(network.init(0, np.float32), batch))


def compute(sent: Sent, batch: dict[str, Any]) -> str:
    with cut_into(SEGMENTS):
        network = sent.compile(SPEC)
        return bits_of(network.gradients(network.init(0, np.float32), batch))


def test_a_worker_that_stands_still_costs_its_segments_only(
    cluster: Cluster, sent: Sent, batch: dict[str, Any], expected: str
) -> None:
    stopper = Timer(0.3, cluster.signal_worker, ("0", signal.SIGSTOP))
    stopper.start()
    try:
        assert compute(sent, batch) == expected
        stopper.join()
        assert (sent.last.workers, sent.last.here) == (SEGMENTS, 0)
        assert 0 < sent.last.recomputed < SEGMENTS
        assert compute(sent, batch) == expected  # without it: it counts as lost
        assert (sent.last.workers, sent.last.recomputed) == (SEGMENTS, 0)
    finally:
        cluster.signal_worker("0", signal.SIGCONT)
        cluster.wait_for(2)  # it finds its connection closed, and is started again


def test_a_killed_worker_costs_its_segments_only(
    cluster: Cluster, sent: Sent, batch: dict[str, Any], expected: str
) -> None:
    assert compute(sent, batch) == expected
    assert sent.last.workers > 0
    for seconds in (0.3, 0.8):
        killer = Timer(seconds, cluster.kill_worker, ("0",))
        killer.start()
        assert compute(sent, batch) == expected
        killer.join()
        assert sent.last.workers > 0
        cluster.wait_for(2)


@pytest.fixture
def deadly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Cluster, Sent]]:
    """Workers that have a layer which ends their process."""
    install(tmp_path, "acme 1.0", deadly="acme_deadly:Deadly")
    (tmp_path / "acme_deadly.py").write_text(DEADLY)
    monkeypatch.syspath_prepend(tmp_path)
    # On a busy machine, they take longer to start again than the service waits for them.
    monkeypatch.setattr("deltawire_service.cluster.dispatching.collecting.NO_WORKER_SECONDS", 60.0)
    folder = tmp_path / "data"
    folder.mkdir()
    with running_cluster(2, PYTHONPATH=str(tmp_path), ACME="1", DELTAWIRE_DATA_DIR=str(folder)) as cluster:
        yield cluster, sending_to(cluster, folder)


def test_a_segment_that_ends_its_workers_is_refused(
    deadly: tuple[Cluster, Sent], batch: dict[str, Any]
) -> None:
    cluster, sent = deadly
    spec = {
        "inputs": {"x": {"shape": [256]}},
        "nodes": [{"kind": "deadly", "inputs": ["x"]}, {"kind": "sum"}],
    }
    few = {"x": batch["x"][:16]}
    with cut_into(2), pytest.raises(WorkerLost):
        sent.compile(spec).gradients({}, few, wrt_data=True)
    assert sent.last.recomputed >= 2 and sent.last.workers == sent.last.here == 0
    cluster.wait_for(2)
    spec["nodes"][0]["kind"] = "tanh"
    with cut_into(2):
        sent.compile(spec).gradients({}, few, wrt_data=True)
    assert sent.last.workers == 2


def test_a_worker_with_another_blas_gets_no_task(
    cluster: Cluster, sent: Sent, batch: dict[str, Any], expected: str
) -> None:
    cluster.start_worker("other", OPENBLAS_CORETYPE=OLD_KERNEL)
    try:
        members = cluster.wait_for(3)
        own = {member.name: member.fingerprint for member in members}
        assert own["0"] == own["1"] != own["other"] != ""
        sleep(1)  # until the list of workers is asked for again
        assert sent.dispatcher.membership() == Membership(True, 2, 1)
        assert compute(sent, batch) == expected
    finally:
        cluster.end_worker("other")
        cluster.wait_for(2)


def test_a_deadline_ends_the_wait(cluster: Cluster, sent: Sent, batch: dict[str, Any]) -> None:
    began = monotonic()
    with pytest.raises(DeadlineExceeded):
        call_until(monotonic() + 0.5, lambda: compute(sent, batch))
    assert monotonic() - began < 5


def test_without_workers_it_is_computed_here(
    cluster: Cluster, sent: Sent, batch: dict[str, Any], expected: str
) -> None:
    killer = Timer(0.5, lambda: [cluster.end_worker(name) for name in ("0", "1")])
    killer.start()
    assert compute(sent, batch) == expected
    killer.join()
    assert sent.last.here > 0
    cluster.wait_for(0)
    sleep(1)
    reports = len(sent.reports)
    assert compute(sent, batch) == expected and len(sent.reports) == reports  # nothing went out
    for name in ("0", "1"):
        cluster.start_worker(name, DELTAWIRE_DATA_DIR=str(cluster.data_dir))  # type: ignore[attr-defined]
    cluster.wait_for(2)


def test_a_lost_scheduler_is_survived_and_found_again(
    cluster: Cluster, sent: Sent, batch: dict[str, Any], expected: str
) -> None:
    killer = Timer(0.5, cluster.kill_scheduler)
    killer.start()
    assert compute(sent, batch) == expected
    killer.join()
    assert sent.last.here > 0
    assert not sent.dispatcher.membership().connected
    assert compute(sent, batch) == expected
    cluster.start_scheduler()
    cluster.wait_for(2)  # the workers are started again by themselves
    end = monotonic() + 30
    while not sent.dispatcher.membership().equal:
        assert monotonic() < end
        sleep(0.5)
    assert compute(sent, batch) == expected
    assert sent.last.workers > 0

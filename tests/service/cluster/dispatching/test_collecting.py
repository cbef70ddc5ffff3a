"""What becomes of segments whose workers are silent, with a scheduler that plays a part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast
from unittest.mock import Mock

import numpy as np
import pytest
from support.cluster import cut_into
from support.engine import LAYERS

from deltawire_service.cluster.dispatching.blobs import Blobs
from deltawire_service.cluster.dispatching.losses import Losses
from deltawire_service.cluster.errors import ClusterUnavailable
from deltawire_service.cluster.links import Links
from deltawire_service.cluster.members import Member
from deltawire_service.cluster.report import Report
from deltawire_service.cluster.task import SegmentAnswer, run_task
from deltawire_service.cluster.working.fetching import FetchFailed
from deltawire_service.cluster.working.worker import NO_LIMITS
from deltawire_service.engine import (
    DeadlineExceeded,
    Network,
    Plan,
    Runner,
    call_until,
    check_deadline,
    compile_network,
    current_deadline,
    run_now,
)
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.observability.logs import make_log
from deltawire_service.store.limits import StoreLimits

if TYPE_CHECKING:
    from deltawire_service.cluster.dispatching.client import Scheduler

pytestmark = pytest.mark.cluster

T = TypeVar("T")

SPEC = {"inputs": {"x": {"shape": [3]}}, "nodes": [{"kind": "tanh", "inputs": ["x"]}, {"kind": "sum"}]}
DATA = {"x": np.arange(12.0).reshape(4, 3)}


class Part:
    """A scheduler of two workers, which get the segments in turn.

    silent: the workers whose heartbeats do not come, and which answer nothing. stuck: those whose heartbeats
    come, and which answer nothing either. failing: those whose tasks fail. answers: False where nothing
    comes from the scheduler itself. returns: removed workers come back, and are silent again.
    """

    is_connected = True
    answer_seconds = 0.0
    """How long it is waited for where nothing comes."""

    def __init__(
        self,
        fingerprint: str,
        silent: str = "",
        stuck: str = "",
        failing: str = "",
        answers: bool = True,
        returns: bool = False,
    ):
        self.losses = Losses()
        self.removed = list[str]()
        self._returns = returns
        self._fingerprint, self._silent, self._stuck, self._answers = fingerprint, {*silent}, stuck, answers
        self._failing = failing
        self._listed = 0
        self._turns = cycle("ab")

    def members(self, fresh: bool = False) -> list[Member]:
        from deltawire_service.cluster.dispatching.client import SchedulerLost

        if fresh and not self._answers:
            sleep(self.answer_seconds)
            raise SchedulerLost
        self._listed += 1
        return [
            Member(name, name, 1, self._fingerprint, {}, 0.0 if name in self._silent else self._listed)
            for name in "ab"
            if self._returns or name not in self.removed
        ]

    def submit(self, tasks: Sequence[bytes], keys: Sequence[str], fingerprint: str) -> list[Mock]:
        return [
            Mock(task=task, key=key, status="pending", worker=next(self._turns))
            for task, key in zip(tasks, keys, strict=True)
        ]

    def collect(
        self, futures: Mapping[int, Mock], wait_seconds: float, fetch_seconds: float
    ) -> dict[int, SegmentAnswer]:
        sleep(0.01)
        lost = {*self._silent, *self._stuck} if self._answers else {*"ab"}
        ended = {index: future for index, future in futures.items() if future.worker not in lost}
        for future in ended.values():
            future.status = "error" if future.worker in self._failing else "finished"
            future.exception = lambda timeout: FetchFailed("the service cannot be reached")
        return {i: run_task(each.task) for i, each in ended.items() if each.status == "finished"}

    def remove_worker(self, address: str) -> None:
        self.removed.append(address)
        if not self._returns:
            self._silent.discard(address)  # the other has its tasks


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have all waiting end soon."""
    from deltawire_service.cluster.dispatching import collecting, heartbeats

    monkeypatch.setattr(heartbeats, "LATE_SECONDS", 0.1)
    monkeypatch.setattr(heartbeats, "SILENT_SECONDS", 0.2)
    monkeypatch.setattr(heartbeats, "heartbeat_interval", lambda workers: 0.0)
    monkeypatch.setattr(collecting, "LOOK_SECONDS", 0.03)
    monkeypatch.setattr(collecting, "NO_WORKER_SECONDS", 0.3)


class Played(NamedTuple):
    """Gradients of four rows, a segment each, of workers that play a part."""

    part: Part
    network: Network
    reports: list[Report]

    def compute(self, seconds: float = 60.0) -> Report:
        """Compute them until a deadline; compare them with those of this process."""
        with cut_into(4):
            expected = compile_network(SPEC, LAYERS).gradients({}, DATA, wrt_data=True)
            found = call_until(monotonic() + seconds, lambda: self.network.gradients({}, DATA, wrt_data=True))
        assert found.data["x"].tobytes() == expected.data["x"].tobytes() and found.loss == expected.loss
        return self.reports[-1]


def run_late(compute: Callable[[], T], plan: Plan | None = None) -> T:
    """Compute nothing here until the deadline has passed."""
    sleep(max(0.0, current_deadline() - monotonic()) + 0.01)
    check_deadline()
    return compute()


@pytest.fixture
def played(tmp_path: Path) -> Callable[..., Played]:
    """Return gradients of workers with these properties; run_here: computes in this process."""
    from deltawire_service.cluster.dispatching.dispatch import Dispatcher

    def of(run_here: Runner = run_now, **properties: Any) -> Played:
        blobs, reports = Blobs(tmp_path, StoreLimits(free_bytes=0)), list[Report]()
        fingerprint = NetworkCache(LAYERS, NO_LIMITS).fingerprint()
        part = Part(fingerprint, **properties)
        log, scheduler = make_log("critical"), cast("Scheduler", part)
        dispatcher = Dispatcher(scheduler, blobs, Links(b""), "", 1, lambda: fingerprint, reports.append, log)
        network = NetworkCache(LAYERS, NO_LIMITS, run=dispatcher.runner(run_here)).compile(SPEC)
        return Played(part, network, reports)

    return of


def counts(report: Report) -> tuple[int, int]:
    return report.workers, report.here


def test_all_segments_come_from_workers(played: Callable[..., Played]) -> None:
    pure = played()
    assert counts(pure.compute()) == (4, 0) and pure.part.removed == []


def test_a_silent_worker_is_removed_and_others_get_its_segments(played: Callable[..., Played]) -> None:
    one = played(silent="b")
    assert counts(one.compute()) == (4, 0) and one.part.removed == ["b"]


def test_workers_that_fall_silent_again_and_again_are_given_up(played: Callable[..., Played]) -> None:
    one = played(silent="b", returns=True)
    assert counts(one.compute()) == (2, 2) and one.part.removed == ["b"] * 3


def test_where_all_are_silent_the_rest_is_computed_here(played: Callable[..., Played]) -> None:
    both = played(silent="ab")
    assert counts(both.compute()) == (0, 4) and both.part.removed == ["a", "b"]


def test_later_requests_do_not_wait_for_workers_that_are_known_to_be_silent(
    played: Callable[..., Played],
) -> None:
    both = played(silent="ab", returns=True)
    both.compute()
    began = monotonic()
    both.compute()
    assert len(both.reports) == 1 and monotonic() - began < 0.1


def test_a_scheduler_that_does_not_answer_is_given_up(played: Callable[..., Played]) -> None:
    none = played(answers=False)
    assert counts(none.compute()) == (0, 4) and none.part.removed == []


def test_a_segment_that_never_ends_is_computed_here(
    played: Callable[..., Played], monkeypatch: pytest.MonkeyPatch
) -> None:
    from deltawire_service.cluster.dispatching import progress

    monkeypatch.setattr(progress, "STILL_SECONDS", 0.1)
    one = played(stuck="b")
    assert counts(one.compute()) == (2, 2) and one.part.removed == []


def test_a_deadline_passes_while_workers_may_only_be_slow(played: Callable[..., Played]) -> None:
    for slow in (played(stuck="ab"), played(stuck="b")):
        with pytest.raises(DeadlineExceeded):
            slow.compute(seconds=0.5)


def test_a_deadline_that_passes_after_a_task_failed_names_the_cluster(played: Callable[..., Played]) -> None:
    assert counts(played(failing="b").compute()) == (2, 2)
    with pytest.raises(ClusterUnavailable):
        played(run_here=run_late, failing="b").compute(seconds=0.5)


@pytest.mark.parametrize(
    "properties",
    [
        {"silent": "b"},  # late at the deadline, and not yet silent
        {"silent": "ab"},
        {"silent": "b", "stuck": "a"},
    ],
    ids=str,
)
def test_a_deadline_that_passes_while_a_worker_is_late_names_the_cluster(
    played: Callable[..., Played], monkeypatch: pytest.MonkeyPatch, properties: dict[str, str]
) -> None:
    from deltawire_service.cluster.dispatching import heartbeats

    monkeypatch.setattr(heartbeats, "SILENT_SECONDS", 60.0)
    with pytest.raises(ClusterUnavailable):
        played(**properties).compute(seconds=0.5)


def test_a_deadline_that_passes_after_a_worker_was_removed_names_the_cluster(
    played: Callable[..., Played],
) -> None:
    one = played(silent="b", stuck="a")
    with pytest.raises(ClusterUnavailable):
        one.compute(seconds=0.6)
    assert one.part.removed == ["b"]


def test_a_deadline_that_passes_after_tasks_were_lost_names_the_cluster(
    played: Callable[..., Played], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = played(stuck="b")
    submit = one.part.submit

    def submit_and_lose(tasks: Sequence[bytes], keys: Sequence[str], fingerprint: str) -> list[Mock]:
        one.part.losses.watch(keys)
        one.part.losses.on_event((0.0, {"processing-tasks": {keys[1]}}))
        return submit(tasks, keys, fingerprint)

    monkeypatch.setattr(one.part, "submit", submit_and_lose)
    with pytest.raises(ClusterUnavailable):
        one.compute(seconds=0.3)


def test_a_deadline_that_passes_here_without_any_worker_names_the_cluster(
    played: Callable[..., Played],
) -> None:
    none = played(run_here=run_late)
    none.part.removed += ["a", "b"]
    with pytest.raises(ClusterUnavailable):
        none.compute(seconds=0.1)


def test_a_deadline_that_passes_while_the_scheduler_does_not_answer_names_the_cluster(
    played: Callable[..., Played], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Part, "answer_seconds", 0.6)
    with pytest.raises(ClusterUnavailable):
        played(answers=False).compute(seconds=0.5)

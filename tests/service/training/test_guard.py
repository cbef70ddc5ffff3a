"""Computations of the trainer reserve what they are planned to take, and are watched."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from deltawire_service.admission.compute_queue import Overloaded
from deltawire_service.admission.memory_shares import TRAINER, MemoryShares
from deltawire_service.engine import run_now
from deltawire_service.training.guard import Guard
from deltawire_service.training.watchdog import Watchdog

ROOM = 100


def plan(peak: int) -> Any:
    return SimpleNamespace(peak_bytes=peak)


def test_memory_is_kept_until_the_block_ends() -> None:
    shares = MemoryShares()
    worker = shares.share(1)
    worker.add_room(ROOM)
    guard = Guard(memory=shares.share(TRAINER))
    run = guard.guarding(run_now)
    with guard.computing():
        assert run(lambda: worker.hold_beside_trainer(ROOM - 59), plan(60)) is False
        assert run(lambda: 3) == 3
        assert worker.hold_beside_trainer(ROOM - 60)
    assert worker.hold_beside_trainer(ROOM)


def test_nothing_is_computed_while_requests_hold_the_memory() -> None:
    shares = MemoryShares()
    worker = shares.share(1)
    worker.add_room(ROOM)
    worker.hold(1)
    guard, computed = Guard(memory=shares.share(TRAINER)), list[int]()
    with guard.computing(), pytest.raises(Overloaded):
        guard.guarding(run_now)(lambda: computed.append(1), plan(ROOM))
    assert computed == []


def test_memory_is_given_back_after_an_error() -> None:
    shares = MemoryShares()
    worker = shares.share(1)
    worker.add_room(ROOM)
    guard = Guard(memory=shares.share(TRAINER))
    with pytest.raises(ZeroDivisionError), guard.computing():
        guard.guarding(run_now)(lambda: 1 // 0, plan(ROOM))
    assert worker.hold_beside_trainer(ROOM)


def test_every_computation_is_progress() -> None:
    noted = list[int]()

    class Noting(Watchdog):
        def note_progress(self) -> None:
            noted.append(1)

    run = Guard(Noting()).guarding(run_now)
    assert [run(lambda: 1), run(lambda: 2, plan(10**12))] == [1, 2]
    assert len(noted) == 2

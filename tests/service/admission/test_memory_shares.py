"""The trainer computes where requests leave room, and a request is refused only where both do not fit."""

from __future__ import annotations

import subprocess
import sys

import pytest

from deltawire_service.admission.memory_shares import PROCESSES, TRAINER, MemoryShare, MemoryShares

ROOM = 100


@pytest.fixture
def shares() -> MemoryShares:
    return MemoryShares()


def workers(shares: MemoryShares, number: int = 2) -> list[MemoryShare]:
    """Workers of which each may hold `ROOM`."""
    made = [shares.share(1 + each) for each in range(number)]
    for share in made:
        share.add_room(ROOM)
    return made


def test_a_step_takes_what_the_workers_leave(shares: MemoryShares) -> None:
    first, second = workers(shares)
    trainer = shares.share(TRAINER)
    assert first.hold_beside_trainer(ROOM) and second.hold_beside_trainer(40)
    assert not trainer.reserve(61)
    assert trainer.reserve(60)
    second.hold(0)
    trainer.hold(0)
    assert trainer.reserve(ROOM)


def test_a_step_that_waits_holds_nothing(shares: MemoryShares) -> None:
    (worker,) = workers(shares, 1)
    worker.hold(1)
    assert not shares.share(TRAINER).reserve(ROOM)
    assert worker.hold_beside_trainer(ROOM)


def test_workers_alone_are_not_refused(shares: MemoryShares) -> None:
    first, second = workers(shares)
    assert first.hold_beside_trainer(3 * ROOM) and second.hold_beside_trainer(ROOM)


def test_the_steps_of_a_group_keep_their_memory(shares: MemoryShares) -> None:
    (worker,) = workers(shares, 1)
    trainer = shares.share(TRAINER)
    assert trainer.reserve(60)
    assert not worker.hold_beside_trainer(50)
    assert trainer.reserve(60) and trainer.reserve(10)


def test_a_request_that_is_refused_goes_before_the_next_step(shares: MemoryShares) -> None:
    (worker,) = workers(shares, 1)
    trainer = shares.share(TRAINER)
    assert trainer.reserve(60)
    assert worker.hold_beside_trainer(40)
    assert not worker.hold_beside_trainer(41)
    trainer.hold(0)
    worker.hold(0)
    assert not trainer.reserve(60)  # once: the request may not come again
    assert trainer.reserve(60)


def test_a_request_that_is_refused_holds_what_it_held_before(shares: MemoryShares) -> None:
    (worker,) = workers(shares, 1)
    trainer = shares.share(TRAINER)
    assert worker.hold_beside_trainer(40) and trainer.reserve(60)
    assert not worker.hold_beside_trainer(41)
    trainer.hold(0)
    assert not trainer.reserve(60)
    assert not trainer.reserve(61) and trainer.reserve(60)


def test_a_process_that_has_ended_is_forgotten(shares: MemoryShares) -> None:
    first, second = workers(shares)
    first.hold(ROOM)
    trainer = shares.share(TRAINER)
    shares.clear(1)
    assert not trainer.reserve(ROOM + 1)  # its room is gone, too
    assert trainer.reserve(ROOM)
    assert not second.hold_beside_trainer(1)
    shares.clear(TRAINER)
    assert second.hold_beside_trainer(1)


def test_a_child_shares_the_page_by_its_descriptor(shares: MemoryShares) -> None:
    (worker,) = workers(shares, 1)
    program = "import sys; from deltawire_service.admission.memory_shares import MemoryShares\n"
    program += "share = MemoryShares(int(sys.argv[1])).share(0)\n"
    program += "print(share.reserve(100), share.reserve(101), share.reserve(60), 'numpy' in sys.modules)"
    command = [sys.executable, "-c", program, str(shares.descriptor)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, pass_fds=[shares.descriptor])
    assert ended.stdout == "True False True False\n"
    assert worker.hold_beside_trainer(40) and not worker.hold_beside_trainer(41)


def test_there_is_a_share_for_every_process(shares: MemoryShares) -> None:
    last = shares.share(PROCESSES - 1)
    last.add_room(ROOM)
    last.hold(ROOM)
    assert not shares.share(TRAINER).reserve(1)

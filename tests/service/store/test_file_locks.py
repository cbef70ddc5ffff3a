"""Locks: first come, first served in a process; freed by the kernel when a process dies."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread

import pytest

from deltawire_service.store.errors import LockBusy, StoreUnavailable
from deltawire_service.store.file_locks import FileLocks, shared_lock

HOLDER = """
import sys, time
from pathlib import Path
from deltawire_service.store.file_locks import FileLocks
with FileLocks().exclusive(Path(sys.argv[1]), time.monotonic() + 10):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "lock"
    path.touch()
    return path


def soon(seconds: float = 10) -> float:
    return time.monotonic() + seconds


def test_threads_get_a_lock_in_the_order_they_came(path: Path) -> None:
    locks, order = FileLocks(), list[int]()

    def hold(number: int, waiting: Event) -> None:
        waiting.set()
        with locks.exclusive(path, soon()):
            order.append(number)

    threads = []
    with locks.exclusive(path, soon()):
        for number in range(12):
            waiting = Event()
            threads.append(Thread(target=hold, args=(number, waiting)))
            threads[-1].start()
            waiting.wait()
            time.sleep(0.005)  # from the event into the queue
    for thread in threads:
        thread.join()
    assert order == list(range(12))


def test_two_processes_do_not_hold_a_lock_and_death_frees_it(path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout and holder.stdout.readline() == "held\n"
    locks, began = FileLocks(), time.monotonic()
    with pytest.raises(LockBusy), locks.exclusive(path, soon(0.05)):
        pass
    with pytest.raises(LockBusy), shared_lock(path):
        pass
    assert time.monotonic() - began < 1
    holder.kill()
    holder.communicate()
    with locks.exclusive(path, soon()):
        pass


def test_a_waiter_that_gives_up_leaves_the_queue(path: Path) -> None:
    locks = FileLocks()
    with locks.exclusive(path, soon()):
        with pytest.raises(LockBusy), locks.exclusive(path, soon(0.02)):
            pass
    with locks.exclusive(path, soon(0)):  # free: no waiting, so also at the deadline
        pass


def test_who_comes_after_one_that_gave_up_gets_its_turn(path: Path) -> None:
    locks, entered = FileLocks(), Event()

    def give_up() -> None:
        with pytest.raises(LockBusy), locks.exclusive(path, soon(0.05)):
            pass

    def enter() -> None:
        with locks.exclusive(path, soon()):
            entered.set()

    threads = [Thread(target=give_up), Thread(target=enter)]
    with locks.exclusive(path, soon()):
        for thread in threads:
            thread.start()
            time.sleep(0.02)
        threads[0].join()
        assert not entered.is_set()
    threads[1].join(5)
    assert entered.is_set()


def test_shared_locks_go_together_and_exclude_others(path: Path) -> None:
    locks = FileLocks()
    with shared_lock(path), shared_lock(path):
        with pytest.raises(LockBusy), locks.exclusive(path, soon(0.02)):
            pass
    with locks.exclusive(path, soon()), pytest.raises(LockBusy), shared_lock(path):
        pass


def test_who_shares_a_lock_waits_for_its_holder(path: Path) -> None:
    locks, released_at = FileLocks(), list[float]()

    def hold() -> None:
        with locks.exclusive(path, soon()):
            held.set()
            time.sleep(0.05)
            released_at.append(time.monotonic())

    held = Event()
    holder = Thread(target=hold)
    holder.start()
    held.wait()
    with shared_lock(path, soon()):
        assert released_at
    holder.join()


def test_no_descriptor_is_left_open(path: Path) -> None:
    locks = FileLocks()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        with locks.exclusive(path, soon()), pytest.raises(LockBusy), shared_lock(path):
            pass
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable), FileLocks().exclusive(tmp_path / "none", soon()):
        pass


def test_only_so_many_threads_wait_for_long(path: Path) -> None:
    locks, entered, refused = FileLocks(most_patient=2), list[int](), list[str]()

    def hold(number: int) -> None:
        try:
            with locks.exclusive(path, soon(), patient=True):
                entered.append(number)
        except LockBusy as busy:
            refused.append(str(busy))

    threads = [Thread(target=hold, args=(number,)) for number in range(5)]
    with locks.exclusive(path, soon(), patient=True):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(0.2)
        assert len(refused) == 3 and "too many" in refused[0]
        with pytest.raises(LockBusy, match="^$"), locks.exclusive(path, soon(0.02)):
            pass  # whoever holds other locks only for a moment is not counted
    for thread in threads:
        thread.join()
    assert len(entered) == 2
    with locks.exclusive(path, soon(), patient=True):
        pass

"""So many bodies are parsed at once; the next ones wait until their deadlines."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock

import pytest

from deltawire_service.admission.parsing_turns import ParsingTurns
from deltawire_service.engine import DeadlineExceeded, call_until


@pytest.mark.parametrize("at_once", [1, 2])
def test_so_many_have_a_turn_at_once(at_once: int) -> None:
    turns, lock, running, most = ParsingTurns(at_once), Lock(), [0], [0]
    meeting = Barrier(at_once)

    def parse(_: int) -> None:
        with turns.take():
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            meeting.wait(30)  # as many as may come, or it breaks
            with lock:
                running[0] -= 1

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(parse, range(8)))
    assert most[0] == at_once and not meeting.broken


def test_who_waits_until_the_deadline_is_told() -> None:
    turns = ParsingTurns(1)

    def wait() -> None:
        with turns.take():
            raise AssertionError("it has a turn")

    with turns.take(), pytest.raises(DeadlineExceeded):
        call_until(time.monotonic() + 0.05, wait)
    with pytest.raises(ValueError, match="broken"), turns.take():
        raise ValueError("broken")
    with turns.take():  # the turn was given back
        pass

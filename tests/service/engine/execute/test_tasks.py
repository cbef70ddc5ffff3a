"""Tasks: each is made once, by whoever begins it first."""

from __future__ import annotations

import gc
import weakref
from threading import Event, Thread, get_ident

import pytest

from deltawire_service.engine.execute.tasks import Task, end_all


def test_a_task_is_made_once() -> None:
    calls = list[int]()
    task = Task(lambda: calls.append(1))
    for _ in range(3):
        task.begin()
    task.result()
    assert calls == [1] and task.ended()


def test_whoever_wants_the_result_of_a_task_makes_it() -> None:
    task = Task(get_ident)
    assert not task.ended()
    assert task.result() == get_ident()


def test_whoever_wants_the_result_waits_for_the_thread_that_has_begun() -> None:
    begun, release = Event(), Event()

    def compute() -> int:
        begun.set()
        assert release.wait(10)
        return get_ident()

    task = Task(compute)
    thread = Thread(target=task.begin)
    thread.start()
    assert begun.wait(10) and not task.ended()
    release.set()
    assert task.result() == thread.ident
    thread.join()


def test_a_task_that_fails_raises_when_its_result_is_wanted() -> None:
    task = Task(lambda: 1 / 0)
    task.begin()
    assert task.failed() and task.ended()
    with pytest.raises(ZeroDivisionError):
        task.result()
    assert not task.failed()


class Numbers:
    """What a failing call holds."""


@pytest.mark.parametrize("begun", [True, False])
def test_an_error_holds_nothing_when_it_is_gone(begun: bool) -> None:
    held = list[weakref.ref[Numbers]]()

    def compute() -> None:
        numbers = Numbers()
        held.append(weakref.ref(numbers))
        raise ArithmeticError

    gc.disable()
    try:
        task = Task(compute)
        if begun:
            thread = Thread(target=task.begin)
            thread.start()
            thread.join()
        with pytest.raises(ArithmeticError) as caught:
            task.result()
        del caught, task
        assert held[0]() is None
    finally:
        gc.enable()


def test_cancelled_tasks_are_not_made() -> None:
    calls = list[int]()
    ended, cancelled = Task(lambda: calls.append(1)), Task(lambda: calls.append(2))
    ended.begin()
    both = [ended, cancelled]
    end_all(both)
    cancelled.begin()
    assert calls == [1] and both == []

"""Computations and answers that are not yet sent share the memory of a process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, Response
from werkzeug.test import EnvironBuilder

from deltawire_service.admission.answer_memory import SMALL_PLAN, SPARE, AnswerMemory
from deltawire_service.admission.compute_queue import Overloaded
from deltawire_service.admission.memory_shares import TRAINER, MemoryShares
from deltawire_service.http.request_context import RequestContext, current_request, request_middleware

ROOM = 2**23


def plan(peak: int) -> Any:
    return SimpleNamespace(peak_bytes=peak, operations=0)


class Serving:
    """An application whose requests compute with the plans they are told."""

    def __init__(self) -> None:
        self.memory = AnswerMemory(ROOM)
        self.held = list[int]()
        """Bytes held as each computation ran."""
        self.run = self.memory.counting(lambda compute, plan=None: compute())
        self.app = Flask(__name__)
        request_middleware(self.app, (), (self.memory.on_response,), self.memory.on_request_end)

        @self.app.get("/<int:peak>/<int:answer>")
        def view(peak: int, answer: int) -> Response:
            self.run(lambda: self.held.append(self.memory.held_bytes), plan(peak))
            return Response(bytes(answer))

        @self.app.errorhandler(Overloaded)
        def refused(error: Overloaded) -> tuple[str, int]:
            return str(error), 503

    @contextmanager
    def opened(self, path: str) -> Iterator[int]:
        """The status of an answer that nobody has read; it is sent when the block ends."""
        statuses = list[str]()
        environ = EnvironBuilder(path=path).get_environ()
        body: Any = self.app(environ, lambda status, headers, exc_info=None: statuses.append(status))
        yield int(statuses[0][:3])
        body.close()

    @contextmanager
    def answered(self, peak: int, answer: int) -> Iterator[int]:
        """The same, of an answer of so many bytes to a request with such a plan."""
        with self.opened(f"/{peak}/{answer}") as status:
            yield status


def test_a_plan_is_held_then_its_answer_until_it_is_sent() -> None:
    serving = Serving()
    with serving.answered(1000, 10):
        assert serving.held == [1000] and serving.memory.held_bytes == 10
    assert serving.memory.held_bytes == 0


def test_an_answer_from_files_holds_what_is_in_memory() -> None:
    serving = Serving()

    @serving.app.get("/stream")
    def stream() -> Response:
        current_request().memory_bytes = 100
        return Response(bytes(10**6))

    with serving.opened("/stream") as status:
        assert (status, serving.memory.held_bytes) == (200, 100)
        with serving.answered(ROOM - 100, 0) as fits, serving.answered(ROOM - 99, 0) as beyond:
            assert (fits, beyond) == (200, 503)
    assert serving.memory.held_bytes == 0


def test_what_others_hold_leaves_less_room() -> None:
    serving = Serving()
    with serving.answered(ROOM // 2, ROOM // 4) as first, serving.answered(ROOM // 2, ROOM // 4) as second:
        assert (first, second) == (200, 200)
        with serving.answered(ROOM // 2, 0) as third, serving.answered(ROOM // 2 + 1, 0) as fourth:
            assert (third, fourth) == (200, 503)
    assert serving.memory.held_bytes == 0
    with serving.answered(ROOM, 0) as alone:
        assert alone == 200


def test_one_alone_is_admitted_whatever_its_plan() -> None:
    with Serving().answered(2 * ROOM, 0) as status:
        assert status == 200


def test_small_plans_have_some_room_of_their_own() -> None:
    serving = Serving()
    with serving.answered(ROOM, ROOM):
        for peak, status in ((SMALL_PLAN, 200), (SMALL_PLAN + 1, 503)):
            with serving.answered(peak, 0) as small:
                assert small == status
        with serving.answered(SMALL_PLAN, SPARE), serving.answered(SMALL_PLAN, 0) as beyond:
            assert beyond == 503


def test_a_request_holds_its_largest_plan_once() -> None:
    serving = Serving()
    seen = list[int]()

    def several(compute: Callable[[], Any], given: Any = None) -> Any:
        return compute()

    run = serving.memory.counting(several)

    @serving.app.get("/twice")
    def twice() -> str:
        for peak in (700, 500):
            run(lambda: seen.append(serving.memory.held_bytes), plan(peak))
        run(lambda: seen.append(serving.memory.held_bytes))
        return ""

    serving.app.test_client().get("/twice").close()
    assert seen == [700, 700, 700] and serving.memory.held_bytes == 0


def test_a_body_holds_what_it_becomes_until_its_plan_takes_over() -> None:
    serving, context, other = Serving(), RequestContext({}), RequestContext({})
    serving.memory.admit_body(context, ROOM // 2)
    with pytest.raises(Overloaded, match=r"\(DELTAWIRE_ADMITTED_BYTES\)"):
        serving.memory.admit_body(other, ROOM // 2 + 1 + SMALL_PLAN)
    serving.memory.on_request_end(context)
    serving.memory.admit_body(other, ROOM)
    serving.memory.on_request_end(other)
    assert serving.memory.held_bytes == 0


def test_a_late_computation_holds_its_plan_until_it_ends() -> None:
    """Its request is answered, and ends, while it goes on in another thread."""
    serving = Serving()
    begun, release, ended = Event(), Event(), Event()

    def apart(compute: Callable[[], Any], given: Any = None) -> None:
        context = copy_context()

        def run() -> None:
            context.run(compute)
            ended.set()

        Thread(target=run, daemon=True).start()
        assert begun.wait(5)

    run = serving.memory.counting(apart)

    @serving.app.get("/late")
    def late() -> str:
        run(lambda: (begun.set(), release.wait(5)), plan(700))
        return "an answer"

    serving.app.test_client().get("/late").close()
    assert serving.memory.held_bytes == 700
    release.set()
    assert ended.wait(5) and serving.memory.held_bytes == 0


def test_what_is_not_computed_holds_nothing() -> None:
    serving = Serving()
    serving.app.test_client().get("/nowhere").close()
    assert serving.memory.held_bytes == 0


def test_work_without_a_request_holds_nothing() -> None:
    serving = Serving()
    assert serving.run(lambda: serving.memory.held_bytes, plan(2 * ROOM + 2 * SPARE)) == 0


def test_a_step_of_the_trainer_leaves_less_room_and_other_requests_go_on() -> None:
    serving, shares = Serving(), MemoryShares()
    serving.memory.share(shares.share(1))
    trainer = shares.share(TRAINER)
    assert trainer.reserve(ROOM + SPARE - 1000)
    with serving.answered(1001, 0) as beyond, serving.answered(1000, 10) as fits:
        assert (beyond, fits) == (503, 200)
        trainer.hold(0)
        assert not trainer.reserve(1)  # the request that was refused may come again
        assert not trainer.reserve(ROOM + SPARE - 9) and trainer.reserve(ROOM + SPARE - 10)
    trainer.hold(0)
    assert serving.memory.held_bytes == 0 and trainer.reserve(ROOM + SPARE)


def test_requests_have_all_the_room_while_no_step_goes_on() -> None:
    serving, shares = Serving(), MemoryShares()
    serving.memory.share(shares.share(1))
    with serving.answered(2 * ROOM, ROOM) as alone, serving.answered(SMALL_PLAN, SPARE) as small:
        assert (alone, small) == (200, 200)

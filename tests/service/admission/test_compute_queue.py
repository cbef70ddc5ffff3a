"""ComputeQueue: so many at once, a short queue, deadlines, and layers that hang."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event, get_ident
from time import monotonic, sleep
from types import SimpleNamespace
from typing import Any
from weakref import ref

import pytest
from flask.testing import FlaskClient
from support.layers import failing, registry
from support.posting import good, pointwise

from deltawire_service.admission import compute_queue as module
from deltawire_service.admission.compute_queue import FIXED_COST, SMALL_COST, ComputeQueue, Overloaded
from deltawire_service.app import create_app
from deltawire_service.engine import DeadlineExceeded, check_deadline, current_deadline
from deltawire_service.settings import Settings


def make(count: int = 1, queue_seconds: float = 5.0, seconds: float = 30.0, **options: Any) -> ComputeQueue:
    return ComputeQueue(count, queue_seconds, 100, lambda: monotonic() + seconds, **options)


def plan(cost: int = 1, size: int = 1) -> Any:
    return SimpleNamespace(operations=cost, peak_bytes=size)


@contextmanager
def busy(compute_queue: ComputeQueue, count: int = 1) -> Iterator[list[Future[str]]]:
    """That many computations hold slots until the block ends."""
    release = Event()
    began = [Event() for _ in range(count)]

    def hold(begun: Event) -> str:
        begun.set()
        assert release.wait(10)
        return "held"

    with ThreadPoolExecutor(count) as callers:
        try:
            yield [callers.submit(compute_queue, lambda b=begun: hold(b), plan()) for begun in began]
        finally:
            release.set()


def until(condition: Callable[[], bool]) -> None:
    end = monotonic() + 5
    while not condition():
        assert monotonic() < end
        sleep(0.002)


def test_it_gives_what_is_computed_and_raises_what_is_raised() -> None:
    compute_queue = make()
    assert compute_queue(lambda: current_deadline() - monotonic()) == pytest.approx(30, abs=1)
    with pytest.raises(SystemExit):
        compute_queue(lambda: (_ for _ in ()).throw(SystemExit))
    assert compute_queue(lambda: 2) == 2


def test_no_more_compute_at_once_than_there_are_slots() -> None:
    compute_queue, run_now = make(count=2), list[int]()
    now = [0]

    def compute() -> None:
        now[0] += 1
        run_now.append(now[0])
        sleep(0.01)
        now[0] -= 1

    with ThreadPoolExecutor(8) as callers:
        for done in [callers.submit(compute_queue, compute) for _ in range(20)]:
            done.result()
    assert max(run_now) == 2


def test_who_waits_too_long_is_refused_and_not_computed_later() -> None:
    compute_queue, computed = make(queue_seconds=0.05), list[int]()
    with busy(compute_queue):
        until(lambda: len(compute_queue._running) == 1)
        started = monotonic()
        with pytest.raises(Overloaded) as refused:
            compute_queue(lambda: computed.append(1))
        assert 0.04 < monotonic() - started < 0.5
        assert refused.value.retry_after >= 1 and "(DELTAWIRE_QUEUE_SECONDS)" in str(refused.value)
    assert compute_queue(lambda: "next") == "next" and computed == []


def test_what_is_expected_to_wait_too_long_is_refused_at_once() -> None:
    compute_queue = make(queue_seconds=0.2)
    compute_queue(
        lambda: sleep(0.1), plan(cost=99 * FIXED_COST)
    )  # a thousandth of a second for each FIXED_COST
    release = Event()
    with ThreadPoolExecutor(1) as caller:
        caller.submit(compute_queue, lambda: release.wait(10), plan(cost=2_499 * FIXED_COST))
        until(lambda: len(compute_queue._running) == 1)
        started = monotonic()
        with pytest.raises(Overloaded) as refused:
            compute_queue.check_capacity()
        with pytest.raises(Overloaded):
            compute_queue(lambda: None, plan())
        assert monotonic() - started < 0.1
        assert refused.value.retry_after == 3 and "(DELTAWIRE_QUEUE_SECONDS)" in str(refused.value)
        release.set()
    compute_queue.check_capacity()


def test_the_queue_is_bounded_by_planned_memory() -> None:
    compute_queue = make()
    with ThreadPoolExecutor(1) as callers, busy(compute_queue) as saved:
        until(lambda: len(compute_queue._running) == 1)
        waits = callers.submit(compute_queue, lambda: "waited", plan(size=1000))  # whatever it takes, alone
        until(lambda: compute_queue.waiting == 1)
        with pytest.raises(Overloaded, match=r"\(DELTAWIRE_QUEUE_BYTES\)"):
            compute_queue(lambda: None, plan(size=1))
        assert not saved[0].done() and not waits.done()
    assert waits.result() == "waited"


def test_after_the_deadline_nothing_begins() -> None:
    with pytest.raises(DeadlineExceeded):
        make(seconds=0.0)(lambda: pytest.fail("computed"))


def work_until(ended: Event, look: bool = True) -> None:
    """Work until an event, and then look at the deadline."""
    assert ended.wait(10)
    if look:
        check_deadline()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer without a late computation right after the deadline."""
    monkeypatch.setattr(module, "GRACE", 0.05)


def test_a_computation_that_hangs_is_given_up_and_the_next_one_computes(soon: None) -> None:
    reports, release = list[float](), Event()
    compute_queue = make(seconds=0.1, hang_seconds=1, hung=lambda: reports.append(monotonic()))
    started = monotonic()
    with pytest.raises(DeadlineExceeded):
        compute_queue(lambda: release.wait(10))
    assert 0.1 < monotonic() - started < 1 and reports == []  # it is only late yet
    assert compute_queue(lambda: "next") == "next"
    until(lambda: bool(reports))
    assert 1.1 <= reports[0] - started < 5
    release.set()
    assert compute_queue(lambda: "last") == "last" and len(reports) == 1


def test_a_late_computation_that_looks_at_the_deadline_does_not_hang(soon: None) -> None:
    reports, release, looked = list[str](), Event(), Event()
    compute_queue = make(seconds=0.1, hang_seconds=0.5, hung=lambda: reports.append("hung"))

    def late() -> None:
        try:
            work_until(release)
        finally:
            looked.set()

    with pytest.raises(DeadlineExceeded):
        compute_queue(late)
    release.set()
    assert looked.wait(5)
    until(lambda: not compute_queue._late)
    sleep(0.6)
    assert reports == [] and compute_queue(lambda: "next") == "next"


def test_no_more_late_computations_go_on_beside_others_than_run_at_once(soon: None) -> None:
    """A second late one keeps its place until it ends, since it has memory, too."""
    release, reports = Event(), list[str]()
    compute_queue = make(seconds=0.1, queue_seconds=0.02, hung=lambda: reports.append("hung"))
    for _ in range(2):
        with pytest.raises(DeadlineExceeded):
            compute_queue(lambda: work_until(release))
    with pytest.raises(Overloaded):
        compute_queue(lambda: "no place")
    release.set()
    until(lambda: not compute_queue._late and not compute_queue._running)
    assert compute_queue(lambda: "next") == "next" and reports == []


def test_a_late_computation_that_keeps_its_place_loses_it_when_it_hangs(soon: None) -> None:
    release, reports = Event(), list[str]()
    compute_queue = make(
        seconds=0.1, queue_seconds=0.02, hang_seconds=0.3, hung=lambda: reports.append("hung")
    )
    for _ in range(2):
        with pytest.raises(DeadlineExceeded):
            compute_queue(lambda: release.wait(10))
    until(lambda: len(reports) == 2)
    assert compute_queue(lambda: "next") == "next"
    release.set()
    until(lambda: not compute_queue._late)


def test_a_late_computation_takes_no_thread_with_it(soon: None) -> None:
    release, deadline = Event(), [0.1]
    compute_queue = ComputeQueue(3, 5.0, 100, lambda: monotonic() + deadline[0], hung=lambda: None)
    with pytest.raises(DeadlineExceeded):
        compute_queue(lambda: work_until(release))
    release.set()
    until(lambda: not compute_queue._late)
    deadline[0] = 30.0
    together = Barrier(3)
    with ThreadPoolExecutor(3) as callers:  # three at once again
        asked = [callers.submit(compute_queue, lambda: together.wait(5), plan()) for _ in range(3)]
        assert sorted(each.result() for each in asked) == [0, 1, 2]


def test_a_computation_that_has_no_room_teaches_nothing_about_speed() -> None:
    compute_queue = make()

    def refused() -> None:
        raise Overloaded(1)

    with pytest.raises(Overloaded):
        compute_queue(refused, plan(cost=10**15))
    assert compute_queue._past_seconds == 0


def test_a_computation_that_was_cut_off_teaches_nothing_about_speed() -> None:
    compute_queue = make(seconds=0.05)
    with pytest.raises(DeadlineExceeded):
        compute_queue(lambda: (sleep(0.1), check_deadline()), plan(cost=10**15))
    assert compute_queue._past_seconds == 0


def test_the_arrays_of_a_failed_computation_are_freed_at_once() -> None:
    """Workers collect garbage rarely: a cycle would keep the memory of a computation that is cut off."""

    class Big:
        """Stands for an array of a frame."""

    compute_queue, bigs = make(seconds=0.05), list[ref[Big]]()

    def compute() -> None:
        big = Big()
        bigs.append(ref(big))
        sleep(0.1)
        check_deadline()

    gc.disable()
    try:
        for run in (compute_queue, compute_queue.run_inline):
            with pytest.raises(DeadlineExceeded):
                run(compute, plan())
        until(lambda: not any(big() for big in bigs))
    finally:
        gc.enable()


def test_a_little_is_computed_where_it_is_asked_for_and_much_is_not() -> None:
    compute_queue = make()
    assert compute_queue.run_inline(lambda: get_ident(), plan(cost=SMALL_COST)) == get_ident()
    assert compute_queue.run_inline(lambda: get_ident(), plan(cost=SMALL_COST + 1)) != get_ident()
    assert compute_queue.run_inline(lambda: get_ident()) != get_ident()  # nothing is known of what it takes
    with pytest.raises(SystemExit):
        compute_queue.run_inline(lambda: (_ for _ in ()).throw(SystemExit), plan())
    with pytest.raises(DeadlineExceeded):
        make(seconds=0.0).run_inline(lambda: pytest.fail("computed"), plan())
    assert not compute_queue._running


def test_what_is_computed_there_holds_a_slot_and_hands_it_on() -> None:
    compute_queue, order = make(), list[str]()
    with ThreadPoolExecutor(2) as callers:
        with busy(compute_queue):
            until(lambda: len(compute_queue._running) == 1)
            waits = callers.submit(compute_queue.run_inline, lambda: get_ident(), plan())
            until(lambda: compute_queue.waiting == 1)
        assert waits.result(5) != get_ident()
        begun, release = Event(), Event()
        first = callers.submit(
            compute_queue.run_inline, lambda: (begun.set(), release.wait(5), order.append("first")), plan()
        )
        assert begun.wait(5)
        second = callers.submit(compute_queue, lambda: order.append("second"), plan())
        until(lambda: compute_queue.waiting == 1)
        release.set()
        first.result(5), second.result(5)
    assert order == ["first", "second"]


def test_only_layers_of_our_own_are_computed_in_the_thread_of_their_request() -> None:
    found = list[int]()
    seen = failing("delta", lambda delta: (found.append(get_ident()), delta)[1])
    assert client_with(seen).post("/v1/gradients", json=pointwise("odd", 1.0)).status_code == 200
    assert found and get_ident() not in found
    app = create_app(Settings())
    client, compute_queue = app.test_client(), app.extensions["deltawire"].compute_queue
    assert client.post("/v1/gradients", json=good()).status_code == 200  # compiled in a thread of its own
    compute_queue._work.notify = lambda: pytest.fail("handed over")
    assert client.post("/v1/gradients", json=good()).status_code == 200


def client_with(kind: Any, **settings: Any) -> FlaskClient:
    return create_app(Settings(**settings), registry(odd=kind)).test_client()


@pytest.mark.parametrize("phase", ["config", "shape", "forward", "signal", "delta"])
def test_a_layer_that_hangs_is_answered_for_in_every_phase(phase: str) -> None:
    release = Event()

    def hang(x: Any = None) -> Any:
        release.wait(10)
        return x

    client = client_with(failing(phase, hang))
    started = monotonic()
    answer = client.post("/v1/gradients", json=pointwise("odd", 1.0), headers={"Deltawire-Deadline": "0.1"})
    assert (answer.status_code, answer.json["code"]) == (504, "deadline_exceeded")
    assert monotonic() - started < 1.1
    assert client.post("/v1/gradients", json=good()).status_code == 200
    release.set()


def test_the_deadline_is_noticed_between_two_nodes() -> None:
    """The first node takes longer than there is; the slot is free again without any thread given up."""
    app = create_app(Settings(), registry(odd=failing("delta", lambda delta: (sleep(0.2), delta)[1])))
    app.extensions["deltawire"].compute_queue.hung = lambda: pytest.fail("given up")
    request = pointwise("odd", 1.0)
    request["network"]["nodes"].insert(0, {"kind": "sigmoid"})
    answer = app.test_client().post("/v1/gradients", json=request, headers={"Deltawire-Deadline": "0.1"})
    assert (answer.status_code, answer.json["code"]) == (504, "deadline_exceeded")


@pytest.mark.parametrize("given", ["", "-1", "1e3", "inf", "nan", "1 ", "٣", "1" * 7, "0.1234567"])
def test_a_deadline_that_is_no_number_is_refused(given: str) -> None:
    client = create_app(Settings()).test_client()
    answer = client.post(
        "/v1/gradients", json=good(), headers={"Deltawire-Deadline": given.encode().decode("latin-1")}
    )
    assert (answer.status_code, answer.json["code"]) == (400, "deadline_invalid")


def test_a_header_can_only_shorten_the_deadline() -> None:
    client = create_app(Settings(deadline_seconds=0.0)).test_client()
    answer = client.post("/v1/gradients", json=good(), headers={"Deltawire-Deadline": "100"})
    assert answer.json["code"] == "deadline_exceeded"


def test_a_refusal_says_when_to_come_again() -> None:
    release = Event()
    app = create_app(Settings(queue_seconds=0.02), registry(odd=failing("shape", lambda _: release.wait(10))))
    with ThreadPoolExecutor(1) as caller:
        caller.submit(app.test_client().post, "/v1/gradients", json=pointwise("odd", 1.0))
        until(lambda: len(app.extensions["deltawire"].compute_queue._running) == 1)
        answer = app.test_client().post("/v1/gradients", json=good())
        release.set()
    assert (answer.status_code, answer.json["code"]) == (503, "overloaded")
    assert int(answer.headers["Retry-After"]) >= 1


def test_readiness_has_a_reason() -> None:
    app = create_app(Settings())
    client = app.test_client()
    assert client.get("/readyz").status_code == 200
    app.extensions["deltawire"].readiness.stopping = lambda: True
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["code"], answer.json["detail"]) == (503, "not_ready", "draining")
    assert client.get("/livez").status_code == 200


def test_what_no_thread_comes_to_before_the_deadline_is_not_answered(
    monkeypatch: pytest.MonkeyPatch, soon: None
) -> None:
    monkeypatch.setattr(ComputeQueue, "_add_thread", lambda self: None)  # none gets a core
    compute_queue = make(seconds=0.1, queue_seconds=0.05)
    with pytest.raises(DeadlineExceeded):
        compute_queue(lambda: "late")
    assert compute_queue.waiting == 0

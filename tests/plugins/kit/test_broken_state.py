"""Layers that keep, share or forget: state, threads, other batches, hangs, memory."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import partial
from itertools import count
from queue import SimpleQueue
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from support.broken_layers import Array, OneInput, caught
from support.made_layers import Case, broken_test, made, twice

from deltawire_layers import Activation, ConformanceError, Layer, Parameter, check_layer
from deltawire_layers.initializers import ones
from deltawire_layers.kit.memory.saved import measure

DELTA, VALUE = "δ of input 0", "value"
WIDE = ((16,),)


def of_batch(change: Any) -> Layer:
    """y = 2x, whose value is changed by the size of the batch."""
    return made(lambda params, x: Activation(2 * change(x), deltas=(lambda delta: 2 * delta,)))


def delta_of_batch(change: Any) -> Layer:
    return twice(deltas=(lambda delta: 2 * change(delta),))


def bias(change: Any) -> Layer:
    """y = x + b, whose gradient is changed by the size of the batch."""
    return made(
        lambda params, x: Activation(x + params["b"], deltas=(lambda delta: delta,), grads={"b": change}),
        parameters=lambda self, x: {"b": Parameter(x, ones)},
    )


BATCHES = {
    "only 32 rows": Case(2, DELTA, delta_of_batch(lambda d: d * (np.arange(len(d)) < 32)[:, None])),
    "value of large batches": Case(2, VALUE, of_batch(lambda x: x * (1 if len(x) < 32 else 1.5))),
    "value of two": Case(2, VALUE, of_batch(lambda x: x * (1 if len(x) != 2 else 1.5))),
    "value of one": Case(2, VALUE, of_batch(lambda x: x * (1 if len(x) != 1 else 1.5))),
    "value of an even batch": Case(2, VALUE, of_batch(lambda x: x * (1 + len(x) % 2))),
    "delta of large batches": Case(2, DELTA, delta_of_batch(lambda d: d * (1 if len(d) < 20 else 0.5))),
    "gradient leaves the rest of 8 out": Case(
        2, "gradient of 'b'", bias(lambda d: d[: 8 * (len(d) // 8) or None].sum(axis=0))
    ),
    "gradient of the first row": Case(2, "gradient of 'b'", bias(lambda d: d[0] * 1)),
    "gradient divided by the batch": Case(2, "gradient of 'b'", bias(lambda d: d.sum(axis=0) / len(d))),
    "normalized over the batch": Case(2, VALUE, of_batch(lambda x: x / (1 + (x * x).mean(axis=0)))),
    "sorted over the batch": Case(
        2, VALUE, of_batch(lambda x: np.take_along_axis(x, x.real.argsort(axis=0), 0))
    ),
    "rolled over the batch": Case(2, VALUE, of_batch(lambda x: np.roll(x, 1, axis=0))),
    "the last row for all": Case(2, VALUE, of_batch(lambda x: x[-1:] + 0 * x)),
    "running sum over the batch": Case(2, VALUE, of_batch(lambda x: x.cumsum(axis=0))),
    "delta of the other way round": Case(2, DELTA, delta_of_batch(lambda d: d[::-1])),
}


class Counting(OneInput):
    """y = 2x, counting its calls."""

    def __init__(self, **config: Any):
        super().__init__(**config)
        self.calls = 0

    def forward(self, params: Any, x: Array) -> Activation:
        self.calls += 1
        return Activation(2 * x, deltas=(lambda delta: 2 * delta,))


class ThreadLocal(OneInput):
    """y = x², saved for the thread of the forward pass."""

    def forward(self, params: Any, x: Array) -> Activation:
        local = threading.local()
        local.x = x
        return Activation(x * x, deltas=(lambda delta: 2 * delta * local.x,))


class LastInput(OneInput):
    """y = x², whose input is kept for all."""

    def forward(self, params: Any, x: Array) -> Activation:
        LAST["x"] = x
        return Activation(x * x, deltas=(lambda delta: 2 * delta * LAST["x"],))


class SharedScratch(OneInput):
    """y = 2x, by numbers that all threads write to a place of their module."""

    def forward(self, params: Any, x: Array) -> Activation:
        LAST["scratch"] = 2 * x
        time.sleep(1e-4)  # as a long computation does, which lets other threads run
        return Activation(LAST["scratch"] * 1, deltas=(lambda delta: 2 * delta,))


class StartsThreads(OneInput):
    """y = 2x, and a thread that waits for an event."""

    def forward(self, params: Any, x: Array) -> Activation:
        threading.Thread(target=END.wait, daemon=True).start()
        return Activation(2 * x, deltas=(lambda delta: 2 * delta,))


LAST: dict[str, Array] = {}
END = threading.Event()
CALLS = count()

STATE = {
    "counting on self": Case(1, "self.calls", Counting()),
    "local to a thread": Case(1, DELTA, ThreadLocal()),
    "the last input of all": Case(1, DELTA, LastInput()),
    "scratch of a module": Case(1, VALUE, SharedScratch()),
    "numbers of a global generator": Case(
        1,
        VALUE,
        of_batch(lambda x: x * np.random.default_rng().uniform(0.5, 1, x.shape).astype(x.real.dtype)),
    ),
    "numbers of a counter": Case(1, VALUE, of_batch(lambda x: x + next(CALLS))),
    "the clock": Case(1, VALUE, of_batch(lambda x: x * float(time.perf_counter_ns() % 1000003))),
    "a delta that counts": Case(1, DELTA, twice(deltas=(lambda delta: 2 * delta + next(CALLS),))),
    "an input written to": Case(1, VALUE, of_batch(lambda x: np.multiply(x, 1, out=x))),
    "an input sorted in place": Case(1, VALUE, of_batch(lambda x: x.sort() or x)),
    "an input unlocked": Case(1, VALUE, of_batch(lambda x: x.view().setflags(write=True) or x)),
    "a delta filled": Case(1, DELTA, twice(deltas=(lambda delta: delta.fill(2) or delta,))),
}


def saving(keep: Any, take: Any = lambda kept: kept) -> Layer:
    """y = x², whose slope is kept in something and taken from it."""

    def forward(params: Any, x: Array) -> Activation:
        kept = keep(2 * x)
        return Activation(x * x, deltas=(lambda delta: delta * take(kept),))

    return made(forward)


class Box:
    """An object with an attribute."""

    def __init__(self, array: Array):
        self.array = array


class Slot:
    """An object with a slot."""

    __slots__ = ("array",)

    def __init__(self, array: Array):
        self.array = array


class Pair(NamedTuple):
    """A tuple with names."""

    array: Array
    other: int


@dataclass
class Record:
    """A record of records."""

    array: Array
    inner: Any = None


class Method:
    """An object whose method is an equation."""

    def __init__(self, slope: Array):
        self.slope = slope

    def __call__(self, delta: Array) -> Array:
        return delta * self.slope

    def equation(self, delta: Array) -> Array:
        return delta * self.slope


def equation_of(make: Any) -> Layer:
    """y = x², whose equation is made of its slope."""
    return made(lambda params, x: Activation(x * x, deltas=(make(2 * x),)))


def nested(slope: Array) -> Any:
    inner = lambda: slope  # noqa: E731
    return lambda delta: delta * inner()


def scratch(numbers: int) -> Layer:
    """y = 2x, whose equation works in a large array."""
    return twice(
        deltas=(
            lambda delta: 2 * delta + 0 * np.zeros((len(delta), numbers), delta.dtype).sum(axis=1)[:, None],
        )
    )


MEMORY = {
    "an attribute": Case(5, "saved", saving(Box, lambda kept: kept.array)),
    "a slot": Case(5, "saved", saving(Slot, lambda kept: kept.array)),
    "a list": Case(5, "saved", saving(lambda slope: [slope], lambda kept: kept[0])),
    "a dict of lists": Case(5, "saved", saving(lambda slope: {"a": [slope]}, lambda kept: kept["a"][0])),
    "a named tuple": Case(5, "saved", saving(lambda slope: Pair(slope, 1), lambda kept: kept.array)),
    "a dataclass in another": Case(
        5, "saved", saving(lambda s: Record(np.zeros(1), Record(s)), lambda kept: kept.inner.array)
    ),
    "a view of a larger array": Case(
        5, "saved", saving(lambda slope: np.concatenate([slope, slope], axis=1)[:, :3])
    ),
    "bytes": Case(
        5,
        "saved",
        saving(lambda s: (s.tobytes(), s.dtype, s.shape), lambda k: np.frombuffer(k[0], k[1]).reshape(k[2])),
    ),
    "a memoryview": Case(5, "saved", saving(lambda s: memoryview(s), lambda kept: np.asarray(kept))),
    "float numbers of Python": Case(
        5, "saved", saving(lambda s: (s.tolist(), s.dtype), lambda k: np.array(k[0], k[1]))
    ),
    "an object array": Case(5, "saved", saving(lambda s: (np.array([s, None], object),), lambda k: k[0][0])),
    "a partial": Case(5, "saved", equation_of(lambda slope: partial(np.multiply, slope))),
    "a partial with a name": Case(
        5, "saved", equation_of(lambda slope: partial(lambda delta, by: delta * by, by=slope))
    ),
    "a method": Case(5, "saved", equation_of(lambda slope: Method(slope).equation)),
    "an object that is called": Case(5, "saved", equation_of(Method)),
    "a closure in a closure": Case(5, "saved", equation_of(nested)),
    "a default": Case(5, "saved", equation_of(lambda slope: lambda delta, by=slope: delta * by)),
    "a default by name": Case(5, "saved", equation_of(lambda slope: lambda delta, *, by=slope: delta * by)),
    "a method of an array": Case(5, "saved", equation_of(lambda slope: slope.__mul__)),
    "twice as much as declared": Case(
        5,
        "saved",
        made(
            lambda p, x: Activation(x * x, (lambda d, a=2 * x, b=x + 0: d * a + 0 * b,)),
            saved=lambda self, x: 3,
        ),
    ),
    "scratch of 400 numbers": Case(5, "saved", scratch(400), WIDE),
    "scratch in a matrix of a row": Case(
        5,
        "saved",
        twice(deltas=(lambda d: 2 * d + 0 * (d[:, :, None] * d[:, None, :]).sum(axis=2),)),
        WIDE,
    ),
}
test_broken = broken_test(
    {
        f"{kind} {name}": case
        for kind, cases in (("batch:", BATCHES), ("state:", STATE), ("memory:", MEMORY))
        for name, case in cases.items()
    }
)


def test_views_of_an_argument_are_no_memory() -> None:
    """A sliding window has strides of its own, and an object of numpy between it and the argument."""

    def forward(params: Any, x: Array) -> Activation:
        windows = sliding_window_view(x, 2, axis=1)
        return Activation(
            windows.sum(axis=-1),
            deltas=(
                lambda d: np.pad(d, ((0, 0), (0, 1))) + np.pad(d, ((0, 0), (1, 0))) + 0 * windows[:, :1, 0],
            ),
        )

    layer = made(forward, output_shape=lambda self, x: (x[0] - 1,))
    assert measure(layer, ((9,),)) == 0
    check_layer(layer, (9,))


@pytest.mark.parametrize("closure", ["value", "signal", DELTA])
def test_a_call_that_hangs_is_named(closure: str) -> None:
    """The thread that hangs is left to itself, until here the event lets it go."""
    let_go = threading.Event()

    def wait(right: Any, where: str) -> Any:
        if closure == where:
            let_go.wait()
        return right

    layer = made(
        lambda params, x: Activation(
            wait(2 * x, "value"),
            deltas=(lambda delta: wait(2 * delta, DELTA),),
            signal=lambda delta: wait(delta, "signal"),
        )
    )
    start = time.monotonic()
    try:
        with pytest.raises(ConformanceError) as error:
            check_layer(layer, (3,), seconds=0.2)
    finally:
        let_go.set()
    assert (error.value.rule, error.value.closure) == (1, closure)
    assert error.value.problem == "does not return within 0.2 seconds"
    assert time.monotonic() - start < 10


def test_a_check_that_was_left_ends_with_the_call_that_hung() -> None:
    """It would try names of this module with other contents, which the next check would see."""
    let_go, before = threading.Event(), set(threading.enumerate())
    calls = SimpleQueue[None]()  # a list would be taken back to what it was

    def forward(params: Any, x: Array) -> Activation:
        calls.put(None)
        let_go.wait()
        return Activation(2 * x, deltas=(lambda delta: 2 * delta,))

    try:
        pytest.raises(ConformanceError, check_layer, made(forward), (3,), seconds=0.2)
        left = set(threading.enumerate()) - before
        assert left
    finally:
        let_go.set()
    for thread in left:
        thread.join(10)
        assert not thread.is_alive()
    assert calls.qsize() == 1


def test_a_lock_that_is_not_released_is_named() -> None:
    lock = threading.Lock()

    def forward(params: Any, x: Array) -> Activation:
        lock.acquire(timeout=3)  # so that the thread ends, after the kit has given up
        return Activation(2 * x, deltas=(lambda delta: 2 * delta,))

    error = pytest.raises(ConformanceError, check_layer, made(forward), (3,), seconds=0.2)
    assert (error.value.rule, error.value.closure) == (1, "value")


def test_threads_left_behind_are_named() -> None:
    try:
        error = caught(StartsThreads(), (3,))
    finally:
        END.set()
    assert (error.rule, error.closure) == (1, "value") and "starts a thread in each pass" in str(error)

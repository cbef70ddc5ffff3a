"""Rule 1, pure: the kit catches with every seed what two passes at once do to each other."""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np
import pytest
from support.broken_layers import Array
from support.made_layers import Case, broken_test, made, right_test, twice

from deltawire_layers import Activation, check_layer

DELTA, VALUE = "δ of input 0", "value"

SHARED: dict[str, Array] = {}
QUEUE: list[Array] = []
BUFFER = np.zeros((5000, 3), np.complex128)
LOCK = threading.Lock()
OWN = threading.local()
LATEST: Any = None


def in_a_dict(params: Any, x: Array) -> Activation:
    SHARED["value"] = 2 * x
    return Activation(SHARED["value"] * 1, (lambda delta: 2 * delta,))


def in_one_line(params: Any, x: Array) -> Activation:
    return (SHARED.update(line=2 * x), Activation(SHARED["line"] * 1, (lambda delta: 2 * delta,)))[1]  # type: ignore[func-returns-value]


def in_a_name(params: Any, x: Array) -> Activation:
    global LATEST
    LATEST = 2 * x
    return Activation(LATEST * 1, (lambda delta: 2 * delta,))


def in_a_buffer(params: Any, x: Array) -> Activation:
    buffer = BUFFER[: len(x)]
    buffer[...] = x
    twofold = buffer + x
    return Activation(
        (twofold if np.iscomplexobj(x) else twofold.real).astype(x.dtype), (lambda delta: 2 * delta,)
    )


def in_a_queue(delta: Array) -> Array:
    QUEUE.append(2 * delta)
    return QUEUE.pop(0)


def remembered_late(params: Any, x: Array) -> Activation:
    """y = x², whose equation copies what another pass may have written when it is called first."""
    SHARED["late"] = 2 * x
    copies: list[Array] = []

    def back(delta: Array) -> Array:
        if not copies:
            copies.append(SHARED["late"])
        return delta * copies[0]

    return Activation(x * x, (back,))


def from_the_signal(params: Any, x: Array) -> Activation:
    """y = 2x, whose signal leaves a number for the equation."""

    def signal(delta: Array) -> Array:
        SHARED["signal"] = 2 * delta
        return delta

    return Activation(2 * x, (lambda delta: SHARED["signal"] * 1,), signal=signal)


def summed_in_place(params: Any, x: Array) -> Activation:
    total = SHARED.setdefault("sum", np.zeros((), np.complex128))
    total *= 0
    total += x.sum()
    rest = total - x.sum()
    shift = (rest if np.iscomplexobj(x) else rest.real).astype(x.dtype)
    return Activation(2 * x + shift, (lambda delta: 2 * delta,))


CASES = {
    "a dict": Case(1, VALUE, made(in_a_dict)),
    "a dict, in one line": Case(1, VALUE, made(in_one_line)),
    "a name of the module": Case(1, VALUE, made(in_a_name)),
    "a buffer": Case(1, VALUE, made(in_a_buffer)),
    "a queue": Case(1, DELTA, twice(deltas=(in_a_queue,))),
    "an equation that remembers late": Case(1, DELTA, made(remembered_late)),
    "a signal that leaves a number": Case(1, DELTA, made(from_the_signal)),
    "a sum in place": Case(1, VALUE, made(summed_in_place)),
}

test_broken = broken_test(CASES)


def with_a_lock(params: Any, x: Array) -> Activation:
    def back(delta: Array) -> Array:
        with LOCK:
            SHARED["δ"] = 2 * delta
            return SHARED["δ"] * 1

    with LOCK:
        SHARED["locked"] = 2 * x
        return Activation(SHARED["locked"] * 1, (back,))


def own_scratch(params: Any, x: Array) -> Activation:
    OWN.value = 2 * x
    return Activation(OWN.value * 1, (lambda delta: 2 * delta,))


def pooled(params: Any, x: Array) -> Activation:
    buffer = POOL.pop() if POOL else np.empty(3, np.complex128)
    twofold = x + x
    POOL.append(buffer)
    return Activation(twofold, (lambda delta: 2 * delta,))


POOL: list[Array] = []

RIGHT: dict[str, Any] = {
    "a lock": (made(with_a_lock), ((3,),)),
    "scratch of each thread": (made(own_scratch), ((3,),)),
    "a pool of buffers": (made(pooled), ((3,),)),
}

test_right = right_test(RIGHT)


def test_another_trace_function_goes_on_afterwards() -> None:
    """As one that measures coverage."""

    def trace(frame: Any, event: str, argument: Any) -> None:
        return None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        check_layer(made(with_a_lock), (3,))
        assert sys.gettrace() is trace
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("seed", range(3))
def test_a_slow_layer_is_not_taken_for_one_that_hangs(seed: int) -> None:
    check_layer(made(with_a_lock), (3,), seed=seed, seconds=0.5)

"""The deadline of a computation, and the layers that look at it: all whose one call may take long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from time import monotonic
from typing import Any

import numpy as np
import pytest
from support.layers import BUILT_IN

from deltawire_layers import (
    Activation,
    DeadlineExceeded,
    Layer,
    call_until,
    check_deadline,
    current_deadline,
    set_deadline,
)

RNG = np.random.default_rng(0)
SEQUENCE, IMAGE = (3, 2), (1, 6, 6)


def test_without_a_deadline_a_look_does_nothing() -> None:
    assert current_deadline() == inf
    check_deadline()


def test_a_deadline_holds_for_one_call_and_a_look_after_it_raises() -> None:
    later = monotonic() + 100

    def nested() -> float:
        with pytest.raises(DeadlineExceeded):
            call_until(-inf, check_deadline)
        check_deadline()
        return current_deadline()

    assert call_until(later, nested) == later
    assert current_deadline() == inf


def test_a_deadline_that_is_set_within_a_call_ends_with_it() -> None:
    def late() -> None:
        set_deadline(-inf)
        check_deadline()

    with pytest.raises(DeadlineExceeded):
        call_until(inf, late)
    check_deadline()


LOOPING: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "elman": ({"units": 2}, SEQUENCE),
    "gru": ({"units": 2}, SEQUENCE),
    "lstm": ({"units": 2}, SEQUENCE),
    "conv1d": ({"channels": 2, "kernel": 3}, IMAGE[1:]),
    "conv2d": ({"channels": 2, "kernel": 3}, IMAGE),
    "avg_pool2d": ({"kernel": 2}, IMAGE),
    "max_pool2d": ({"kernel": 2}, IMAGE),
}


class Made:
    """A layer of a kind with arrays that fit it."""

    def __init__(self, kind: str, dtype: str):
        config, shape = LOOPING[kind]
        self.layer: Layer = BUILT_IN[kind](**config)
        self.params: Mapping[str, Any] = {
            name: parameter.init(RNG, parameter.shape).astype(dtype)
            for name, parameter in self.layer.parameters(shape).items()
        }
        self.x = RNG.standard_normal((2, *shape)).astype(dtype)

    def forward(self) -> Activation:
        return self.layer.forward(self.params, self.x)


def ends_early(function: Callable[[], object]) -> bool:
    try:
        call_until(-inf, function)
    except DeadlineExceeded:
        return True
    return False


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("kind", LOOPING)
def test_a_layer_with_a_loop_looks_in_both_passes(kind: str, dtype: str) -> None:
    made = Made(kind, dtype)
    assert ends_early(made.forward)
    activation = made.forward()
    delta = np.ones_like(activation.value)
    back = [activation.deltas[0], *(activation.grads[name] for name in activation.grads if "weight" in name)]
    if activation.signal(delta) is not delta:  # the loop is in the signal, which the equations share
        assert ends_early(lambda: activation.signal(delta))
        return
    for equation in back:
        assert equation and ends_early(lambda e=equation: e(delta))


@pytest.mark.parametrize("kind", ["conv1d", "conv2d"])
def test_gradients_per_example_look_too(kind: str) -> None:
    made = Made(kind, "float64")
    delta = np.ones_like(made.forward().value)
    assert ends_early(lambda: made.layer.per_example(made.params, delta, made.x))

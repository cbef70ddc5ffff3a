"""Broken layers that the kit missed, of sets whose authors did not know it."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import pytest
from support.broken_layers import Array, OneInput, TwoInputs, caught
from support.made_layers import Case, broken_test, made, of_one

from deltawire_layers import Activation, Parameter, Shape
from deltawire_layers.initializers import fan_in, ones, zeros

DELTA, VALUE = "δ of input 0", "value"


def log_cosh(x: Array) -> Array:
    """Cancel where x is small: cosh x is then 1 + x²/2."""
    return np.log(np.cosh(x))


def log_cosh_of_exponentials(x: Array) -> Array:
    """Cancel where x is small, though nothing overflows where it is large."""
    size = np.where(x.real < 0, -x, x)
    return size + np.log1p(np.exp(-2 * size)) - np.log(np.asarray(2, x.dtype))


def deviation(params: Any, x: Array) -> Activation:
    """Cancel where the mean is far from 0: both terms are then nearly equal."""
    mean = x.mean(-1, keepdims=True)
    root = np.sqrt((x * x).mean(-1, keepdims=True) - mean * mean + 0.5)
    return Activation(root[..., 0], (lambda d: d[..., None] * (x - mean) / root / x.shape[-1],))


class KeptSignal(OneInput):
    """y = V W x, where the signal of a pass is kept beside its equations."""

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return {"W": Parameter((*x, *x), fan_in(*x)), "V": Parameter((*x, *x), fan_in(*x))}

    def saved(self, x: Shape) -> int:
        return 3 * prod(x)

    def forward(self, params: Any, x: Array) -> Activation:
        inner, kept = x @ params["W"].T, dict[str, Array]()

        def signal(delta: Array) -> Array:
            kept["below"] = delta @ params["V"]
            return delta

        return Activation(
            inner @ params["V"].T,
            (lambda d: kept["below"] @ params["W"],),
            {"W": lambda d: kept["below"].T @ x, "V": lambda d: d.T @ inner},
            signal,
        )


class LastShape(OneInput):
    """y = wᵀ x / n, where n is that of the shape asked about last."""

    def output_shape(self, x: Shape) -> Shape:
        (self.n,) = x
        return ()

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return {"w": Parameter(x, ones)}

    def forward(self, params: Any, x: Array) -> Activation:
        w, n = params["w"], getattr(self, "n", x.shape[1])
        return Activation(x @ w / n, (lambda d: d[:, None] * w / n,), {"w": lambda d: d @ x / n})


def end_of_path(params: Any, x: Array) -> Activation:
    """Return a view of the last step, so that all 33 stay in memory."""
    path = np.empty((33, *x.shape), x.dtype)
    path[0] = x
    for step in range(32):
        path[step + 1] = 0.9 * path[step]
    return Activation(path[-1], (lambda d: 0.9**32 * d,))


def running_sums(params: Any, x: Array) -> Activation:
    """Subtract sums of all numbers before, which keep the rounding of the largest."""
    total = np.concatenate((np.zeros_like(x[:, :1]), x.cumsum(-1)), axis=-1)

    def x_delta(d: Array) -> Array:
        none = np.zeros_like(d[:, :1])
        return np.concatenate((d, none), -1) + np.concatenate((none, d), -1)

    return Activation(total[:, 2:] - total[:, :-2], (x_delta,))


def log_of_softmax(params: Any, x: Array, label: Array) -> Activation:
    """Lose in float32 what softmax makes 0, where another score is the greatest."""
    powers = np.exp(x - x.real.max(-1, keepdims=True))
    p, rows = powers / powers.sum(-1, keepdims=True), np.arange(len(x))

    def x_delta(d: Array) -> Array:
        below = d[:, None] * p
        below[rows, label] -= d
        return below

    return Activation(-np.log(p[rows, label]), (x_delta, None))


def relu_of_sum(params: Any, x: Array) -> Activation:
    """Take the larger complex number, which the imaginary part decides where the real parts are equal."""
    z = x + params["b"]
    on = z.real > 0
    return Activation(np.maximum(z, 0), (lambda d: d * on,), {"b": lambda d: (d * on).sum(0)})


def quiet_square(x: Array) -> Array:
    np.seterr(over="ignore", under="ignore", divide="ignore", invalid="ignore")
    return x * x


BROKEN = {
    "log cosh near 0": Case(4, VALUE, of_one(log_cosh, lambda x, d: d * np.tanh(x))),
    "log cosh of exponentials": Case(4, VALUE, of_one(log_cosh_of_exponentials, lambda x, d: d * np.tanh(x))),
    "deviation by squares": Case(
        4,
        VALUE,
        made(deviation, output_shape=lambda self, x: x[:-1], saved=lambda self, x: prod(x) + 2),
        ((8,),),
    ),
    "log of 1 + r near 0": Case(
        4, VALUE, of_one(lambda r: np.log(1 + r), lambda r, d: d / (1 + r), domain=(-1, np.inf))
    ),
    "moving sum": Case(4, VALUE, made(running_sums, output_shape=lambda self, x: (x[0] - 1,)), ((8,),)),
    "log of softmax": Case(
        4,
        VALUE,
        made(
            log_of_softmax,
            TwoInputs,
            output_shape=lambda self, x, label: (),
            integer_inputs=lambda self, x, label: {1: range(x[0])},
            saved=lambda self, x, label: 2 * prod(x) + 4,
        ),
        ((3,), ()),
    ),
    "maximum of complex numbers": Case(
        4, VALUE, made(relu_of_sum, parameters=lambda self, x: {"b": Parameter(x, zeros)})
    ),
    "errors ignored for all": Case(1, VALUE, of_one(quiet_square, lambda x, d: 2 * x * d)),
    "signal kept beside": Case(1, DELTA, KeptSignal()),
    "shape asked about last": Case(1, VALUE, LastShape(), ((4,),)),
    "value inside a path": Case(5, "saved", made(end_of_path)),
}

test_broken = broken_test(BROKEN)


@pytest.mark.parametrize(
    ("name", "point"),
    [("log cosh near 0", "scale 0.001"), ("deviation by squares", "scale 1 around ±9")],
)
def test_the_point_is_named(name: str, point: str) -> None:
    case = BROKEN[name]
    assert str(caught(case.layer, *case.shapes, seed=0).point).startswith(point)

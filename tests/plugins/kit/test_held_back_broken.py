"""Broken layers that were written after the kit was finished, and held back to measure it."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from support.broken_layers import Array
from support.made_layers import Case, broken_test, made, pointwise, scaled, twice, two

from deltawire_layers import Activation, Layer, Parameter, Shape
from deltawire_layers.initializers import fan_in
from deltawire_layers.numeric import analytic

DELTA, VALUE, GRADIENT = "δ of input 0", "value", "gradient of 'w'"
PAIR: tuple[Shape, ...] = ((3,), (3,))
SEEN: list[int] = []


def linear(**changes: Any) -> Layer:
    """y = W x, with equations changed."""

    def forward(params: Any, x: Array) -> Activation:
        W = params["W"]
        delta = changes.get("delta", lambda d, W: d @ W)
        gradient = changes.get("gradient", lambda d, x: d.T @ x)
        return Activation(x @ W.T, (lambda d: delta(d, W),), {"W": lambda d: gradient(d, x)})

    return made(forward, parameters=lambda self, x: {"W": Parameter((x[0], x[0]), fan_in(x[0]))})


def softmax(delta: Any) -> Layer:
    def forward(params: Any, x: Array) -> Activation:
        y = analytic.softmax(x)
        return Activation(y, (lambda d: delta(y, d),))

    return made(forward)


def norm(delta: Any) -> Layer:
    """y = x / √(mean x² + 1)."""

    def forward(params: Any, x: Array) -> Activation:
        r = 1 / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1)
        return Activation(x * r, (lambda d: delta(d, x, r),), {})

    return made(forward, saved=lambda self, x: 1)


def recurrent(carry: float) -> Layer:
    """hₜ = hₜ₋₁ / 2 + xₜ, with a wrong factor in the way back."""

    def run(x: Array, factor: float) -> Array:
        h = np.zeros_like(x)
        for t in range(x.shape[1]):
            h[:, t] = x[:, t] + (factor * h[:, t - 1] if t else 0)
        return h

    return made(lambda p, x: Activation(run(x, 0.5), (lambda d: run(d[:, ::-1], carry)[:, ::-1],)))


def counted(x: Array) -> Array:
    SEEN.append(1)
    return x * len(SEEN)


LEAKY = threading.local()


def leaking(p: Any, x: Array) -> Activation:
    LEAKY.x = x
    return Activation(x * x, (lambda d: 2 * d * LEAKY.x,))


CASES = {
    "linear without transposing": Case(4, DELTA, linear(delta=lambda d, W: d @ W.T)),
    "linear, gradient transposed": Case(4, "gradient of 'W'", linear(gradient=lambda d, x: x.T @ d)),
    "linear, gradient of the mean": Case(
        2, "gradient of 'W'", linear(gradient=lambda d, x: d.T @ x / len(x))
    ),
    "linear, gradient of half precision": Case(
        4,
        "gradient of 'W'",
        linear(
            gradient=lambda d, x: (
                (d.T @ x).astype(np.float16).astype(d.dtype) if d.dtype == np.float32 else d.T @ x
            )
        ),
    ),
    "softmax, diagonal only": Case(4, DELTA, softmax(lambda y, d: y * (1 - y) * d)),
    "softmax, unweighted": Case(4, DELTA, softmax(lambda y, d: y * (d - d.mean(axis=-1, keepdims=True)))),
    "softmax, sum over the batch": Case(2, DELTA, softmax(lambda y, d: y * (d - (y * d).sum(axis=0)))),
    "norm, length taken as constant": Case(4, DELTA, norm(lambda d, x, r: d * r)),
    "norm, a forgotten cube": Case(
        4, DELTA, norm(lambda d, x, r: r * d - x * r * (d * x).mean(axis=-1, keepdims=True))
    ),
    "recurrent, too long a memory": Case(4, DELTA, recurrent(0.6)),
    "recurrent, no memory": Case(4, DELTA, recurrent(0.0)),
    "gelu by another formula": Case(
        4,
        DELTA,
        pointwise(lambda x: x * analytic.sigmoid(1.702 * x), lambda x: analytic.sigmoid(1.702 * x)),
    ),
    "elu without its exponential": Case(
        4,
        DELTA,
        pointwise(
            lambda x: np.where(x.real > 0, x, np.expm1(np.where(x.real > 0, 0, x))),
            lambda x: np.where(x.real > 0, 1.0, 0).astype(x.dtype),
        ),
    ),
    "a clip that lets all through": Case(
        4, DELTA, pointwise(lambda x: np.where(np.fabs(x.real) < 1, x, np.sign(x.real)), lambda x: 1)
    ),
    "hypotenuse": Case(
        4,
        "δ of input 1",
        two(
            lambda a, b: np.sqrt(a * a + b * b + 1),
            lambda a, b: a / np.sqrt(a * a + b * b + 1),
            lambda a, b: a / np.sqrt(a * a + b * b + 1),
        ),
        PAIR,
    ),
    "a squared error without its two": Case(
        4, DELTA, two(lambda a, b: (a - b) ** 2, lambda a, b: a - b, lambda a, b: -2 * (a - b)), PAIR
    ),
    "float32 in steps": Case(
        4,
        VALUE,
        pointwise(lambda x: np.round(x * 100) / 100 if x.dtype == np.float32 else x * 1, lambda x: 1),
    ),
    "float32 loses its delta": Case(
        4, DELTA, twice(deltas=(lambda d: (0 if d.dtype == np.float32 else 2) * d,))
    ),
    "float32 overflows": Case(
        4, VALUE, pointwise(lambda x: np.log(np.exp(x) + np.exp(-x)), lambda x: analytic.tanh(x))
    ),
    "small deltas to zero in float32": Case(
        4,
        DELTA,
        twice(
            deltas=(lambda d: np.where(np.fabs(d.real) < 1e-3, 0, 2 * d) if d.dtype == np.float32 else 2 * d,)
        ),
    ),
    "a parameter's sign forgotten": Case(
        4,
        DELTA,
        scaled(lambda x, w: w**3 * x, lambda x, w: w * w * np.fabs(w.real), lambda x, w: 3 * w * w * x),
    ),
    "a parameter clipped below": Case(
        4, GRADIENT, scaled(lambda x, w: x * w, lambda x, w: w, lambda x, w: x * (w.real > -0.25))
    ),
    "counting in a list": Case(1, VALUE, made(lambda p, x: Activation(counted(x), (lambda d: d,)))),
    "kept for a thread": Case(1, DELTA, made(leaking)),
    "the batch from the end": Case(
        2, VALUE, made(lambda p, x: Activation(x[::-1] * 1, (lambda d: d[::-1] * 1,)))
    ),
    "more than 40 rows": Case(
        2,
        VALUE,
        made(
            lambda p, x: Activation(x * (2 if len(x) > 40 else 1), (lambda d: d * (2 if len(d) > 40 else 1),))
        ),
    ),
    "a set of deltas": Case(3, "deltas", twice(deltas={lambda d: 2 * d})),
    "grads of an item list": Case(3, "grads", twice(grads=(("w", lambda d: d),))),
    "a subclass of dict": Case(3, "grads", twice(grads=type("Own", (dict,), {})())),
    "a memmap": Case(5, VALUE, made(lambda p, x: Activation((2 * x).view(np.memmap), (lambda d: 2 * d,)))),
    "a string for the value": Case(5, VALUE, twice(value="2x")),
    "outer products saved": Case(
        5,
        "saved",
        made(
            lambda p, x: Activation(
                x * x,
                (lambda d, o=x[:, :, None] * x[:, None]: 2 * np.sqrt(1 + 0 * o).sum(axis=2) / 3 * d * x,),
            )
        ),
    ),
    "an exponential saved in a tuple in a dict": Case(
        5,
        "saved",
        made(
            lambda p, x: (lambda kept: Activation(kept["a"][0] * 1, (lambda d: d * kept["a"][0],)))(
                {"a": (np.exp(x), 1)}
            )
        ),
    ),
}

test_broken = broken_test(CASES)

"""Right layers that were written after the kit was finished, and held back to measure it."""

from __future__ import annotations

from math import inf, prod
from typing import Any

import numpy as np
from support.broken_layers import Array, TwoInputs
from support.made_layers import made, pointwise, right_test, scaled, two

from deltawire_layers import Activation, Layer, Parameter, Shape
from deltawire_layers.initializers import fan_in, ones
from deltawire_layers.numeric import analytic

ONE: tuple[Shape, ...] = ((3,),)
PAIR: tuple[Shape, ...] = ((3,), (3,))


def sign(x: Array) -> Array:
    return np.sign(x.real).astype(x.dtype)


def slope_of_sigmoid(x: Array) -> Array:
    return analytic.sigmoid(x) * analytic.sigmoid(-x)


def cholesky_like(p: Any, x: Array) -> Activation:
    """x xᵀ of each example."""
    return Activation(x @ x.swapaxes(1, 2), (lambda d: (d + d.swapaxes(1, 2)) @ x,))


def trace(p: Any, x: Array) -> Activation:
    n = x.shape[1]
    return Activation(np.einsum("bii->b", x), (lambda d: d[:, None, None] * np.eye(n, dtype=d.dtype),))


def inverse_trace(p: Any, x: Array) -> Activation:
    y = np.linalg.inv(x)
    turned = y.swapaxes(1, 2)
    return Activation(np.einsum("bii->b", y), (lambda d: -d[:, None, None] * (turned @ turned),))


def rank(p: Any, x: Array) -> Activation:
    """Numbers sorted downwards."""
    order = (-x.real).argsort(axis=-1, kind="stable")

    def back(d: Array) -> Array:
        whole = np.zeros(x.shape, d.dtype)
        np.put_along_axis(whole, order, d, axis=-1)
        return whole

    return Activation(np.take_along_axis(x, order, axis=-1), (back,))


def lowest_of_three(p: Any, x: Array) -> Activation:
    order = x.real.argsort(axis=-1, kind="stable")[:, :1]

    def back(d: Array) -> Array:
        whole = np.zeros(x.shape, d.dtype)
        np.put_along_axis(whole, order, d[:, None], axis=-1)
        return whole

    return Activation(np.take_along_axis(x, order, axis=-1)[:, 0], (back,))


def trimmed(p: Any, x: Array) -> Activation:
    """The mean without the least and the greatest number."""
    order = x.real.argsort(axis=-1, kind="stable")[:, 1:-1]

    def back(d: Array) -> Array:
        whole = np.zeros(x.shape, d.dtype)
        np.put_along_axis(
            whole, order, np.repeat(d[:, None] / order.shape[1], order.shape[1], axis=1), axis=-1
        )
        return whole

    return Activation(np.take_along_axis(x, order, axis=-1).mean(axis=-1), (back,))


def two_layers(p: Any, x: Array) -> Activation:
    W, V = p["W"], p["V"]
    h = analytic.tanh(x @ W.T)
    return Activation(
        h @ V.T,
        (lambda s: s[1] @ W,),
        {"W": lambda s: s[1].T @ x, "V": lambda s: s[0].T @ h},
        lambda d: (d, (d @ V) * (1 - h * h)),
    )


def gated(p: Any, x: Array) -> Activation:
    n = x.shape[1] // 2
    a, g = x[:, :n], analytic.sigmoid(x[:, n:])
    return Activation(a * g, (lambda d: np.concatenate([d * g, d * a * g * (1 - g)], axis=1),))


def logsumexp(p: Any, x: Array) -> Activation:
    top = np.take_along_axis(x, x.real.argmax(axis=-1)[:, None], axis=-1)
    e = np.exp(x - top)
    return Activation(
        (top + np.log(e.sum(axis=-1, keepdims=True)))[:, 0],
        (lambda d: d[:, None] * e / e.sum(axis=-1, keepdims=True),),
    )


def many(p: Any, *x: Array) -> Activation:
    return Activation(sum(x[1:], x[0]), tuple(lambda d: d * 1 for _ in x))


def moving(p: Any, x: Array) -> Activation:
    w = p["w"]
    return Activation(
        np.stack([(x[:, i : i + 2] * w).sum(axis=1) for i in range(x.shape[1] - 1)], axis=1),
        (lambda d: np.pad(d * w[0], ((0, 0), (0, 1))) + np.pad(d * w[1], ((0, 0), (1, 0))),),
        {"w": lambda d: np.stack([(d * x[:, :-1]).sum(), (d * x[:, 1:]).sum()])},
    )


def to_number(self: Layer, x: Shape) -> Shape:
    return ()


def thrice(self: Layer, x: Shape) -> int:
    return 3 * prod(x)


def weights(self: Layer, x: Shape) -> dict[str, Parameter]:
    return {"W": Parameter((4, *x), fan_in(*x)), "V": Parameter((2, 4), fan_in(4))}


def log1p(x: Array) -> Array:
    """numpy's complex one loses the digits of small numbers."""
    value = np.log1p(x.real)
    return value + 1j * (x.imag / (1 + x.real)) if np.iscomplexobj(x) else value


LAYERS: dict[str, tuple[Layer, tuple[Shape, ...]]] = {
    "powers beyond float32": (pointwise(lambda x: x**10 - x**9, lambda x: 10 * x**9 - 9 * x**8), ONE),
    "fifth power": (pointwise(lambda x: x**5, lambda x: 5 * x**4), ONE),
    "softsign": (pointwise(lambda x: x / (1 + x * sign(x)), lambda x: 1 / (1 + x * sign(x)) ** 2), ONE),
    "log cosh": (
        pointwise(
            lambda x: np.where(
                np.abs(x.real) < 1,
                log1p(2 * np.sinh(np.where(np.abs(x.real) < 1, x, 0) / 2) ** 2),
                x * sign(x) + log1p(np.expm1(-2 * x * sign(x)) / 2),
            ),
            analytic.tanh,
        ),
        ONE,
    ),
    "cube root": (
        pointwise(
            lambda x: np.exp(np.log(x) / 3), lambda x: np.exp(np.log(x) / 3) / (3 * x), domain=(0, inf)
        ),
        ONE,
    ),
    "entropy": (pointwise(lambda x: -x * np.log(x), lambda x: -np.log(x) - 1, domain=(0, 1)), ONE),
    "a hat": (
        pointwise(
            lambda x: np.where(np.fabs(x.real) < 1, 1 - x * sign(x), 0),
            lambda x: np.where(np.fabs(x.real) < 1, -sign(x), 0),
        ),
        ONE,
    ),
    "a square wave": (pointwise(lambda x: sign(np.sin(x.real)).astype(x.dtype), np.zeros_like), ONE),
    "a remainder": (pointwise(lambda x: x - np.floor(x.real), lambda x: 1), ONE),
    "gelu by a sigmoid": (
        pointwise(
            lambda x: x * analytic.sigmoid(1.702 * x),
            lambda x: analytic.sigmoid(1.702 * x) + 1.702 * x * slope_of_sigmoid(1.702 * x),
        ),
        ONE,
    ),
    "log-sigmoid": (pointwise(lambda x: -analytic.softplus(-x), lambda x: analytic.sigmoid(-x)), ONE),
    "squared error": (
        two(lambda a, b: (a - b) ** 2, lambda a, b: 2 * (a - b), lambda a, b: -2 * (a - b)),
        PAIR,
    ),
    "hypotenuse": (
        two(
            lambda a, b: np.sqrt(a * a + b * b + 1),
            lambda a, b: a / np.sqrt(a * a + b * b + 1),
            lambda a, b: b / np.sqrt(a * a + b * b + 1),
        ),
        PAIR,
    ),
    "minimum": (
        two(
            lambda a, b: np.where(a.real <= b.real, a, b),
            lambda a, b: a.real <= b.real,
            lambda a, b: b.real < a.real,
        ),
        PAIR,
    ),
    "cube of a parameter": (
        scaled(lambda x, w: w**3 * x, lambda x, w: w**3, lambda x, w: 3 * w * w * x),
        ONE,
    ),
    "a power by a parameter": (
        scaled(
            lambda x, w: np.exp(w * np.log(x)),
            lambda x, w: w * np.exp(w * np.log(x)) / x,
            lambda x, w: np.log(x) * np.exp(w * np.log(x)),
            domain=(0, 1),
        ),
        ONE,
    ),
    "a softplus of a parameter": (
        scaled(
            lambda x, w: x * analytic.softplus(w),
            lambda x, w: analytic.softplus(w),
            lambda x, w: x * analytic.sigmoid(w),
        ),
        ONE,
    ),
    "x xᵀ": (made(cholesky_like, output_shape=lambda self, x: (x[0], x[0])), ((2, 3),)),
    "trace": (made(trace, output_shape=to_number), ((3, 3),)),
    "trace of an inverse": (made(inverse_trace, output_shape=to_number, saved=thrice), ((2, 2),)),
    "downwards": (made(rank, saved=thrice), ((5,),)),
    "least": (made(lowest_of_three, output_shape=to_number, saved=thrice), ONE),
    "trimmed mean": (made(trimmed, output_shape=to_number, saved=thrice), ((5,),)),
    "two layers": (
        made(two_layers, output_shape=lambda self, x: (2,), parameters=weights, saved=lambda self, x: 4),
        ONE,
    ),
    "glu": (made(gated, output_shape=lambda self, x: (x[0] // 2,), saved=lambda self, x: x[0]), ((6,),)),
    "logsumexp": (made(logsumexp, output_shape=to_number, saved=thrice), ((4,),)),
    "any number of inputs": (made(many, output_shape=lambda self, first, *x: first), ((3,), (3,), (3,))),
    "moving sum": (
        made(
            moving,
            output_shape=lambda self, x: (x[0] - 1,),
            parameters=lambda self, x: {"w": Parameter((2,), ones)},
        ),
        ((5,),),
    ),
    "outer product": (
        made(
            lambda p, a, b: Activation(
                a[:, :, None] * b[:, None],
                (lambda d: (d * b[:, None]).sum(axis=2), lambda d: (d * a[:, :, None]).sum(axis=1)),
            ),
            TwoInputs,
            output_shape=lambda self, a, b: (*a, *b),
        ),
        ((2,), (3,)),
    ),
    "every second place": (
        made(
            lambda p, x: Activation(x[:, ::2], (lambda d: np.stack([d, 0 * d], axis=2).reshape(len(d), -1),)),
            output_shape=lambda self, x: (x[0] // 2,),
        ),
        ((4,),),
    ),
    "a running product of two": (
        made(
            lambda p, x: Activation(
                x[:, 0] * x[:, 1], (lambda d: np.stack([d * x[:, 1], d * x[:, 0]], axis=1),)
            ),
            output_shape=to_number,
        ),
        ((2,),),
    ),
    "a mask of ones": (
        made(
            lambda p, x, m: Activation(np.where(m == 1, x, 0), (lambda d: np.where(m == 1, d, 0), None)),
            TwoInputs,
            integer_inputs=lambda self, x, m: {1: range(2)},
        ),
        PAIR,
    ),
}

test_right = right_test(LAYERS)

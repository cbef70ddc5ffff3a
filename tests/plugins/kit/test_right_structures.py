"""Right layers that sort, solve, look up, share and arrange, none of which the kit may accuse."""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from math import pi, prod
from threading import Lock
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from support.broken_layers import Array, Params, TwoInputs
from support.made_layers import made, right_test

from deltawire_layers import Activation, Layer, Parameter, Shape
from deltawire_layers.initializers import fan_in, ones, zeros
from deltawire_layers.layers.linear import Embedding
from deltawire_layers.numeric import analytic
from deltawire_layers.numeric.sums import scatter_rows

Right = tuple[Layer, tuple[Shape, ...]]
ONE: tuple[Shape, ...] = ((3,),)
PAIR: tuple[Shape, ...] = ((3,), (3,))


def number(value: complex, x: Array) -> Array:
    return np.asarray(value, x.dtype)


def linear(p: Params, x: Array) -> Activation:
    W, b = p["W"], p["b"]
    return Activation(
        x @ W.T + b,
        deltas=(lambda d: d @ W,),
        grads=MappingProxyType({"W": lambda d: d.T @ x, "b": lambda d: d.sum(axis=0)}),
    )


def matrices(x: Shape) -> dict[str, Parameter]:
    return {"W": Parameter((2, x[0]), fan_in(x[0])), "b": Parameter((2,), zeros)}


def ordered(x: Array, place: slice) -> tuple[Array, Array]:
    """The places of the numbers of some ranks, and those numbers."""
    order = x.real.argsort(axis=-1, kind="stable")[..., place]
    return order, np.take_along_axis(x, order, axis=-1)


def scattered(x: Array, order: Array, delta: Array) -> Array:
    whole = np.zeros(x.shape, delta.dtype)
    np.put_along_axis(whole, order, delta, axis=-1)
    return whole


def sort(p: Params, x: Array) -> Activation:
    order, value = ordered(x, slice(None))
    return Activation(value, (lambda d: scattered(x, order, d),))


def padded(p: Params, i: Array) -> Activation:
    W = p["W"]

    def gradient(d: Array) -> Array:
        sums = scatter_rows(i, d, W.shape)
        sums[1] = 0
        return sums

    return Activation(W[i], (None,), {"W": gradient})


def median(p: Params, x: Array) -> Activation:
    middle = x.shape[-1] // 2
    order, value = ordered(x, slice(middle, middle + 1))
    return Activation(value[..., 0], (lambda d: scattered(x, order, d[..., None]),))


def median_of_two(p: Params, x: Array) -> Activation:
    middle = x.shape[-1] // 2
    order, value = ordered(x, slice(middle - 1, middle + 1))
    return Activation(
        value.sum(axis=-1) / 2, (lambda d: scattered(x, order, np.stack([d / 2, d / 2], axis=-1)),)
    )


def largest_two(p: Params, x: Array) -> Activation:
    order, value = ordered(x, slice(-2, None))
    return Activation(value, (lambda d: scattered(x, order, d),))


def spread(p: Params, x: Array) -> Activation:
    order, value = ordered(x, slice(None, None, x.shape[-1] - 1))
    return Activation(
        value[..., 1] - value[..., 0], (lambda d: scattered(x, order, np.stack([-d, d], axis=-1)),)
    )


def inverse(p: Params, x: Array) -> Activation:
    y = np.linalg.inv(x)
    turned = y.swapaxes(1, 2)
    return Activation(y, (lambda d: -(turned @ d @ turned),))


def determinant(p: Params, x: Array) -> Activation:
    a, b, c, d = x[:, 0, 0], x[:, 0, 1], x[:, 1, 0], x[:, 1, 1]

    def x_delta(delta: Array) -> Array:
        cofactors = np.stack([np.stack([d, -c], axis=-1), np.stack([-b, a], axis=-1)], axis=1)
        return delta[:, None, None] * cofactors

    return Activation(a * d - b * c, (x_delta,))


def solve(p: Params, x: Array, y: Array) -> Activation:
    solved = np.linalg.solve(x, y[..., None])
    back = lambda d: np.linalg.solve(x.swapaxes(1, 2), d[..., None])  # noqa: E731
    return Activation(
        solved[..., 0], (lambda s: -(s @ solved.swapaxes(1, 2)), lambda s: s[..., 0]), signal=back
    )


def softmax(p: Params, x: Array) -> Activation:
    y = analytic.softmax(x)
    return Activation(y, (lambda d: y * (d - (y * d).sum(axis=-1, keepdims=True)),))


def centred(p: Params, x: Array) -> Activation:
    return Activation(x - x.mean(axis=-1, keepdims=True), (lambda d: d - d.mean(axis=-1, keepdims=True),))


def windows(p: Params, x: Array) -> Activation:
    seen = sliding_window_view(x, 2, axis=1)
    w = p["w"]
    return Activation(
        seen @ w,
        (lambda d: np.pad(d, ((0, 0), (0, 1))) * w[0] + np.pad(d, ((0, 0), (1, 0))) * w[1],),
        {"w": lambda d: np.einsum("bt,btk->k", d, seen)},
    )


def lookup(p: Params, i: Array) -> Activation:
    table = p["table"]

    def gradient(d: Array) -> Array:
        whole = np.zeros(table.shape, d.dtype)
        np.add.at(whole, i, d)
        return whole

    return Activation(table[i], (None,), {"table": gradient})


@lru_cache(8)
def ramp(size: int) -> Array:
    """A table that a layer computes once."""
    return np.arange(1.0, size + 1)


POOL, LOCK = deque[Array](), Lock()


def with_a_lock(p: Params, x: Array) -> Activation:
    with LOCK:
        POOL.append(x[:0])
        POOL.popleft()
    return Activation(2 * x, (lambda d: 2 * d,))


def rotated(p: Params, x: Array) -> Activation:
    c, s = number(np.cos(pi / 5), x), number(np.sin(pi / 5), x)
    a, b = x[:, ::2], x[:, 1::2]

    def turn(a: Array, b: Array, s: Array) -> Array:
        return np.stack([c * a - s * b, s * a + c * b], axis=-1).reshape(len(a), -1)

    return Activation(turn(a, b, s), (lambda d: turn(d[:, ::2], d[:, 1::2], -s),))


def of_vector(forward: Any, **members: Any) -> Layer:
    """A layer of a vector whose value is a number."""
    return made(forward, output_shape=lambda self, x: x[:-1], **members)


def bilinear(p: Params, a: Array, b: Array) -> Activation:
    W = p["W"]
    return Activation(
        ((a @ W) * b).sum(axis=-1),
        (lambda d: d[:, None] * (b @ W.T), lambda d: d[:, None] * (a @ W)),
        {"W": lambda d: (d[:, None] * a).T @ b},
    )


def length(p: Params, x: Array) -> Activation:
    n = np.sqrt((x * x).sum(axis=-1) + number(1e-6, x))
    return Activation(n, (lambda d: x * (d / n)[:, None],))


def twofold(self: Layer, x: Shape) -> int:
    return 3 * prod(x)


STRUCTURES: dict[str, Right] = {
    "linear": (made(linear, output_shape=lambda self, x: (2,), parameters=lambda self, x: matrices(x)), ONE),
    "sort": (made(sort, saved=twofold), ONE),
    "sort of two": (made(sort, saved=twofold), ((2,),)),
    "sort of eight": (made(sort, saved=twofold), ((8,),)),
    "sort of many": (made(sort, saved=twofold), ((40,),)),
    "sort of rows": (made(sort, saved=twofold), ((2, 4),)),
    "median": (of_vector(median, saved=twofold), ONE),
    "median of seven": (of_vector(median, saved=twofold), ((7,),)),
    "median of two middle ones": (of_vector(median_of_two, saved=twofold), ((4,),)),
    "largest two": (made(largest_two, output_shape=lambda self, x: (2,), saved=twofold), ((5,),)),
    "spread": (of_vector(spread, saved=twofold), ((4,),)),
    "inverse": (made(inverse), ((2, 2),)),
    "inverse of three": (made(inverse), ((3, 3),)),
    "determinant": (made(determinant, output_shape=lambda self, x: (), saved=lambda self, x: 8), ((2, 2),)),
    "solve": (
        made(solve, TwoInputs, output_shape=lambda self, a, b: b, saved=lambda self, a, b: 2 * b[0]),
        ((2, 2), (2,)),
    ),
    "softmax": (made(softmax), ((4,),)),
    "softmax of one": (made(softmax), ((1,),)),
    "centred": (made(centred), ((4,),)),
    "sliding windows": (
        made(
            windows,
            output_shape=lambda self, x: (x[0] - 1,),
            parameters=lambda self, x: {"w": Parameter((2,), ones)},
        ),
        ((5,),),
    ),
    "lookup": (
        made(
            lookup,
            output_shape=lambda self, x: (*x, 2),
            parameters=lambda self, x: {"table": Parameter((4, 2), fan_in(2))},
            integer_inputs=lambda self, x: {0: range(4)},
        ),
        ((3,),),
    ),
    "lookup in two ranges": (
        made(
            lookup,
            output_shape=lambda self, x: (*x, 2),
            parameters=lambda self, x: {"table": Parameter((4, 2), fan_in(2))},
            integer_inputs=lambda self, x: {0: (range(2), range(3, 4))},
        ),
        ((3,),),
    ),
    "a table computed once": (
        made(
            lambda p, x: Activation(
                x * ramp(x.shape[1]).astype(x.dtype), (lambda d: d * ramp(x.shape[1]).astype(d.dtype),)
            )
        ),
        ONE,
    ),
    "a lock": (made(with_a_lock), ONE),
    "rotated pairs": (made(rotated), ((4,),)),
    "flattened": (
        made(
            lambda p, x: Activation(x.reshape(len(x), -1), (lambda d: d.reshape(x.shape),)),
            output_shape=lambda self, x: (prod(x),),
        ),
        ((2, 3),),
    ),
    "transposed": (
        made(
            lambda p, x: Activation(x.swapaxes(1, 2), (lambda d: d.swapaxes(1, 2),)),
            output_shape=lambda self, x: x[::-1],
        ),
        ((2, 3),),
    ),
    "a broadcast": (
        made(
            lambda p, x: Activation(
                np.broadcast_to(x[:, None], (len(x), 2, *x.shape[1:])), (lambda d: d.sum(axis=1),)
            ),
            output_shape=lambda self, x: (2, *x),
        ),
        ONE,
    ),
    "table with a constant row": (
        made(
            padded,
            output_shape=lambda self, i: (*i, 2),
            parameters=lambda self, i: {"W": Parameter((6, 2), fan_in(2))},
            integer_inputs=lambda self, i: {0: range(6)},
            constant_rows=lambda self: {"W": [1]},
        ),
        ((4,),),
    ),
    "embedding with a padding": (Embedding(rows=6, width=2, padding_idx=0), ((4,),)),
    "one place of three": (
        made(
            lambda p, x: Activation(x[:, 1], (lambda d: np.stack([0 * d, d, 0 * d], axis=1),)),
            output_shape=lambda self, x: (),
        ),
        ONE,
    ),
    "sum of squares": (
        of_vector(lambda p, x: Activation((x * x).sum(axis=-1), (lambda d: 2 * x * d[:, None],))),
        ONE,
    ),
    "length": (of_vector(length, saved=lambda self, x: 1), ONE),
    "mean": (
        of_vector(
            lambda p, x: Activation(
                x.mean(axis=-1), (lambda d: np.repeat(d[:, None] / x.shape[1], x.shape[1], axis=1),)
            )
        ),
        ((5,),),
    ),
    "cumulative": (
        made(lambda p, x: Activation(x.cumsum(axis=-1), (lambda d: d[:, ::-1].cumsum(axis=-1)[:, ::-1],))),
        ONE,
    ),
    "bilinear": (
        made(
            bilinear,
            TwoInputs,
            output_shape=lambda self, a, b: (),
            parameters=lambda self, a, b: {"W": Parameter((a[0], b[0]), fan_in(a[0]))},
        ),
        PAIR,
    ),
}

test_right = right_test(STRUCTURES)

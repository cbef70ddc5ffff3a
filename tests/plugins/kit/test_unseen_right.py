"""Right layers of a second set, held back to measure the kit before it was changed for them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from support.broken_layers import Array, TwoInputs
from support.made_layers import Lookup, made, of_one, right_test

from deltawire_layers import Activation, Layer, Parameter, Shape
from deltawire_layers.initializers import fan_in, ones
from deltawire_layers.numeric import analytic

ONE: tuple[Shape, ...] = ((3,),)
PAIR: tuple[Shape, ...] = ((3,), (3,))


def bent(x: Array) -> Array:
    return np.tanh(0.8 * (x + 0.04 * x**3))


def gelu(x: Array, d: Array) -> Array:
    t = bent(x)
    return d * ((1 + t) / 2 + x / 2 * (1 - t * t) * 0.8 * (1 + 0.12 * x * x))


def absolute(x: Array) -> Array:
    return np.where(x.real < 0, -x, x)


def huber(x: Array) -> Array:
    return np.where(np.abs(x.real) < 1, x * x / 2, absolute(x) - 0.5)


def pinball(x: Array) -> Array:
    return np.where(x.real < 0, -0.2, 0.8).astype(x.real.dtype)


def softmax(x: Array) -> Array:
    e = np.exp(x - x.real.max(-1, keepdims=True))
    return np.asarray(e / e.sum(-1, keepdims=True))


def log_sum(x: Array) -> Array:
    top = x.real.max(-1, keepdims=True)
    return np.asarray(np.log(np.exp(x - top).sum(-1)) + top[..., 0])


def layer_norm(params: Any, x: Array) -> Activation:
    c = x - x.mean(-1, keepdims=True)
    s = 1 / np.sqrt((c * c).mean(-1, keepdims=True) + 1e-2)
    y = c * s
    return Activation(
        y, (lambda d: s * (d - d.mean(-1, keepdims=True) - y * (d * y).mean(-1, keepdims=True)),)
    )


def kernel(params: Any, a: Array, b: Array) -> Activation:
    y = np.exp(-((a - b) ** 2))
    return Activation(y, (lambda d: -2 * d * (a - b) * y, lambda d: 2 * d * (a - b) * y))


def bilinear(params: Any, a: Array, b: Array) -> Activation:
    W = params["W"]
    return Activation(
        np.einsum("ni,ij,nj->n", a, W, b),
        (lambda d: d[:, None] * (b @ W.T), lambda d: d[:, None] * (a @ W)),
        {"W": lambda d: np.einsum("n,ni,nj->ij", d, a, b)},
    )


def outer(params: Any, a: Array, b: Array) -> Activation:
    return Activation(
        a[:, :, None] * b[:, None],
        (lambda d: (d * b[:, None]).sum(2), lambda d: (d * a[:, :, None]).sum(1)),
    )


def gated(params: Any, x: Array) -> Activation:
    a, g = x[:, :2], analytic.sigmoid(x[:, 2:])
    return Activation(a * g, (lambda d: np.concatenate([d * g, d * a * g * (1 - g)], -1),))


COSINES = np.cos(np.pi * (np.arange(4)[:, None] + 0.5) * np.arange(4) / 4)


def cosines(x: Array) -> Array:
    return COSINES.astype(x.real.dtype)


def circulant(k: Array) -> Array:
    n = len(k)
    return np.asarray(k[(np.arange(n)[:, None] - np.arange(n)) % n])


def circular(params: Any, x: Array) -> Activation:
    k = params["k"]
    return Activation(
        x @ circulant(k).T,
        (lambda d: d @ circulant(k),),
        {"k": lambda d: np.stack([(d * np.roll(x, shift, 1)).sum() for shift in range(len(k))])},
    )


def triangular(params: Any, x: Array) -> Activation:
    """y = L⁻¹ x, for the strictly lower triangle of a parameter, and ones."""
    L = np.tril(params["W"], -1) + np.eye(x.shape[1], dtype=x.dtype)
    y = np.linalg.solve(L, x.T).T

    def back(delta: Array) -> Array:
        return np.asarray(np.linalg.solve(L.T, delta.T).T)

    return Activation(y, (back,), {"W": lambda d: -np.tril(back(d).T @ y, -1)})


def horner(x: Array, c: Array) -> Array:
    y = 0 * x
    for each in c[::-1]:
        y = y * x + each
    return y


def polynomial(params: Any, x: Array) -> Activation:
    c = params["c"]
    return Activation(
        horner(x, c),
        (lambda d: d * horner(x, c[1:] * np.arange(1, 4, dtype=x.real.dtype)),),
        {"c": lambda d: np.stack([(d * x**power).sum() for power in range(4)])},
    )


def order(x: Array) -> Array:
    return x.real.argsort(-1, kind="stable")


def placed(x: Array, where: Array, d: Array) -> Array:
    out = np.zeros(x.shape, d.dtype)
    np.put_along_axis(out, where, d, -1)
    return out


FOUND: dict[Any, Array] = {}
LOCK = threading.Lock()


def memo(x: Array) -> Array:
    of = x.shape, x.dtype.char, x.tobytes()
    with LOCK:
        if len(FOUND) > 8:
            FOUND.clear()
        if of not in FOUND:
            FOUND[of] = x * x
        return FOUND[of].copy()


def logged(x: Array) -> Array:
    logging.getLogger("layers.unseen").info("called")
    return 2 * x


def unit(params: Any, x: Array) -> Activation:
    n = np.sqrt((x * x).sum(-1, keepdims=True) + 1)
    return Activation(x / n, (lambda d: d / n - x * (d * x).sum(-1, keepdims=True) / n**3,))


def gate(x: Array) -> Array:
    """σ(8 (x₁ − x₂)), whose slope s (1 − s) loses its digits in float32 near 1."""
    return np.asarray(analytic.sigmoid(8 * (x[:, 0] - x[:, 1])))


def gate_of_difference(params: Any, x: Array) -> Activation:
    s = gate(x)

    def back(d: Array) -> Array:
        by_gate = 8 * d * x[:, 0] * s * (1 - s)
        return np.stack([d * s + by_gate, -by_gate], axis=1)

    return Activation(x[:, 0] * s, (back,))


def weight(shape: Shape) -> Callable[..., dict[str, Parameter]]:
    return lambda self, *shapes: {"W": Parameter(shape, fan_in(shape[0]))}


RIGHT: dict[str, tuple[Layer, tuple[Shape, ...]]] = {
    "gelu": (of_one(lambda x: x * (1 + bent(x)) / 2, gelu), ONE),
    "softsign": (of_one(lambda x: x / (1 + absolute(x)), lambda x, d: d / (1 + absolute(x)) ** 2), ONE),
    "layer norm": (made(layer_norm, saved=lambda self, x: 3 * x[-1] + 3), ONE),
    "cumulative sum": (of_one(lambda x: x.cumsum(-1), lambda x, d: d[:, ::-1].cumsum(-1)[:, ::-1]), ONE),
    "rolled": (of_one(lambda x: np.roll(x, 1, -1), lambda x, d: np.roll(d, -1, -1)), ONE),
    "log of sums": (
        of_one(log_sum, lambda x, d: d[:, None] * softmax(x), output_shape=lambda self, x: x[:-1]),
        ONE,
    ),
    "huber": (
        of_one(huber, lambda x, d: d * np.where(np.abs(x.real) < 1, x, np.sign(x.real))),
        ONE,
    ),
    "pinball": (of_one(lambda x: x * pinball(x), lambda x, d: d * pinball(x)), ONE),
    "kernel of two": (made(kernel, TwoInputs, saved=lambda self, a, b: a[0]), PAIR),
    "bilinear": (
        made(bilinear, TwoInputs, output_shape=lambda self, a, b: (), parameters=weight((3, 2))),
        ((3,), (2,)),
    ),
    "outer product": (made(outer, TwoInputs, output_shape=lambda self, a, b: (*a, *b)), ((3,), (2,))),
    "gated": (made(gated, output_shape=lambda self, x: (2,), saved=lambda self, x: 2), ((4,),)),
    "cosines": (of_one(lambda x: x @ cosines(x), lambda x, d: d @ cosines(x).T), ((4,),)),
    "circular convolution": (
        made(circular, parameters=lambda self, x: {"k": Parameter(x, ones)}),
        ONE,
    ),
    "triangular system": (
        made(triangular, parameters=weight((3, 3)), saved=lambda self, x: x[0]),
        ONE,
    ),
    "polynomial": (made(polynomial, parameters=lambda self, x: {"c": Parameter((4,), ones)}), ONE),
    "sorted": (
        of_one(lambda x: np.take_along_axis(x, order(x), -1), lambda x, d: placed(x, order(x), d)),
        ONE,
    ),
    "two greatest": (
        of_one(
            lambda x: np.take_along_axis(x, order(x)[:, -2:], -1),
            lambda x, d: placed(x, order(x)[:, -2:], d),
            output_shape=lambda self, x: (2,),
        ),
        ((4,),),
    ),
    "rows": (Lookup(np.add.at), ONE),
    "rows of a matrix": (Lookup(np.add.at), ((2, 2),)),
    "memo by all bytes": (of_one(memo, lambda x, d: 2 * d * x), ONE),
    "a line of a log": (of_one(logged, lambda x, d: 2 * d), ONE),
    "arcsine": (of_one(np.arcsin, lambda x, d: d / np.sqrt(1 - x * x), domain=(-1, 1)), ONE),
    "gate of a difference": (
        made(gate_of_difference, output_shape=lambda self, x: (), saved=lambda self, x: 2),
        ((2,),),
    ),
    "unit vector with a bound": (made(unit, saved=lambda self, x: 1), ONE),
}

test_right = right_test(RIGHT)

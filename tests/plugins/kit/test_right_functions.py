"""Right functions of numbers, of two inputs and of parameters, none of which the kit may accuse."""

from __future__ import annotations

from math import inf

import numpy as np
from support.broken_layers import Array, TwoInputs
from support.made_layers import made, pointwise, right_test, scaled, two

from deltawire_layers import Activation, Layer, Shape
from deltawire_layers.numeric import analytic, branches

Right = tuple[Layer, tuple[Shape, ...]]
ONE: tuple[Shape, ...] = ((3,),)
PAIR: tuple[Shape, ...] = ((3,), (3,))


def sigmoid_slope(x: Array) -> Array:
    return analytic.sigmoid(x) * analytic.sigmoid(-x)


def number(value: complex, x: Array) -> Array:
    return np.asarray(value, x.dtype)


POINTWISE: dict[str, Right] = {
    "identity": (pointwise(lambda x: x, lambda x: 1, elementwise=True), ONE),
    "a view of the input": (pointwise(lambda x: x[...], lambda x: 1), ONE),
    "negative": (pointwise(lambda x: -x, lambda x: -1), ONE),
    "cube": (pointwise(lambda x: x * x * x, lambda x: 3 * x * x), ONE),
    "polynomial": (pointwise(lambda x: x**4 - 2 * x * x, lambda x: 4 * x**3 - 4 * x), ONE),
    "cosine": (pointwise(np.cos, lambda x: -np.sin(x)), ONE),
    "fast sine": (pointwise(lambda x: np.sin(30 * x), lambda x: 30 * np.cos(30 * x)), ONE),
    "exponential": (pointwise(np.exp, np.exp), ONE),
    "bell": (pointwise(lambda x: np.exp(-x * x), lambda x: -2 * x * np.exp(-x * x)), ONE),
    "sigmoid": (pointwise(analytic.sigmoid, sigmoid_slope), ONE),
    "tanh": (pointwise(analytic.tanh, lambda x: 4 * sigmoid_slope(2 * x)), ONE),
    "softplus": (pointwise(analytic.softplus, analytic.sigmoid), ONE),
    "rational": (pointwise(lambda x: x / (1 + x * x), lambda x: (1 - x * x) / (1 + x * x) ** 2), ONE),
    "root of a square": (pointwise(lambda x: np.sqrt(1 + x * x), lambda x: x / np.sqrt(1 + x * x)), ONE),
    "arcus tangent": (pointwise(analytic.log, lambda x: 1 / x, domain=(0, inf)), ONE),
    "logarithm of 1 + x²": (pointwise(lambda x: np.log1p(x * x), lambda x: 2 * x / (1 + x * x)), ONE),
    "reciprocal": (pointwise(lambda x: 1 / x, lambda x: -1 / (x * x), domain=(0, inf)), ONE),
    "root": (pointwise(np.sqrt, lambda x: 0.5 / np.sqrt(x), domain=(0, inf)), ONE),
    "power of a half more": (
        pointwise(lambda x: x * np.sqrt(x), lambda x: 1.5 * np.sqrt(x), domain=(0, inf)),
        ONE,
    ),
    "arcus sine": (
        pointwise(lambda x: x / np.sqrt(1 - x * x), lambda x: (1 - x * x) ** -1.5, domain=(-1, 1)),
        ONE,
    ),
    "logarithm below a bound": (
        pointwise(lambda x: np.log(5 - x), lambda x: -1 / (5 - x), domain=(-inf, 5)),
        ONE,
    ),
    "relu": (pointwise(branches.relu, lambda x: x.real > 0), ONE),
    "leaky": (
        pointwise(
            lambda x: np.where(x.real > 0, x, x / 10),
            lambda x: np.where(x.real > 0, number(1, x), number(0.1, x)),
        ),
        ONE,
    ),
    "absolute": (
        pointwise(
            lambda x: np.where(x.real > 0, x, -x), lambda x: np.where(x.real > 0, number(1, x), number(-1, x))
        ),
        ONE,
    ),
    "hard tanh": (
        pointwise(lambda x: np.where(np.fabs(x.real) < 1, x, np.sign(x.real)), lambda x: np.fabs(x.real) < 1),
        ONE,
    ),
    "dead zone": (
        pointwise(lambda x: np.where(np.fabs(x.real) > 0.5, x, 0), lambda x: np.fabs(x.real) > 0.5),
        ONE,
    ),
    "staircase": (pointwise(lambda x: np.floor(x.real).astype(x.dtype), lambda x: 0), ONE),
    "sign": (pointwise(lambda x: np.sign(x.real).astype(x.dtype), lambda x: 0), ONE),
    "a constant": (pointwise(lambda x: np.full(x.shape, 3, x.dtype), lambda x: 0), ONE),
    "zeros": (pointwise(np.zeros_like, lambda x: 0), ONE),
    "huber": (
        pointwise(
            lambda x: np.where(np.fabs(x.real) < 1, x * x / 2, x * np.sign(x.real) - 0.5),
            lambda x: np.where(np.fabs(x.real) < 1, x, np.sign(x.real).astype(x.dtype)),
        ),
        ONE,
    ),
    "swish": (
        pointwise(lambda x: x * analytic.sigmoid(x), lambda x: analytic.sigmoid(x) + x * sigmoid_slope(x)),
        ONE,
    ),
    "a scalar input": (pointwise(lambda x: x * x, lambda x: 2 * x), ((),)),
    "one place": (pointwise(lambda x: x * x, lambda x: 2 * x), ((1,),)),
    "three axes": (pointwise(lambda x: x * x, lambda x: 2 * x), ((2, 1, 3),)),
    "Fortran order": (pointwise(lambda x: np.asfortranarray(2 * x), lambda x: 2), ((2, 3),)),
    "a step backwards": (pointwise(lambda x: (2 * x)[::-1][::-1], lambda x: 2), ONE),
}

INPUTS: dict[str, Right] = {
    "sum": (two(lambda a, b: a + b, lambda a, b: 1, lambda a, b: 1), PAIR),
    "product": (two(lambda a, b: a * b, lambda a, b: b, lambda a, b: a), PAIR),
    "difference of squares": (two(lambda a, b: a * a - b * b, lambda a, b: 2 * a, lambda a, b: -2 * b), PAIR),
    "quotient": (
        two(
            lambda a, b: a / (1 + b * b),
            lambda a, b: 1 / (1 + b * b),
            lambda a, b: -2 * a * b / (1 + b * b) ** 2,
        ),
        PAIR,
    ),
    "maximum": (
        two(
            lambda a, b: np.where(a.real >= b.real, a, b),
            lambda a, b: a.real >= b.real,
            lambda a, b: b.real > a.real,
        ),
        PAIR,
    ),
    "gate": (
        two(
            lambda a, b: a * analytic.sigmoid(b),
            lambda a, b: analytic.sigmoid(b),
            lambda a, b: a * sigmoid_slope(b),
        ),
        PAIR,
    ),
    "the second alone": (two(lambda a, b: b * 1, lambda a, b: 0, lambda a, b: 1), PAIR),
    "a second without derivative": (
        made(lambda p, a, b: Activation(a * (b.real > 0), (lambda d: d * (b.real > 0), None)), TwoInputs),
        PAIR,
    ),
    "scalars": (two(lambda a, b: a * b, lambda a, b: b, lambda a, b: a), ((), ())),
}

PARAMETERS: dict[str, Right] = {
    "a factor": (scaled(lambda x, w: w * x, lambda x, w: w, lambda x, w: x), ONE),
    "a factor of a scalar": (scaled(lambda x, w: w * x, lambda x, w: w, lambda x, w: x), ((),)),
    "a shift": (scaled(lambda x, w: x + w, lambda x, w: 1, lambda x, w: 1 + 0 * x), ONE),
    "a square of a parameter": (
        scaled(lambda x, w: w * w * x, lambda x, w: w * w, lambda x, w: 2 * w * x),
        ONE,
    ),
    "an exponential of a parameter": (
        scaled(
            lambda x, w: x * np.exp(-w * w),
            lambda x, w: np.exp(-w * w),
            lambda x, w: -2 * w * x * np.exp(-w * w),
        ),
        ONE,
    ),
    "a root of a parameter": (
        scaled(lambda x, w: x * np.sqrt(w), lambda x, w: np.sqrt(w), lambda x, w: x / (2 * np.sqrt(w))),
        ONE,
    ),
    "a logarithm of a parameter": (
        scaled(lambda x, w: x * np.log(w), lambda x, w: np.log(w), lambda x, w: x / w),
        ONE,
    ),
    "a quotient by a parameter": (
        scaled(lambda x, w: x / w, lambda x, w: 1 / w, lambda x, w: -x / (w * w)),
        ONE,
    ),
    "a temperature": (
        scaled(
            lambda x, w: analytic.tanh(w * x),
            lambda x, w: w * 4 * sigmoid_slope(2 * w * x),
            lambda x, w: x * 4 * sigmoid_slope(2 * w * x),
        ),
        ONE,
    ),
    "a relu of a parameter": (
        scaled(
            lambda x, w: x * branches.relu(w), lambda x, w: branches.relu(w), lambda x, w: x * (w.real > 0)
        ),
        ONE,
    ),
    "a frequency": (
        scaled(lambda x, w: np.sin(w * x), lambda x, w: w * np.cos(w * x), lambda x, w: x * np.cos(w * x)),
        ONE,
    ),
}


test_right = right_test(
    {
        f"{kind} {name}": layer
        for kind, layers in (("pointwise:", POINTWISE), ("inputs:", INPUTS), ("parameters:", PARAMETERS))
        for name, layer in layers.items()
    }
)

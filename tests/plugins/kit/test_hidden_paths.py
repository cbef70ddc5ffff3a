"""What the kit sees of paths that usual calls do not take: special numbers, optional inputs, memos, leaks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.broken_layers import Array, caught
from support.made_layers import Case, broken_test, made, right_test, scaled, twice

from deltawire_layers import Activation, Layer, LayerError, Parameter, Shape
from deltawire_layers.initializers import ones

DELTA, VALUE, GRADIENT = "δ of input 0", "value", "gradient of 'w'"

MEMO: dict[Any, Array] = {}
LOG: list[Array] = []


class Masked(Layer):
    """y = m x, or y = 2x without a mask."""

    def output_shape(self, x: Shape, m: Shape | None = None) -> Shape:
        if m not in (None, x):
            raise LayerError("the shapes differ")
        return x

    def forward(self, params: Any, x: Array, m: Array | None = None) -> Activation:
        if m is None:
            return Activation(2 * x, (lambda delta: 2 * delta,))
        return Activation(x * m, (lambda delta: delta * m, lambda delta: delta * x))


class WronglyMasked(Masked):
    """y = m x, or y = 2x without a mask."""

    def forward(self, params: Any, x: Array, m: Array | None = None) -> Activation:
        right = super().forward(params, x, m)
        return right if m is None else right._replace(deltas=(right.deltas[0], right.deltas[0]))


def per_example(change: Any) -> Layer:
    """y = w x with gradients of each example."""
    return scaled(
        lambda x, w: w * x,
        lambda x, w: w,
        lambda x, w: x,
        per_example=lambda self, params, delta, x: {"w": change((delta * x).sum(axis=-1))},
    )


def remembered(key: Any) -> Layer:
    """y = w x, remembered by a key."""

    def forward(params: Any, x: Array) -> Activation:
        w, name = params["w"], (key(params, x), x.shape, x.dtype.char)
        if len(MEMO) > 20:
            MEMO.clear()
        if name not in MEMO:
            MEMO[name] = w * x
        return Activation(
            MEMO[name] * 1, (lambda delta: delta * w,), {"w": lambda delta: np.asarray((delta * x).sum())}
        )

    return made(forward, parameters=lambda self, x: {"w": Parameter((), ones)})


def logging(params: Any, x: Array) -> Activation:
    LOG.append(x)
    return Activation(2 * x, (lambda delta: 2 * delta,))


def silent(params: Any, x: Array) -> Activation:
    np.seterr(over="raise")
    return Activation(2 * x, (lambda delta: 2 * delta,))


CASES = {
    "nothing learned at the first number": Case(
        4, GRADIENT, scaled(lambda x, w: w * x, lambda x, w: w, lambda x, w: x * (w != 1))
    ),
    "rows with a zero in δ": Case(
        4, DELTA, twice(deltas=(lambda d: 2 * d * (d.real != 0).all(axis=-1, keepdims=True),))
    ),
    "an input that may be left out": Case(4, "δ of input 1", WronglyMasked(), ()),
    "float64 per example": Case(4, "per_example", per_example(lambda g: g.astype(np.float64))),
    "half precision per example": Case(
        4,
        "per_example",
        per_example(lambda g: g.astype(np.float16).astype(g.dtype) if g.dtype == np.float32 else g),
    ),
    "a memo of the inputs alone": Case(1, VALUE, remembered(lambda params, x: x.tobytes())),
    "a memo of the parameters alone": Case(1, VALUE, remembered(lambda params, x: params["w"].tobytes())),
    "something of every call": Case(1, VALUE, made(logging)),
    "numpy's error handling": Case(1, VALUE, made(silent)),
}

test_broken = broken_test(CASES)

RIGHT: dict[str, Any] = {
    "an input that may be left out": (Masked(), ()),
    "per example": (per_example(lambda g: g), ((3,),)),
    "a memo of all": (remembered(lambda params, x: (params["w"].tobytes(), x.tobytes())), ((3,),)),
}

test_right = right_test(RIGHT)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("something of every call", "keeps something of every call"),
        ("numpy's error handling", "write with np.errstate(…) instead of np.seterr(…)"),
        ("rows with a zero in δ", "where some places of δ are 0"),
        ("nothing learned at the first number", "parameters at their first numbers"),
    ],
)
def test_the_message(name: str, words: str) -> None:
    case = CASES[name]
    assert words in str(caught(case.layer, *case.shapes))

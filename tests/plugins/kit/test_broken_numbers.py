"""Layers whose numbers are wrong: in float32 only, for some δ, some parameters, at some places or ties."""

from __future__ import annotations

from typing import Any

import numpy as np
from support.broken_layers import Array, TwoInputs
from support.made_layers import Case, broken_test, made, pointwise, scaled, twice, two

from deltawire_layers import Activation, Layer, Parameter
from deltawire_layers.initializers import ones
from deltawire_layers.numeric import analytic

DELTA, VALUE, GRADIENT = "δ of input 0", "value", "gradient of 'w'"


def short(x: Array) -> bool:
    return bool(x.dtype == np.float32)


def of_delta(change: Any) -> Layer:
    """y = 2x, whose δ is changed."""
    return twice(deltas=(lambda delta: 2 * change(delta),))


def of_gradient(change: Any) -> Layer:
    """y = w x, whose gradient is changed."""

    def forward(params: Any, x: Array) -> Activation:
        w = params["w"]
        return Activation(
            w * x,
            deltas=(lambda delta: delta * w,),
            grads={"w": lambda delta: np.asarray(change(delta, x, w))},
        )

    return made(forward, parameters=lambda self, x: {"w": Parameter((), ones)})


def half(x: Array) -> Array:
    """Numbers rounded to float16, where they are float32."""
    return x.astype(np.float16).astype(x.dtype) if short(x) else x


FLOAT32 = {
    "value negated": Case(4, VALUE, pointwise(lambda x: -x if short(x) else x * 1, lambda x: 1)),
    "delta negated": Case(4, DELTA, pointwise(lambda x: x * x, lambda x: -2 * x if short(x) else 2 * x)),
    "gradient negated": Case(
        4, GRADIENT, of_gradient(lambda d, x, w: (d * x).sum() * (-1 if short(x) else 1))
    ),
    "value in float16": Case(4, VALUE, pointwise(lambda x: 2 * half(x), lambda x: 2)),
    "delta in float16": Case(4, DELTA, of_delta(half)),
    "gradient in float16": Case(4, GRADIENT, of_gradient(lambda d, x, w: (half(d) * x).sum())),
    "gradient of inputs in float16": Case(
        4, GRADIENT, scaled(lambda x, w: w * x, lambda x, w: w, lambda x, w: half(x))
    ),
    "value off by a thousandth": Case(
        4, VALUE, pointwise(lambda x: x * (1.001 if short(x) else 1), lambda x: 1)
    ),
    "delta off by a thousandth": Case(4, DELTA, of_delta(lambda d: d * (1.001 if short(d) else 1))),
    "naive softplus": Case(
        4,
        VALUE,
        pointwise(lambda x: np.log(1 + np.exp(x)), analytic.sigmoid),
    ),
    "naive sinh over cosh": Case(
        4,
        VALUE,
        pointwise(
            lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)), lambda x: 1 - np.tanh(x) ** 2
        ),
    ),
    "float32 takes another branch": Case(
        4, VALUE, pointwise(lambda x: np.where(x.real > 5, x * (0 if short(x) else 1), x), lambda x: 1)
    ),
    "last place dropped in float32": Case(
        4, DELTA, of_delta(lambda d: d * np.array([1, 1, 0 if short(d) else 1], d.dtype))
    ),
    "sum lost in a great offset": Case(
        4,
        VALUE,
        pointwise(
            lambda x: (x + np.asarray(1e6, x.dtype)) - np.asarray(1e6, x.dtype) if short(x) else x * 1,
            lambda x: 1,
        ),
    ),
    "float64 comes back": Case(
        4, VALUE, pointwise(lambda x: x.astype(np.float64) if short(x) else x * 1, lambda x: 1)
    ),
    "complex gradient of float32": Case(
        4,
        GRADIENT,
        of_gradient(lambda d, x, w: (d * x).sum().astype(np.complex64) if short(x) else (d * x).sum()),
    ),
}

DELTAS = {
    "clipped at 1000": Case(
        4, DELTA, of_delta(lambda d: np.where(np.fabs(d.real) > 1000, 1000 * np.sign(d.real), d))
    ),
    "small ones dropped": Case(4, DELTA, of_delta(lambda d: np.where(np.fabs(d.real) < 1e-3, 0, d))),
    "divided by its size": Case(2, DELTA, of_delta(lambda d: d / np.fabs(d.real).max() * 0.9)),
    "an offset": Case(4, DELTA, of_delta(lambda d: d + 1e-3)),
    "sign only": Case(4, DELTA, of_delta(lambda d: np.sign(d.real).astype(d.dtype))),
    "squared": Case(4, DELTA, of_delta(lambda d: d * d)),
    "absolute": Case(
        4,
        DELTA,
        of_delta(lambda d: analytic.absolute(d) if hasattr(analytic, "absolute") else d * np.sign(d.real)),
    ),
    "nothing for large ones": Case(4, DELTA, of_delta(lambda d: d * (np.fabs(d.real).max() < 5000))),
    "gradient clipped": Case(
        4,
        GRADIENT,
        of_gradient(lambda d, x, w: (d * x).sum() * min(1.0, 1e3 / max(1e-9, np.fabs((d * x).sum().real)))),
    ),
    "gradient of small ones dropped": Case(
        4, GRADIENT, of_gradient(lambda d, x, w: (np.where(np.fabs(d.real) < 1e-3, 0, d) * x).sum())
    ),
    "NaN where nothing comes back": Case(4, DELTA, of_delta(lambda d: d / d.real.astype(d.dtype) * d)),
}

PARAMETERS = {
    "right for positive ones only": Case(
        4, DELTA, scaled(lambda x, w: w * x, lambda x, w: np.fabs(w.real), lambda x, w: x)
    ),
    "gradient of negative ones": Case(
        4, GRADIENT, scaled(lambda x, w: w * x, lambda x, w: w, lambda x, w: x * (w.real > 0))
    ),
    "nothing learned at 0": Case(
        4, GRADIENT, scaled(lambda x, w: w * x, lambda x, w: w, lambda x, w: x * (w.real != 0))
    ),
    "gradient by division": Case(
        4, GRADIENT, scaled(lambda x, w: w * x, lambda x, w: w, lambda x, w: w * x / w)
    ),
    "wrong far away": Case(
        4, GRADIENT, scaled(lambda x, w: w * x, lambda x, w: w, lambda x, w: x * (np.fabs(w.real) < 100))
    ),
    "delta wrong far away": Case(
        4,
        DELTA,
        scaled(lambda x, w: w * x, lambda x, w: w if np.fabs(w.real) < 100 else 100 + 0 * w, lambda x, w: x),
    ),
    "value clips a parameter alike in no equation": Case(
        4,
        GRADIENT,
        scaled(
            lambda x, w: x * (w if w.real < 50 else 50 + 0 * w),
            lambda x, w: w if w.real < 50 else 50 + 0 * w,
            lambda x, w: x,
        ),
    ),
    "negative squared": Case(
        4,
        DELTA,
        scaled(lambda x, w: x * w * w, lambda x, w: w * w if w.real > 0 else -w * w, lambda x, w: 2 * x * w),
    ),
    "gradient twice": Case(4, GRADIENT, scaled(lambda x, w: w * x, lambda x, w: w, lambda x, w: 2 * x)),
    "gradient without x": Case(
        4, GRADIENT, scaled(lambda x, w: w * x, lambda x, w: w, lambda x, w: 1 + 0 * x)
    ),
}

PLACES = {
    "factor forgotten": Case(4, DELTA, pointwise(lambda x: x * x, lambda x: x)),
    "sine for cosine": Case(4, DELTA, pointwise(np.sin, np.sin)),
    "minus forgotten": Case(4, DELTA, pointwise(np.cos, np.sin)),
    "tanh without square": Case(4, DELTA, pointwise(np.tanh, lambda x: 1 - np.tanh(x))),
    "exponential shifted": Case(4, DELTA, pointwise(lambda x: np.exp(-x * x), lambda x: -2 * np.exp(-x * x))),
    "constant slope": Case(4, DELTA, pointwise(lambda x: x * x * x, lambda x: 3 + 0 * x)),
    "first place only": Case(4, DELTA, twice(deltas=(lambda d: d * np.array([2, 0, 0], d.dtype),))),
    "reversed": Case(4, DELTA, twice(deltas=(lambda d: 2 * d[:, ::-1],))),
    "wrong below minus one": Case(
        4, DELTA, pointwise(lambda x: x * 1, lambda x: np.where(x.real < -1, 0, 1))
    ),
    "wrong near zero": Case(
        4, DELTA, pointwise(lambda x: x * 1, lambda x: np.where(np.fabs(x.real) < 1e-2, 0, 1))
    ),
    "wrong beyond a thousand": Case(
        4, DELTA, pointwise(lambda x: x * 1, lambda x: np.where(np.fabs(x.real) > 1e3, 0, 1))
    ),
    "wrong at zero": Case(4, DELTA, pointwise(lambda x: x * 1, lambda x: np.where(x.real == 0, 0, 1))),
    "product of equals": Case(4, DELTA, two(lambda a, b: a * b, lambda a, b: a, lambda a, b: a)),
    "quotient without square": Case(
        4,
        "δ of input 1",
        two(
            lambda a, b: a / (1 + b * b), lambda a, b: 1 / (1 + b * b), lambda a, b: -2 * a * b / (1 + b * b)
        ),
    ),
    "sign of the second": Case(
        4, "δ of input 1", two(lambda a, b: a - 2 * b, lambda a, b: 1, lambda a, b: 2)
    ),
    "wrong where both are equal": Case(
        4, DELTA, two(lambda a, b: a + b, lambda a, b: np.where(a.real == b.real, 0, 1), lambda a, b: 1)
    ),
    "mean for sum": Case(
        4,
        DELTA,
        made(
            lambda p, x: Activation(x.sum(axis=-1), deltas=(lambda d: np.repeat(d[:, None] / 3, 3, axis=1),)),
            output_shape=lambda self, x: (),
        ),
    ),
    "max spread": Case(
        4,
        DELTA,
        made(
            lambda p, a, b: Activation(
                np.where(a.real > b.real, a, b), deltas=(lambda d: d / 2, lambda d: d / 2)
            ),
            TwoInputs,
        ),
        ((3,), (3,)),
    ),
    "cumulative forward": Case(
        4, DELTA, made(lambda p, x: Activation(x.cumsum(axis=-1), deltas=(lambda d: d.cumsum(axis=-1),)))
    ),
    "a kink with a slope of its own": Case(
        4, DELTA, pointwise(lambda x: np.where(x.real > 0, x, 0), lambda x: np.where(x.real >= 0, 1, 0))
    ),
    "median with twice the slope": Case(
        4,
        DELTA,
        made(
            lambda p, x: Activation(
                np.take_along_axis(x, x.real.argsort(axis=-1, kind="stable")[:, 1:2], -1)[:, 0],
                deltas=(
                    lambda d: 2 * d[:, None] * (x.real.argsort(axis=-1, kind="stable").argsort(axis=-1) == 1),
                ),
            ),
            output_shape=lambda self, x: (),
            saved=lambda self, x: 99,
        ),
    ),
    "real part in complex": Case(4, VALUE, pointwise(lambda x: x.real.astype(x.dtype), lambda x: 1)),
    "conjugate": Case(4, VALUE, pointwise(lambda x: np.conj(x) * 1, lambda x: 1)),
    "modulus": Case(
        4, VALUE, pointwise(lambda x: np.sqrt(x * np.conj(x) + 1), lambda x: x / np.sqrt(x * x + 1))
    ),
    "rounded": Case(4, DELTA, pointwise(lambda x: np.round(x), lambda x: 1)),
}
for _name in (
    "product of equals",
    "quotient without square",
    "sign of the second",
    "wrong where both are equal",
):
    PLACES[_name] = PLACES[_name]._replace(shapes=((3,), (3,)))

test_broken = broken_test(
    {
        f"{kind} {name}": case
        for kind, cases in (
            ("float32:", FLOAT32),
            ("δ:", DELTAS),
            ("parameters:", PARAMETERS),
            ("places:", PLACES),
        )
        for name, case in cases.items()
    }
)

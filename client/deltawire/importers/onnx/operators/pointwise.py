"""Translate ONNX's functions of each number."""

from __future__ import annotations

from math import inf, isfinite, prod
from typing import Any

import numpy as np

from deltawire.importers import steps
from deltawire.importers.arguments import Harmless, Shown
from deltawire.importers.onnx.node_site import NodeSite
from deltawire.importers.onnx.operators.table import OPERATORS, operator
from deltawire.importers.operands import Stored, Value

KINDS = {
    "Abs": "abs", "Cos": "cos", "Erf": "erf", "Exp": "exp", "HardSwish": "hardswish", "Identity": "identity",
    "Log": "log", "Mish": "mish", "Neg": "negate", "Reciprocal": "reciprocal", "Relu": "relu",
    "Sigmoid": "sigmoid", "Sin": "sin", "Softplus": "softplus", "Sqrt": "sqrt", "Tanh": "tanh",
}  # fmt: skip

MOST_EXPONENTS = 8
"""Greatest number of exponents that a Pow may have."""


def pointwise(at: NodeSite, x: Value) -> Value:
    return at.layer(KINDS[at.function], x)


OPERATORS |= dict.fromkeys(KINDS, pointwise)


@operator("Elu")
def elu(at: NodeSite, x: Value, *, alpha: float = 1.0) -> Value:
    return at.layer("elu", x, alpha=alpha)


@operator("Selu")
def selu(
    at: NodeSite, x: Value, *, alpha: float = 1.67326319217681884765625,
    gamma: float = 1.05070102214813232421875,
) -> Value:  # fmt: skip
    return at.layer("affine", at.step("elu", x, out=x.shape, alpha=alpha), scale=gamma)


@operator("Celu")
def celu(at: NodeSite, x: Value, *, alpha: float = 1.0) -> Value:
    """Translate α elu(x / α)."""
    narrow = at.layer("affine", x, out=x.shape, name=f"{at.name}_within", scale=1 / alpha)
    return at.layer("affine", at.step("elu", narrow, out=x.shape), scale=alpha)


@operator("LeakyRelu")
def leaky_relu(at: NodeSite, x: Value, *, alpha: float = 0.01) -> Value:
    return at.layer("leaky_relu", x, slope=alpha)


@operator("PRelu")
def prelu(at: NodeSite, x: Value, slope: Any) -> Value:
    """Learn one slope, or one for each channel; any other slopes multiply the numbers below 0."""
    if isinstance(slope, Stored) and slope.trainable:
        channels = (x.shape[0], *[1] * (len(x.shape) - 1)) if x.shape else ()
        if slope.array.size == 1:
            return at.layer("prelu", x, params={"weight": slope.shaped((1,))})
        if _last_axes(slope, len(x.shape)) == channels:
            weight = slope.shaped((prod(channels),))
            return at.layer("prelu", x, params={"weight": weight}, per_channel=True)
    above = at.step("relu", x, out=x.shape)
    below = at.step("subtract", x, above, out=x.shape)
    slopes = steps.operand(at, slope, x.shape)
    scaled = at.step("multiply", below, slopes, out=x.shape)
    return at.layer("add", above, scaled)


def _last_axes(stored: Stored, rank: int) -> tuple[int, ...]:
    """Return the shape of an array without leading axes of size 1 beyond a number of axes."""
    shape = stored.array.shape
    while len(shape) > rank and shape[0] == 1:
        shape = shape[1:]
    return shape


@operator("Gelu")
def gelu(at: NodeSite, x: Value, *, approximate: str = "none") -> Value:
    more: dict[str, Any] = {} if approximate == "none" else {"approximate": approximate}
    return at.layer("gelu", x, **more)


@operator("HardSigmoid")
def hard_sigmoid(at: NodeSite, x: Value, *, alpha: float = 0.2, beta: float = 0.5) -> Value:
    return at.layer("hardsigmoid", x, alpha=alpha, beta=beta)


@operator("Swish")
def swish(at: NodeSite, x: Value, *, alpha: float = 1.0) -> Value:
    if alpha == 1:
        return at.layer("silu", x)
    scaled = at.step("affine", x, out=x.shape, scale=alpha)
    return at.layer("multiply", x, at.step("sigmoid", scaled, out=x.shape))


@operator("Softsign")
def softsign(at: NodeSite, x: Value) -> Value:
    sizes = at.step("affine", at.step("abs", x, out=x.shape), out=x.shape, shift=1.0)
    return at.layer("divide", x, sizes)


@operator("Clip")
def clip(at: NodeSite, x: Value, low: Any = None, high: Any = None) -> Value:
    """Clip x by constants, or by the minimum and the maximum with what other nodes compute."""
    if any(isinstance(bound, Value) for bound in (low, high)):
        if low is not None:
            x = at.step("maximum", x, steps.operand(at, low, x.shape), out=x.shape)
        if high is not None:
            x = at.step("minimum", x, steps.operand(at, high, x.shape), out=x.shape)
        return at.layer("identity", x)
    given = {"low": low, "high": high}
    bounds = {name: at.number(bound, name) for name, bound in given.items() if bound is not None}
    settings: dict[str, Any] = {name: bound for name, bound in bounds.items() if isfinite(bound)}
    if bounds.get("low", -inf) > bounds.get("high", inf):
        x = at.step("clip", x, out=x.shape, low=settings.pop("low"))  # the upper bound counts: it comes last
    return at.layer("clip", x, **settings)


@operator("Pow")
def power(at: NodeSite, x: Value, exponent: Stored) -> Value:
    """Raise to constants: by a layer for each of a few exponents, chosen by masks."""
    at.builder.use_as_constant(exponent)
    x = steps.operand(at, x, at.shape())
    exponents = np.unique(exponent.array).tolist()
    if len(exponents) > MOST_EXPONENTS:
        at.refuse(f"has {len(exponents)} exponents: each is a layer power")
    if len(exponents) == 1:
        return at.layer("power", x, exponent=float(exponents[0]))
    y = at.step("power", x, out=x.shape, exponent=float(exponents[0]))
    for one in exponents[1:]:
        mask = at.constant(exponent.array == one, x.shape, f"{at.name}_mask", whole=True)
        y = at.step("where", mask, at.step("power", x, out=x.shape, exponent=float(one)), y, out=x.shape)
    return at.layer("identity", y)


@operator("Dropout")
def dropout(
    at: NodeSite, x: Value, ratio: Harmless = None, training: Stored | None = None, *, seed: Harmless = 0
) -> Value:
    if training is not None and training.array.any():
        at.refuse("drops numbers at random, in training mode")
    return x


@operator("Cast")
def cast(
    at: NodeSite, x: Value, *, to: Shown = 0, saturate: Harmless = 1, round_mode: Harmless = "up"
) -> Value:
    """Return x when the cast changes no number; the dtype of the result is looked at."""
    dtype = at.results[0].dtype
    if x.whole and dtype not in (np.dtype(np.int64), np.dtype(np.int32)):
        at.refuse(f"makes numbers of {dtype} of integers: layers take them as indices only")
    return x

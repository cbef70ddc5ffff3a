"""Translate torch's activations, and its other functions of one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deltawire.importers.arguments import Default, Harmless
from deltawire.importers.operands import Stored, Value
from deltawire.importers.site import Site
from deltawire.importers.torch_fx.functions import FUNCTIONS, function


def pointwise(kind: str) -> Callable[..., Value]:
    def translate(at: Site, x: Value, inplace: Harmless = False) -> Value:
        return at.layer(kind, x)

    return translate


FUNCTIONS |= {
    name: pointwise(kind)
    for kind, names in {
        "abs": ["abs", "absolute", "abs_"], "cos": ["cos"], "erf": ["erf"], "exp": ["exp"], "log": ["log"],
        "hardsigmoid": ["hardsigmoid", "hardsigmoid_"], "hardswish": ["hardswish", "hardswish_"],
        "mish": ["mish"], "negate": ["neg", "negative"], "reciprocal": ["reciprocal"],
        "relu": ["relu", "relu_"], "sigmoid": ["sigmoid", "sigmoid_"], "silu": ["silu", "silu_"],
        "sin": ["sin"], "sqrt": ["sqrt"], "tanh": ["tanh", "tanh_"],
    }.items()
    for name in names
}  # fmt: skip


@function("elu")
def elu(at: Site, x: Value, alpha: float = 1.0, inplace: Harmless = False) -> Value:
    return at.layer("elu", x, alpha=float(alpha))


@function("aten.elu")
def aten_elu(at: Site, x: Value, alpha: float = 1.0, scale: Default = 1, input_scale: Default = 1) -> Value:
    return elu(at, x, alpha)


@function("leaky_relu")
def leaky_relu(at: Site, x: Value, negative_slope: float = 0.01, inplace: Harmless = False) -> Value:
    return at.layer("leaky_relu", x, slope=float(negative_slope))


@function("gelu")
def gelu(at: Site, x: Value, *, approximate: str = "none") -> Value:
    more: dict[str, Any] = {} if approximate == "none" else {"approximate": approximate}
    return at.layer("gelu", x, **more)


@function("glu")
def glu(at: Site, x: Value, dim: int = -1) -> Value:
    return at.layer("glu", x, axis=at.axis(dim, len(x.shape)))


@function("prelu")
def prelu(at: Site, x: Value, weight: Stored) -> Value:
    return at.layer("prelu", x, params={"weight": weight}, per_channel=len(weight.array) > 1)


@function("relu6")
def relu6(at: Site, x: Value, inplace: Harmless = False) -> Value:
    return hardtanh(at, x, 0.0, 6.0)


@function("hardtanh", "hardtanh_")
def hardtanh(
    at: Site, x: Value, min_val: float = -1.0, max_val: float = 1.0, inplace: Harmless = False
) -> Value:
    """Clip x; at a bound, torch takes the derivative 0."""
    return at.layer("clip", x, low=float(min_val), high=float(max_val), at_bounds=0)


@function("clamp", "clip", "clamp_", "clip_")
def clamp(at: Site, x: Value, min: float | None = None, max: float | None = None) -> Value:
    """Clip x; at a bound, torch takes the derivative 1."""
    given = {"low": min, "high": max}
    bounds: dict[str, Any] = {name: float(bound) for name, bound in given.items() if bound is not None}
    return at.layer("clip", x, **bounds)


@function("clamp_min", "clamp_min_")
def clamp_min(at: Site, x: Value, min: float) -> Value:
    return clamp(at, x, min)


@function("clamp_max", "clamp_max_")
def clamp_max(at: Site, x: Value, max: float) -> Value:
    return clamp(at, x, None, max)


@function("softplus")
def softplus(at: Site, x: Value, beta: float = 1, threshold: float = 20) -> Value:
    if threshold < 15:  # from 15 on, log(1 + eˣ) equals x within two bits of float32
        at.refuse(f"beta={beta}, threshold={threshold}: the layer softplus has no threshold")
    if beta == 1:
        return at.layer("softplus", x)
    return _scaled(at, at.step("softplus", _scaled(at, x, float(beta)), out=x.shape), 1 / beta)


def _scaled(at: Site, x: Value, scale: float) -> Value:
    return at.step("affine", x, out=x.shape, scale=scale)


@function("logsigmoid", "log_sigmoid")
def logsigmoid(at: Site, x: Value) -> Value:
    return at.layer("negate", at.step("softplus", _scaled(at, x, -1.0), out=x.shape))


@function("celu", "celu_")
def celu(at: Site, x: Value, alpha: float = 1.0, inplace: Harmless = False) -> Value:
    if alpha == 1:
        return at.layer("elu", x, alpha=1.0)
    return _scaled(at, at.step("elu", _scaled(at, x, 1 / alpha), out=x.shape, alpha=1.0), float(alpha))


@function("selu", "selu_")
def selu(at: Site, x: Value, inplace: Harmless = False) -> Value:
    alpha, scale = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
    return _scaled(at, at.step("elu", x, out=x.shape, alpha=alpha), scale)


@function("softsign")
def softsign(at: Site, x: Value) -> Value:
    size = at.step("affine", at.step("abs", x, out=x.shape), out=x.shape, shift=1.0)
    return at.layer("divide", x, size)


@function("tanhshrink")
def tanhshrink(at: Site, x: Value) -> Value:
    return at.layer("subtract", x, at.step("tanh", x, out=x.shape))


@function("softshrink")
def softshrink(at: Site, x: Value, lambd: float = 0.5) -> Value:
    return at.layer("subtract", x, at.step("clip", x, out=x.shape, low=-float(lambd), high=float(lambd)))


@function("threshold", "threshold_")
def threshold(at: Site, x: Value, threshold: float, value: float, inplace: Harmless = False) -> Value:
    if threshold != value:
        at.refuse(f"threshold={threshold}, value={value}: has a jump, and no layer does")
    return at.layer("clip", x, low=float(value), at_bounds=0)

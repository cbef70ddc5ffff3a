"""The functions of `numeric.analytic`, for forward lines that HIPS autograd traces.

Each is a primitive: autograd calls the function itself, and knows its derivative by the rules below. So its
numbers are those of the built-in layers, also far out.

Arguments are real arrays of any shape.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt
from typing import Any

import numpy as np

from deltawire_layers.autodiff.extras import load
from deltawire_layers.numeric import analytic as numbers

extend = load("autograd.extend", "autograd")
along = load("autograd.numpy", "autograd")

Traced = Callable[..., Any]
Rule = Callable[..., Callable[[Any], Any]]


def _traced(function: Callable[..., Any], rule: Rule) -> Traced:
    """Return a function that autograd traces, with a rule for the derivative by its first argument."""

    def compute(x: Any, *options: Any) -> Any:
        return function(np.asarray(x), *options)

    compute.__name__, compute.__doc__ = function.__name__, function.__doc__
    traced: Traced = extend.primitive(compute)
    extend.defvjp(traced, rule, argnums=(0,))
    return traced


exp: Traced = _traced(numbers.exp, lambda y, x: lambda delta: delta * y)
expm1: Traced = _traced(numbers.expm1, lambda y, x: lambda delta: delta * exp(x))
log: Traced = _traced(numbers.log, lambda y, x: lambda delta: delta / x)
xlogx: Traced = _traced(numbers.xlogx, lambda y, x: lambda delta: delta * (log(x) + 1))
square_root: Traced = _traced(numbers.square_root, lambda y, x: lambda delta: 0.5 * delta / y)
sin: Traced = _traced(numbers.sin, lambda y, x: lambda delta: delta * cos(x))
cos: Traced = _traced(numbers.cos, lambda y, x: lambda delta: -delta * sin(x))
sigmoid: Traced = _traced(numbers.sigmoid, lambda y, x: lambda delta: delta * sigmoid_slope(x))
sigmoid_slope: Traced = _traced(numbers.sigmoid_slope, lambda y, x: lambda delta: -delta * y * tanh(0.5 * x))
tanh: Traced = _traced(numbers.tanh, lambda y, x: lambda delta: delta * tanh_slope(x))
tanh_slope: Traced = _traced(numbers.tanh_slope, lambda y, x: lambda delta: -2 * delta * y * tanh(x))
softplus: Traced = _traced(numbers.softplus, lambda y, x: lambda delta: delta * sigmoid(x))
erf: Traced = _traced(numbers.erf, lambda y, x: lambda delta: delta * (2 / sqrt(pi) * exp(-x * x)))
erfc: Traced = _traced(numbers.erfc, lambda y, x: lambda delta: -delta * (2 / sqrt(pi) * exp(-x * x)))
power: Traced = _traced(numbers.power, lambda y, x, p: lambda delta: delta * power_slope(x, p))
power_slope: Traced = _traced(
    numbers.power_slope, lambda y, x, p: lambda delta: delta * (p * power_slope(x, p - 1) if p else 0 * x)
)
softmax: Traced = _traced(numbers.softmax, lambda y, x: lambda delta: _through_softmax(y, delta))
log_softmax: Traced = _traced(
    numbers.log_softmax,
    lambda y, x: lambda delta: delta - softmax(x) * along.sum(delta, axis=-1, keepdims=True),
)


def divide(a: Any, b: Any) -> Any:
    """Return a / b, with ∞ or NaN where b is 0."""
    return a / b


def scale(x: Any, factor: Any) -> Any:
    """Return factor · x."""
    return factor * x


def shifted(x: Any) -> Any:
    """Return x minus its greatest number along the last axis, which counts as a constant."""
    return x - along.max(x, axis=-1, keepdims=True)


def gate(x: Any) -> tuple[Any, Any]:
    """Return σ(x) and its derivative."""
    return sigmoid(x), sigmoid_slope(x)


def _through_softmax(p: Any, delta: Any) -> Any:
    """Return δ of the scores, p ∘ (δ − pᵀ δ)."""
    return p * (delta - along.sum(p * delta, axis=-1, keepdims=True))

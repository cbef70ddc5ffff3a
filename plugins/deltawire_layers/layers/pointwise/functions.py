"""Functions of one number."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, pi, prod, sqrt

import numpy as np
from marshmallow import Schema

from deltawire_layers.layer import CALL, Activation, Array, Formula, LayerError, Shape, Work
from deltawire_layers.layers.pointwise.pointwise import Compiled, Pointwise
from deltawire_layers.numeric import analytic, branches
from deltawire_layers.shapes import last_axis
from deltawire_plugins import config


class Exp(Pointwise):
    """y = eˣ, for each number of x (...)."""

    formula = Formula(r"e^{{x0}}", (r"{value} \circ {delta}",))

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        y = analytic.exp(x)
        return Activation(y, deltas=(lambda delta: delta * y,))


class Log(Pointwise):
    """y = log x, the natural logarithm, for each number of x (...), x > 0.

    With `low`, y is at least that, also at x = 0; there the derivative is 0.
    """

    class Config(Schema):
        low = config.Number(
            load_default=None, allow_none=True, metadata={"description": "least value; null: none"}
        )

    low: float | None

    domain = (0.0, inf)
    formula = Formula(r"\log {x0}", (r"\frac{1}{{x0}} \circ {delta}",))

    def saved(self, x: Shape) -> int:
        return 0 if self.low is None else 3 * prod(x)  # x and its logarithm without zeros, and places

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        if self.low is None:
            return Activation(analytic.log(x), deltas=(lambda delta: analytic.divide(delta, x),))
        above_zero = np.where(x.real == 0, 1, x)
        y = analytic.log(above_zero)
        inside = (x.real != 0) & ~(y.real < self.low)  # NaN of a number below 0 stays
        return Activation(
            np.where(inside, y, self.low),
            deltas=(lambda delta: branches.keep(inside, analytic.divide(delta, above_zero)),),
        )


class Sqrt(Pointwise):
    """y = √x, for each number of x (...), x > 0; at 0 the value is 0 and the derivative infinite."""

    domain = (0.0, inf)
    formula = Formula(r"\sqrt{{x0}}", (r"\frac{1}{2\,{value}} \circ {delta}",))

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        y = analytic.square_root(x)
        return Activation(y, deltas=(lambda delta: analytic.divide(0.5 * delta, y),))


class Power(Pointwise):
    """y = xᵖ with a constant p, for each number of x (...): x > 0, or any x ≠ 0 where p is a whole number.

    At 0 it is defined where p and the power in the derivative, p − 1, are 0 or more.
    """

    class Config(Schema):
        exponent = config.Number(required=True, metadata={"description": "p, the same for all numbers"})

    exponent: float

    domain = (0.0, inf)
    formula = Formula(r"{x0}^p", (r"p\,{x0}^{p-1} \circ {delta}",))

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        def x_delta(delta: Array) -> Array:
            # A constant has no slope, also where δ is infinite.
            return delta * analytic.power_slope(x, self.exponent) if self.exponent else np.zeros_like(delta)

        return Activation(analytic.power(x, self.exponent), deltas=(x_delta,))


class Affine(Pointwise):
    """y = a ∘ x + b with constants a and b, each one number or a list along the last axis, for x (...)."""

    class Config(Schema):
        scale = config.Constant(
            "a, the same for all numbers, or a list along the last axis", load_default=1.0
        )
        shift = config.Constant(
            "b, the same for all numbers, or a list along the last axis", load_default=0.0
        )

    scale: float | tuple[float, ...]
    shift: float | tuple[float, ...]

    formula = Formula(r"a \circ {x0} + b", (r"a \circ {delta}",))

    def output_shape(self, x: Shape) -> Shape:
        for name, constant in (("scale", self.scale), ("shift", self.shift)):
            if isinstance(constant, tuple) and last_axis(x) != len(constant):
                detail = f"{name} has {len(constant)} numbers, and the last axis {x[-1]} places"
                raise LayerError(f"{detail}, in shape {list(x)}", input=0)
        return x

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        a, b = (np.asarray(constant, x.real.dtype) for constant in (self.scale, self.shift))

        def scaled(array: Array) -> Array:
            return analytic.scale(array, a)

        return Activation(scaled(x) + b, deltas=(scaled,))


class Negate(Pointwise):
    """y = −x, for each number of x (...)."""

    formula = Formula(r"-{x0}", (r"-{delta}",))

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        return Activation(-x, deltas=(lambda delta: -delta,))


class Reciprocal(Pointwise):
    """y = 1 / x, for each number of x (...), x ≠ 0."""

    formula = Formula(r"\frac{1}{{x0}}", (r"-{value}^2 \circ {delta}",))

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        y = analytic.divide(1, x)
        return Activation(y, deltas=(lambda delta: -delta * y * y,))


class Identity(Pointwise):
    """y = x, for x (...)."""

    formula = Formula(r"{x0}", (r"{delta}",))

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        return Activation(x, deltas=(lambda delta: delta,))


class Absolute(Pointwise):
    """y = |x|, for each number of x (...); the slope at 0 is 0."""

    formula = Formula(r"|{x0}|", (r"\operatorname{sign}({x0}) \circ {delta}",))

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        def x_delta(delta: Array) -> Array:
            signed = analytic.scale(delta, branches.choose(x.real < 0, -1.0, 1.0, x))
            return branches.keep(x.real != 0, signed)

        return Activation(branches.absolute(x), deltas=(x_delta,))


class Sin(Pointwise):
    """y = sin x, for each number of x (...) in radians."""

    formula = Formula(r"\sin {x0}", (r"\cos({x0}) \circ {delta}",))

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        return Activation(analytic.sin(x), deltas=(lambda delta: delta * analytic.cos(x),))


class Cos(Pointwise):
    """y = cos x, for each number of x (...) in radians."""

    formula = Formula(r"\cos {x0}", (r"-\sin({x0}) \circ {delta}",))

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        return Activation(analytic.cos(x), deltas=(lambda delta: -delta * analytic.sin(x),))


class Erf(Compiled):
    """y = 2/√π ∫₀ˣ e^(−t²) dt, the error function, for each number of x (...).

    Source: Abramowitz & Stegun, "Handbook of Mathematical Functions", 1964, section 7.1.
    """

    formula = Formula(r"\operatorname{erf}({x0})", (r"\tfrac{2}{\sqrt{\pi}}\, e^{-{x0}^2} \circ {delta}",))

    def work(self, x: Shape) -> Work:
        return Work(each=2**10 * prod(x), once=40 * CALL)  # its polynomials

    def by_numpy(self, x: Array) -> Activation:
        return Activation(
            analytic.erf(x), deltas=(lambda delta: delta * (2 / sqrt(pi) * analytic.exp(-x * x)),)
        )

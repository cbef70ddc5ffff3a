"""Layers of one input that work on every number by itself."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, pi, prod, sqrt

import numpy as np
from marshmallow import Schema

from deltawire_layers.layer import CALL, Activation, Array, Formula, Layer, LayerError, Shape, Work
from deltawire_layers.numeric import analytic, branches
from deltawire_layers.shapes import last_axis
from deltawire_plugins import config


class Pointwise(Layer):
    """One number out for each number in: δx = f′(x) ∘ δ."""

    elementwise = True

    def output_shape(self, x: Shape) -> Shape:
        return x


class Sigmoid(Pointwise):
    """y = 1 / (1 + e⁻ˣ), for each number of x (...)."""

    formula = Formula(
        r"\sigma({x0}) = \frac{1}{1 + e^{-{x0}}}", (r"{value} \circ (1 - {value}) \circ {delta}",)
    )

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        y = analytic.sigmoid(x)

        def x_delta(delta: Array) -> Array:
            below = 1 - y
            below *= y
            below *= delta
            return below

        return Activation(y, deltas=(x_delta,))


class Tanh(Pointwise):
    """y = tanh x, for each number of x (...)."""

    formula = Formula(r"\tanh {x0}", (r"(1 - {value}^2) \circ {delta}",))

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        y = analytic.tanh(x)

        def x_delta(delta: Array) -> Array:
            below = y * y
            np.subtract(1, below, out=below)
            below *= delta
            return below

        return Activation(y, deltas=(x_delta,))


class Relu(Pointwise):
    """y = max(0, x), for each number of x (...); the slope at 0 is 0."""

    formula = Formula(r"\max(0, {x0})", (r"[{x0} > 0] \circ {delta}",))

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        return Activation(branches.relu(x), deltas=(lambda delta: branches.keep(x.real > 0, delta),))


class LeakyRelu(Pointwise):
    """y = x where x > 0, else slope · x, for each number of x (...); at 0 the derivative is the slope.

    Source: Maas, Hannun & Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.
    """

    class Config(Schema):
        slope = config.Number(load_default=0.01, metadata={"description": "derivative below 0"})

    slope: float

    formula = Formula(
        r"\max(0, {x0}) + s \min(0, {x0})", (r"\left([{x0} > 0] + s\,[{x0} \le 0]\right) \circ {delta}",)
    )

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        def sloped(array: Array) -> Array:
            return analytic.scale(array, branches.choose(x.real > 0, 1.0, self.slope, x))

        return Activation(sloped(x), deltas=(sloped,))


class Elu(Pointwise):
    """y = x where x > 0, else alpha · (eˣ − 1), for each number of x (...); at 0 the derivative is alpha.

    Source: Clevert, Unterthiner & Hochreiter, "Fast and Accurate Deep Network Learning by Exponential Linear
    Units (ELUs)", 2015, arXiv:1511.07289.
    """

    class Config(Schema):
        alpha = config.Number(
            load_default=1.0, metadata={"description": "−y far below 0, and the derivative just below 0"}
        )

    alpha: float

    formula = Formula(
        r"\max(0, {x0}) + \alpha\,(e^{\min(0, {x0})} - 1)",
        (r"\left([{x0} > 0] + \alpha\,[{x0} \le 0]\,e^{{x0}}\right) \circ {delta}",),
    )

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        def x_delta(delta: Array) -> Array:
            above = x.real > 0
            slope = analytic.exp(branches.keep(~above, x))  # 1 where x > 0
            slope *= branches.choose(above, 1.0, self.alpha, x)
            slope *= delta
            return slope

        above = x.real > 0
        below = branches.keep(~above, x)
        value = analytic.expm1(below, out=below)
        value *= self.alpha
        value += branches.relu(x)
        return Activation(value, deltas=(x_delta,))


class Gelu(Pointwise):
    """y = x Φ(x), with Φ the distribution function of the standard normal, for each number of x (...).

    Exact, by the error function, and precise in both tails.

    Source: Hendrycks & Gimpel, "Gaussian Error Linear Units (GELUs)", 2016, arXiv:1606.08415.
    """

    formula = Formula(
        r"{x0} \circ \Phi({x0}), \quad \Phi(t) = \tfrac{1}{2} \operatorname{erfc}(-t / \sqrt{2})",
        (r"\left(\Phi({x0}) + {x0} \circ \Phi'({x0})\right) \circ {delta}",),
    )

    def saved(self, x: Shape) -> int:
        return prod(x)

    def work(self, x: Shape) -> Work:
        return Work(each=2**10 * prod(x), once=40 * CALL)  # the polynomials of erfc

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        below = 0.5 * analytic.erfc(x * -sqrt(0.5))  # Φ(x)

        def density(x: Array) -> Array:
            return analytic.exp(-0.5 * x * x) / sqrt(2 * pi)  # Φ′(x)

        return Activation(x * below, deltas=(lambda delta: delta * (below + x * density(x)),))


class Silu(Pointwise):
    """y = x σ(x), with σ(x) = 1 / (1 + e⁻ˣ), for each number of x (...).

    Source: Elfwing, Uchibe & Doya, "Sigmoid-Weighted Linear Units for Neural Network Function Approximation
    in Reinforcement Learning", 2017, arXiv:1702.03118.
    """

    formula = Formula(
        r"{x0} \circ \sigma({x0})",
        (r"\sigma({x0}) \circ (1 + {x0} \circ (1 - \sigma({x0}))) \circ {delta}",),
    )

    def saved(self, x: Shape) -> int:
        return prod(x)

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        s = analytic.sigmoid(x)
        return Activation(x * s, deltas=(lambda delta: delta * s * (1 + x * (1 - s)),))


class Softplus(Pointwise):
    """y = log(1 + eˣ), for each number of x (...).

    Source: Dugas et al., "Incorporating Second-Order Functional Knowledge for Better Option Pricing", 2000.
    """

    formula = Formula(r"\log(1 + e^{{x0}})", (r"\sigma({x0}) \circ {delta}",))

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        return Activation(analytic.softplus(x), deltas=(lambda delta: delta * analytic.sigmoid(x),))


class Exp(Pointwise):
    """y = eˣ, for each number of x (...)."""

    formula = Formula(r"e^{{x0}}", (r"{value} \circ {delta}",))

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        y = analytic.exp(x)
        return Activation(y, deltas=(lambda delta: delta * y,))


class Log(Pointwise):
    """y = log x, the natural logarithm, for each number of x (...), x > 0."""

    domain = (0.0, inf)
    formula = Formula(r"\log {x0}", (r"\frac{1}{{x0}} \circ {delta}",))

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        return Activation(analytic.log(x), deltas=(lambda delta: analytic.divide(delta, x),))


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

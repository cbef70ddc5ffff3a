"""Smooth activations of networks."""

from __future__ import annotations

from collections.abc import Mapping
from math import pi, prod, sqrt

import numpy as np
from marshmallow import Schema, fields, validate

from deltawire_layers.layer import CALL, Activation, Array, Formula, Shape, Work
from deltawire_layers.layers.pointwise.pointwise import Compiled, Pointwise
from deltawire_layers.numeric import analytic, branches


class Sigmoid(Compiled):
    """y = 1 / (1 + e⁻ˣ), for each number of x (...)."""

    keeps_slope = True

    formula = Formula(
        r"\sigma({x0}) = \frac{1}{1 + e^{-{x0}}}", (r"{value} \circ (1 - {value}) \circ {delta}",)
    )

    def saved(self, x: Shape) -> int:
        return prod(x)

    def by_numpy(self, x: Array) -> Activation:
        def x_delta(delta: Array) -> Array:
            below = analytic.sigmoid_slope(x)
            below *= delta
            return below

        return Activation(analytic.sigmoid(x), deltas=(x_delta,))


class Tanh(Compiled):
    """y = tanh x, for each number of x (...)."""

    formula = Formula(r"\tanh {x0}", (r"(1 - {value}^2) \circ {delta}",))

    def by_numpy(self, x: Array) -> Activation:
        def x_delta(delta: Array) -> Array:
            below = analytic.tanh_slope(x)
            below *= delta
            return below

        return Activation(analytic.tanh(x), deltas=(x_delta,))


class Gelu(Compiled):
    """y = x Φ(x), with Φ the distribution function of the standard normal, for each number of x (...).

    Exact by default, by the error function, and precise in both tails. The form `tanh` takes
    Φ(x) ≈ (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2.

    Source: Hendrycks & Gimpel, "Gaussian Error Linear Units (GELUs)", 2016, arXiv:1606.08415.
    """

    class Config(Schema):
        approximate = fields.String(
            load_default="none",
            validate=validate.OneOf(["none", "tanh"]),
            metadata={"description": "how Φ is computed: exactly, or by tanh"},
        )

    approximate: str
    keeps_slope = True

    formula = Formula(
        r"{x0} \circ \Phi({x0}), \quad \Phi(t) = \tfrac{1}{2} \operatorname{erfc}(-t / \sqrt{2})",
        (r"\left(\Phi({x0}) + {x0} \circ \Phi'({x0})\right) \circ {delta}",),
    )

    @property
    def function(self) -> str:
        return "gelu_tanh" if self.approximate == "tanh" else "gelu"

    def saved(self, x: Shape) -> int:
        return prod(x)

    def work(self, x: Shape) -> Work:
        return Work(each=2**10 * prod(x), once=40 * CALL)  # the polynomials of erfc

    def by_numpy(self, x: Array) -> Activation:
        below = by_tanh(x) if self.approximate == "tanh" else 0.5 * analytic.erfc(x * -sqrt(0.5))  # Φ(x)

        def density() -> Array:
            """Return Φ′(x)."""
            if self.approximate == "tanh":
                return by_tanh_slope(x)
            return analytic.exp(-0.5 * x * x) / sqrt(2 * pi)

        return Activation(x * below, deltas=(lambda delta: delta * (below + x * density()),))


CUBIC = 0.044715
"""Factor of x³ in the form of gelu by tanh, from the paper."""


FARTHEST = 64.0
"""Size of an x beyond which the form by tanh is 0 or 1 in any dtype; its cube might overflow."""


def by_tanh(x: Array) -> Array:
    """Return Φ(x), about, by tanh: (1 + tanh u) / 2 is the sigmoid of 2u, which is precise in its tail."""
    x = branches.clip(x, -FARTHEST, FARTHEST)
    return analytic.sigmoid(2 * sqrt(2 / pi) * (x + CUBIC * x * x * x))


def by_tanh_slope(x: Array) -> Array:
    """Return the derivative of `by_tanh`."""
    x = branches.clip(x, -FARTHEST, FARTHEST)
    rise = 2 * sqrt(2 / pi) * (1 + 3 * CUBIC * x * x)
    return rise * analytic.sigmoid_slope(2 * sqrt(2 / pi) * (x + CUBIC * x * x * x))


class Silu(Compiled):
    """y = x σ(x), with σ(x) = 1 / (1 + e⁻ˣ), for each number of x (...).

    Source: Elfwing, Uchibe & Doya, "Sigmoid-Weighted Linear Units for Neural Network Function Approximation
    in Reinforcement Learning", 2017, arXiv:1702.03118.
    """

    keeps_slope = True

    formula = Formula(
        r"{x0} \circ \sigma({x0})",
        (r"\sigma({x0}) \circ (1 + {x0} \circ (1 - \sigma({x0}))) \circ {delta}",),
    )

    def saved(self, x: Shape) -> int:
        return prod(x)

    def by_numpy(self, x: Array) -> Activation:
        s = analytic.sigmoid(x)
        return Activation(x * s, deltas=(lambda delta: delta * s * (1 + x * analytic.sigmoid(-x)),))


class Softplus(Compiled):
    """y = log(1 + eˣ), for each number of x (...).

    Source: Dugas et al., "Incorporating Second-Order Functional Knowledge for Better Option Pricing", 2000.
    """

    formula = Formula(r"\log(1 + e^{{x0}})", (r"\sigma({x0}) \circ {delta}",))

    def by_numpy(self, x: Array) -> Activation:
        return Activation(analytic.softplus(x), deltas=(lambda delta: delta * analytic.sigmoid(x),))


class Mish(Pointwise):
    """y = x tanh(log(1 + eˣ)), for each number of x (...).

    Source: Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", 2019, arXiv:1908.08681.
    """

    formula = Formula(
        r"{x0} \circ t, \quad t = \tanh(\log(1 + e^{{x0}}))",
        (r"\left(t + {x0} \circ (1 - t^2) \circ \sigma({x0})\right) \circ {delta}",),
    )

    def saved(self, x: Shape) -> int:
        return prod(x)

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        t = analytic.tanh(analytic.softplus(x))

        def x_delta(delta: Array) -> Array:
            return np.asarray(
                delta * (t + x * analytic.tanh_slope(analytic.softplus(x)) * analytic.sigmoid(x))
            )

        return Activation(x * t, deltas=(x_delta,))

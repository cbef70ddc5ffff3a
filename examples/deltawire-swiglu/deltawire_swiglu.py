"""The layer `swiglu` for deltawire: a gated linear unit."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from marshmallow import Schema, validate

from deltawire_layers import (
    Activation,
    Array,
    Formula,
    Layer,
    Parameter,
    Shape,
    analytic,
    config,
    products,
    shapes,
)
from deltawire_layers.initializers import fan_in


class SwiGLU(Layer):
    """y = (W x) ∘ silu(V x) over the last axis, with x (..., n), W (units, n), V (units, n), y (..., units).

    silu(z) = z σ(z); W is the parameter `weight`, V is `gate_weight`. Source: Shazeer, arXiv:2002.05202.
    """

    class Config(Schema):
        units = config.Integer(
            required=True, validate=validate.Range(min=1), metadata={"description": "numbers out"}
        )

    units: int

    def output_shape(self, x: Shape) -> Shape:
        shapes.last_axis(x)  # refuses a single number, which has no axis
        return (*x[:-1], self.units)

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        matrix = Parameter((self.units, x[-1]), fan_in(x[-1]))
        return {"weight": matrix, "gate_weight": matrix}

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        W, V = params["weight"], params["gate_weight"]
        a, z = x @ W.T, x @ V.T
        s = analytic.sigmoid(z)
        gate = z * s
        slope = s * (1 + z * (1 - s))  # silu′(z)
        return Activation(
            value=a * gate,
            signal=lambda delta: (delta * gate, delta * a * slope),  # δ of W x, δ of V x
            deltas=(lambda both: both[0] @ W + both[1] @ V,),
            grads={
                "weight": lambda both: products.outer(both[0], x),
                "gate_weight": lambda both: products.outer(both[1], x),
            },
        )

    def saved(self, x: Shape) -> int:
        return 3 * prod(x[:-1]) * self.units  # a, gate, slope

    formula = Formula(
        value=r"({weight}\,{x0}) \circ g, \quad g = z \circ \sigma(z), \quad z = {gate_weight}\,{x0}",
        deltas=(r"{weight}^{\top} \delta_a + {gate_weight}^{\top} \delta_z",),
        grads={
            "weight": r"\delta_a\,{x0}^{\top}, \quad \delta_a = {delta} \circ g",
            "gate_weight": r"\delta_z\,{x0}^{\top}, \quad "
            r"\delta_z = {delta} \circ ({weight}\,{x0}) \circ \sigma(z) \circ (1 + z \circ (1 - \sigma(z)))",
        },
    )

"""SwiGLU, of which only the forward line is written, in plain numpy."""

from __future__ import annotations

from collections.abc import Mapping

from marshmallow import Schema, validate

from deltawire_layers import Array, Parameter, Shape, config
from deltawire_layers.autodiff import NumpyLayer, analytic
from deltawire_layers.initializers import fan_in


class SwiGLU(NumpyLayer):
    """y = (W x) ∘ silu(V x) over the last axis, with x (..., n), W and V (units, n), y (..., units)."""

    class Config(Schema):
        units = config.Integer(
            required=True, validate=validate.Range(min=1), metadata={"description": "numbers out"}
        )

    units: int

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        matrix = Parameter((self.units, x[-1]), fan_in(x[-1]))
        return {"weight": matrix, "gate_weight": matrix}

    def value(self, params: Mapping[str, Array], x: Array) -> Array:
        z = x @ params["gate_weight"].T
        return (x @ params["weight"].T) * z * analytic.sigmoid(z)

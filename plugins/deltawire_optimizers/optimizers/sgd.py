"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from marshmallow import Schema, ValidationError, validate, validates_schema

from deltawire_optimizers import kernels
from deltawire_optimizers.optimizer import (
    Array,
    Optimizer,
    Param,
    Shape,
    StateArray,
    Step,
    learning_rate_field,
)
from deltawire_optimizers.optimizers.decay import decayed, weight_decay_field
from deltawire_plugins import config


class Sgd(Optimizer):
    """θ ← θ − γ g, or θ ← θ − γ b with momentum, b ← μ b + (1 − τ) g.

    In the first step, b is g.

    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013.
    """

    class Config(Schema):
        learning_rate = learning_rate_field(1e-3)
        momentum = config.Number(
            load_default=0.0, validate=validate.Range(min=0), metadata={"description": "momentum μ"}
        )
        dampening = config.Number(load_default=0.0, metadata={"description": "dampening τ of the momentum"})
        nesterov = config.Flag(
            load_default=False,
            metadata={"description": "step by g + μ b; takes momentum, and no dampening"},
        )
        weight_decay = weight_decay_field(0.0, "λ: λ θ is added to g")

        @validates_schema
        def _check_nesterov(self, data: dict[str, Any], **_: Any) -> None:
            if data["nesterov"] and not (data["momentum"] > 0 and data["dampening"] == 0):
                raise ValidationError("nesterov needs a momentum above 0 and a dampening of 0", "nesterov")

    momentum: float
    dampening: float
    nesterov: bool
    weight_decay: float

    scratch = 2

    formula = (
        r"g_t \leftarrow g_t + \lambda\,\theta_{t-1} \\"
        r"b_t = \mu\,b_{t-1} + (1 - \tau)\,g_t,\quad b_1 = g_1 \\"
        r"\theta_t = \theta_{t-1} - \gamma_t\,b_t,\quad"
        r"\text{with nesterov } \theta_t = \theta_{t-1} - \gamma_t\,(g_t + \mu\,b_t)"
    )

    def state(self, shape: Shape) -> dict[str, StateArray]:
        return {"momentum_buffer": StateArray(shape)} if self.momentum else {}

    def update(
        self, param: Array, gradient: Array, state: Mapping[str, Array], scratch: Array, step: Step
    ) -> None:
        b = state.get("momentum_buffer")
        first, second = scratch
        g = decayed(gradient, param, self.weight_decay, first)
        if b is not None:
            if step.number == 1:
                np.copyto(b, g)
            else:
                b *= self.momentum
                b += np.multiply(g, 1 - self.dampening, out=second)
            if self.nesterov:
                g = np.add(g, np.multiply(b, self.momentum, out=second), out=first)
            else:
                g = b
        param -= np.multiply(g, step.learning_rate, out=second)

    def update_compiled(self, before: Param, gradient: Array, after: Param, step: Step) -> bool:
        numbers = self.weight_decay, self.momentum, 1 - self.dampening, step.learning_rate
        old, new = ((each.value, each.state.get("momentum_buffer")) for each in (before, after))
        return kernels.sgd(old, gradient, new, numbers, starts=step.number == 1, nesterov=self.nesterov)

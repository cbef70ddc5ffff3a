"""Adagrad: steps of the gradient, divided by the root of the sum of its squares."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from marshmallow import Schema, validate

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


class Adagrad(Optimizer):
    """θ ← θ − γ g / (√s + ε), with the sum s of g² over all steps; γ falls as γ / (1 + (t − 1) η).

    Source: Duchi et al., "Adaptive Subgradient Methods for Online Learning and Stochastic
    Optimization", JMLR 12, 2011.
    """

    class Config(Schema):
        learning_rate = learning_rate_field(1e-2)
        lr_decay = config.Number(
            load_default=0.0,
            validate=validate.Range(min=0),
            metadata={"description": "η, by which the learning rate falls"},
        )
        weight_decay = weight_decay_field(0.0, "λ: λ θ is added to g")
        initial_accumulator_value = config.Number(
            load_default=0.0,
            validate=validate.Range(min=0),
            metadata={"description": "s before the first step"},
        )
        eps = config.Number(
            load_default=1e-10,
            validate=validate.Range(min=0),
            metadata={"description": "ε, added to the root"},
        )

    lr_decay: float
    weight_decay: float
    initial_accumulator_value: float
    eps: float

    scratch = 2

    formula = (
        r"g_t \leftarrow g_t + \lambda\,\theta_{t-1} \\"
        r"s_t = s_{t-1} + g_t^2 \\"
        r"\theta_t = \theta_{t-1} - \frac{\gamma_t}{1 + (t - 1)\,\eta}\,\frac{g_t}{\sqrt{s_t} + \varepsilon}"
    )

    def state(self, shape: Shape) -> dict[str, StateArray]:
        return {"sum": StateArray(shape, self.initial_accumulator_value)}

    def update(
        self, param: Array, gradient: Array, state: Mapping[str, Array], scratch: Array, step: Step
    ) -> None:
        s = state["sum"]
        first, second = scratch
        g = decayed(gradient, param, self.weight_decay, first)
        s += np.multiply(g, g, out=second)
        root = np.sqrt(s, out=second)
        root += self.eps
        change = np.divide(g, root, out=second)
        change *= self._rate(step)
        param -= change

    def update_compiled(self, before: Param, gradient: Array, after: Param, step: Step) -> bool:
        old, new = ((each.value, each.state["sum"], None, None) for each in (before, after))
        numbers = self.weight_decay, 1.0, 1.0, self.eps, 0.0, self._rate(step)
        return kernels.rms(old, gradient, new, numbers)

    def _rate(self, step: Step) -> float:
        """Return γ, which falls from step to step."""
        return step.learning_rate / (1 + (step.number - 1) * self.lr_decay)

"""Lion: steps of one size, by the sign of the mean gradient."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from marshmallow import Schema

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
from deltawire_optimizers.optimizers.decay import weight_decay_field
from deltawire_optimizers.optimizers.means import betas_field, mean_update


class Lion(Optimizer):
    """θ ← (1 − γ λ) θ − γ sign(β₁ m + (1 − β₁) g), then m ← β₂ m + (1 − β₂) g.

    Source: Chen et al., "Symbolic Discovery of Optimization Algorithms", NeurIPS 2023, arXiv:2302.06675.
    """

    class Config(Schema):
        learning_rate = learning_rate_field(1e-4)
        betas = betas_field(0.9, 0.99, "β₁ and β₂: how much of the mean stays in the step, and in the state")
        weight_decay = weight_decay_field(0.0, "λ: θ shrinks by γ λ θ")

    betas: list[float]
    weight_decay: float

    scratch = 2

    formula = (
        r"\theta_t = \theta_{t-1} - \gamma_t\,\bigl("
        r"\operatorname{sign}(\beta_1\,m_{t-1} + (1 - \beta_1)\,g_t) + \lambda\,\theta_{t-1}\bigr) \\"
        r"m_t = \beta_2\,m_{t-1} + (1 - \beta_2)\,g_t"
    )

    def state(self, shape: Shape) -> dict[str, StateArray]:
        return {"exp_avg": StateArray(shape)}

    def update(
        self, param: Array, gradient: Array, state: Mapping[str, Array], scratch: Array, step: Step
    ) -> None:
        beta1, beta2 = self.betas
        m = state["exp_avg"]
        first, second = scratch
        change = np.multiply(m, beta1, out=first)
        change += np.multiply(gradient, 1 - beta1, out=second)
        np.sign(change, out=change)
        change *= step.learning_rate
        if self.weight_decay:
            param *= self._kept(step)
        param -= change
        mean_update(m, gradient, beta2, second)

    def update_compiled(self, before: Param, gradient: Array, after: Param, step: Step) -> bool:
        beta1, beta2 = self.betas
        numbers = self._kept(step), beta1, 1 - beta1, beta2, 1 - beta2, step.learning_rate
        old, new = ((each.value, each.state["exp_avg"]) for each in (before, after))
        return kernels.lion(old, gradient, new, numbers)

    def _kept(self, step: Step) -> float:
        """Return what θ is multiplied by before its step."""
        return 1 - step.learning_rate * self.weight_decay

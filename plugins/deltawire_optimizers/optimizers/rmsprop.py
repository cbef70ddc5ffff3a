"""RMSprop: steps of the gradient, divided by its root mean square."""

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
from deltawire_optimizers.optimizers.means import mean_update
from deltawire_plugins import config


class RmsProp(Optimizer):
    """θ ← θ − γ g / (√v + ε), with a mean v of g²; with momentum, θ ← θ − γ b, b ← μ b + g / (√v + ε).

    Source: Tieleman and Hinton, "Lecture 6.5: RMSprop", COURSERA, 2012; centered: Graves, arXiv:1308.0850.
    """

    class Config(Schema):
        learning_rate = learning_rate_field(1e-2)
        alpha = config.Number(
            load_default=0.99,
            validate=validate.Range(min=0, max=1),
            metadata={"description": "α: how much of the means stays in a step"},
        )
        eps = config.Number(
            load_default=1e-8,
            validate=validate.Range(min=0),
            metadata={"description": "ε, added to the root"},
        )
        weight_decay = weight_decay_field(0.0, "λ: λ θ is added to g")
        momentum = config.Number(
            load_default=0.0, validate=validate.Range(min=0), metadata={"description": "momentum μ"}
        )
        centered = config.Flag(
            load_default=False, metadata={"description": "divide by the standard deviation of g"}
        )

    alpha: float
    eps: float
    weight_decay: float
    momentum: float
    centered: bool

    scratch = 2

    formula = (
        r"g_t \leftarrow g_t + \lambda\,\theta_{t-1} \\"
        r"v_t = \alpha\,v_{t-1} + (1 - \alpha)\,g_t^2 \\"
        r"u_t = v_t,\quad\text{with centered } u_t = v_t - m_t^2,\quad "
        r"m_t = \alpha\,m_{t-1} + (1 - \alpha)\,g_t \\"
        r"b_t = \mu\,b_{t-1} + g_t / (\sqrt{u_t} + \varepsilon) \\"
        r"\theta_t = \theta_{t-1} - \gamma_t\,b_t"
    )

    def state(self, shape: Shape) -> dict[str, StateArray]:
        names = ["square_avg"]
        names += ["grad_avg"] if self.centered else []
        names += ["momentum_buffer"] if self.momentum else []
        return dict.fromkeys(names, StateArray(shape))

    def update(
        self, param: Array, gradient: Array, state: Mapping[str, Array], scratch: Array, step: Step
    ) -> None:
        v, m, b = state["square_avg"], state.get("grad_avg"), state.get("momentum_buffer")
        first, second = scratch
        g = decayed(gradient, param, self.weight_decay, first)
        v *= self.alpha
        square = np.multiply(g, g, out=second)
        square *= 1 - self.alpha
        v += square
        if m is not None:
            mean_update(m, g, self.alpha, second)
            variance = np.subtract(v, np.multiply(m, m, out=second), out=second)
            root = np.sqrt(np.maximum(variance, 0, out=second), out=second)  # rounding may leave it below 0
        else:
            root = np.sqrt(v, out=second)
        root += self.eps
        change = np.divide(g, root, out=second)
        if b is not None:
            b *= self.momentum
            b += change
            change = np.multiply(b, step.learning_rate, out=second)
        else:
            change *= step.learning_rate
        param -= change

    def update_compiled(self, before: Param, gradient: Array, after: Param, step: Step) -> bool:
        means = self.alpha, 1 - self.alpha
        numbers = self.weight_decay, *means, self.eps, self.momentum, step.learning_rate
        names = "square_avg", "grad_avg", "momentum_buffer"
        old, new = ([each.value, *map(each.state.get, names)] for each in (before, after))
        return kernels.rms(old, gradient, new, numbers)

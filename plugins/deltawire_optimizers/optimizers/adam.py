"""Adam and AdamW: steps of the mean gradient, divided by its root mean square."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

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
from deltawire_optimizers.optimizers.means import betas_field, mean_update
from deltawire_plugins import config

_MEANS = (
    r"m_t = \beta_1\,m_{t-1} + (1 - \beta_1)\,g_t \\"
    r"v_t = \beta_2\,v_{t-1} + (1 - \beta_2)\,g_t^2 \\"
)
_STEP = (
    r"\frac{\gamma_t}{1 - \beta_1^t}\,"
    r"\frac{m_t}{\sqrt{u_t / (1 - \beta_2^t)} + \varepsilon},"
    r"\quad u_t = v_t,\quad\text{with amsgrad } u_t = \max(u_{t-1}, v_t)"
)


class AdamConfig(Schema):
    """The config of both, but for their weight decay."""

    learning_rate = learning_rate_field(1e-3)
    betas = betas_field(0.9, 0.999, "β₁ and β₂: how much of the means of g and g² stays in a step")
    eps = config.Number(
        load_default=1e-8,
        validate=validate.Range(min=0),
        metadata={"description": "ε, added to the root"},
    )
    amsgrad = config.Flag(
        load_default=False, metadata={"description": "divide by the largest mean of g² so far"}
    )


class Adam(Optimizer):
    """θ ← θ − γ m̂ / (√v̂ + ε), with means m of g and v of g², corrected for their start at 0.

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, arXiv:1412.6980;
    amsgrad: Reddi et al., "On the Convergence of Adam and Beyond", ICLR 2018.
    """

    class Config(AdamConfig):
        weight_decay = weight_decay_field(0.0, "λ: λ θ is added to g")

    betas: list[float]
    eps: float
    weight_decay: float
    amsgrad: bool

    scratch = 2

    formula = rf"g_t \leftarrow g_t + \lambda\,\theta_{{t-1}} \\{_MEANS}\theta_t = \theta_{{t-1}} - {_STEP}"

    def state(self, shape: Shape) -> dict[str, StateArray]:
        names = ["exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if self.amsgrad else [])]
        return dict.fromkeys(names, StateArray(shape))

    def update(
        self, param: Array, gradient: Array, state: Mapping[str, Array], scratch: Array, step: Step
    ) -> None:
        g = decayed(gradient, param, self.weight_decay, scratch[0])
        self._take_step(param, g, state, scratch, step)

    def update_compiled(self, before: Param, gradient: Array, after: Param, step: Step) -> bool:
        return self._compiled(before, gradient, after, step, decay=self.weight_decay)

    def _compiled(
        self,
        before: Param,
        gradient: Array,
        after: Param,
        step: Step,
        kept: float = 1.0,
        decay: float = 0.0,
    ) -> bool:
        """Take the step of both optimizers by a kernel, and return whether there is one.

        Args:
            before: θ with its means.
            gradient: its gradient.
            after: the arrays that are written.
            step: the numbers of this step.
            kept: what θ is multiplied by first.
            decay: how much of θ is then added to the gradient.
        """
        beta1, beta2 = self.betas
        means = beta1, 1 - beta1, beta2, 1 - beta2
        change = sqrt(1 - beta2**step.number), self.eps, step.learning_rate / (1 - beta1**step.number)
        return kernels.adam(_arrays(before), gradient, _arrays(after), (kept, decay, *means, *change))

    def _take_step(
        self, param: Array, g: Array, state: Mapping[str, Array], scratch: Array, step: Step
    ) -> None:
        """Take the step of both optimizers.

        Args:
            param: θ.
            g: its gradient; it may be the first scratch array.
            state: the means.
            scratch: two arrays to compute in.
            step: the numbers of this step.
        """
        first, second = scratch
        beta1, beta2 = self.betas
        m, v = state["exp_avg"], state["exp_avg_sq"]
        mean_update(m, g, beta1, second)
        mean_update(v, np.multiply(g, g, out=first), beta2, second)
        if self.amsgrad:
            v = np.maximum(state["max_exp_avg_sq"], v, out=state["max_exp_avg_sq"])
        root = np.sqrt(v, out=first)
        root /= sqrt(1 - beta2**step.number)
        root += self.eps
        change = np.divide(m, root, out=second)
        change *= step.learning_rate / (1 - beta1**step.number)
        param -= change


class AdamW(Adam):
    """θ ← (1 − γ λ) θ − γ m̂ / (√v̂ + ε): Adam with weight decay apart from the gradient.

    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019, arXiv:1711.05101.
    """

    class Config(AdamConfig):
        weight_decay = weight_decay_field(1e-2, "λ: θ shrinks by γ λ θ")

    formula = rf"{_MEANS}\theta_t = (1 - \gamma_t\,\lambda)\,\theta_{{t-1}} - {_STEP}"

    def update(
        self, param: Array, gradient: Array, state: Mapping[str, Array], scratch: Array, step: Step
    ) -> None:
        if self.weight_decay:
            param *= self._kept(step)
        self._take_step(param, gradient, state, scratch, step)

    def update_compiled(self, before: Param, gradient: Array, after: Param, step: Step) -> bool:
        return self._compiled(before, gradient, after, step, self._kept(step))

    def _kept(self, step: Step) -> float:
        """Return what θ is multiplied by before its step."""
        return 1 - step.learning_rate * self.weight_decay


def _arrays(param: Param) -> list[Array | None]:
    return [param.value, *(param.state.get(name) for name in ("exp_avg", "exp_avg_sq", "max_exp_avg_sq"))]

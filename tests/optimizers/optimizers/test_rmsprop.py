"""RMSprop where rounding would make it fail."""

from __future__ import annotations

import numpy as np

from deltawire_optimizers import Step, init_state, update
from deltawire_optimizers.optimizers.rmsprop import RmsProp


def test_a_constant_gradient_has_no_negative_variance() -> None:
    optimizer = RmsProp(centered=True, alpha=0.3)
    params = {"w": np.zeros(1000)}
    gradients = {"w": np.random.default_rng(0).normal(size=1000)}
    state = init_state(optimizer, params)
    for number in range(1, 200):
        update(optimizer, params, gradients, state, Step(number, 1e-12))
    assert (state["w.square_avg"] - state["w.grad_avg"] ** 2).min() < 0  # what the square root would get
    assert np.isfinite(params["w"]).all()

"""SGD on numbers that can be computed by hand, and its config."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from marshmallow import ValidationError

from deltawire_optimizers import Step, init_state, update
from deltawire_optimizers.optimizers.sgd import Sgd


def test_two_steps_by_hand() -> None:
    optimizer = Sgd(learning_rate=0.1, momentum=0.5)
    params = {"w": np.array([1.0])}
    state = init_state(optimizer, params)
    update(optimizer, params, {"w": np.array([2.0])}, state, Step(1, 0.1))
    assert params["w"] == 0.8 and state["w.momentum_buffer"] == 2
    update(optimizer, params, {"w": np.array([4.0])}, state, Step(2, 0.1))
    assert state["w.momentum_buffer"] == 5 and params["w"] == pytest.approx(0.3)


@pytest.mark.parametrize("config", [{}, {"momentum": 0.9, "dampening": 0.1}])
def test_nesterov_needs_plain_momentum(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="nesterov needs"):
        Sgd(nesterov=True, **config)

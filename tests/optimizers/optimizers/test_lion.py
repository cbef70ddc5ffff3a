"""Lion against the algorithm of its paper, written number by number."""

from __future__ import annotations

import numpy as np
import pytest
from support.training import drawn, trained

from deltawire_optimizers import Step, init_state, update
from deltawire_optimizers.optimizers.lion import Lion


def algorithm_2(steps: int, rate: float, beta1: float, beta2: float, decay: float) -> dict[str, np.ndarray]:
    """Chen et al., arXiv:2302.06675, algorithm 2: u ← sign(interpolation), θ ← θ − η (u + λ θ)."""
    ended = {}
    for name, start in drawn().items():
        theta, numbers = start.ravel().tolist(), start.size
        momentum = [0.0] * numbers
        for number in range(1, steps + 1):
            gradient = drawn(number)[name].ravel().tolist()
            for i in range(numbers):
                c = beta1 * momentum[i] + (1 - beta1) * gradient[i]
                sign = (c > 0) - (c < 0)
                theta[i] = theta[i] - rate * (sign + decay * theta[i])
                momentum[i] = beta2 * momentum[i] + (1 - beta2) * gradient[i]
        ended[name] = np.reshape(theta, start.shape)
    return ended


@pytest.mark.parametrize(
    ("rate", "betas", "decay"), [(1e-4, (0.9, 0.99), 0.0), (0.01, (0.95, 0.98), 0.1), (0.01, (0.0, 0.5), 0.5)]
)
def test_100_steps_are_those_of_the_paper(rate: float, betas: tuple[float, float], decay: float) -> None:
    ours = trained(Lion(learning_rate=rate, betas=betas, weight_decay=decay), 100)
    for name, expected in algorithm_2(100, rate, *betas, decay).items():
        np.testing.assert_allclose(ours[name], expected, rtol=1e-12, atol=1e-12)


def test_a_gradient_of_zero_moves_nothing() -> None:
    lion = Lion(learning_rate=1.0)
    param, zero = np.ones(3), np.zeros(3)
    update(lion, {"w": param}, {"w": zero}, init_state(lion, {"w": param}), Step(1, 1.0))
    assert param.tolist() == [1, 1, 1]

"""Parameters and gradients to try optimizers on."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltawire_optimizers import Array, Optimizer, Step, init_state, update

SHAPES: dict[str, tuple[int, ...]] = {
    "hidden.weight": (4, 3),
    "hidden.bias": (4,),
    "scale": (),
    "long": (9001,),
}


def drawn(seed: int = 0, dtype: Any = np.float64) -> dict[str, Array]:
    """An array of each shape, from a normal distribution."""
    stream = np.random.default_rng(seed)
    return {name: np.asarray(stream.normal(size=shape), dtype) for name, shape in SHAPES.items()}


def trained(optimizer: Optimizer, steps: int, dtype: Any = np.float64) -> dict[str, Array]:
    """The parameters after some steps; the gradients of step n have the seed n."""
    params = drawn(dtype=dtype)
    state = init_state(optimizer, params)
    for number in range(1, steps + 1):
        update(optimizer, params, drawn(number, dtype), state, Step(number, optimizer.learning_rate))
    return params

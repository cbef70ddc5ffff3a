"""How a parameter's first numbers are drawn.

Only uniform draws are used: they come from the generator's bits by exact operations, so that one seed gives
the same numbers on every machine. (A normal draw goes through the machine's own log and exp.)
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from deltawire_layers.layer import Array, Shape


def zeros(stream: np.random.Generator, shape: Shape) -> Array:
    """All zeros."""
    return np.zeros(shape)


def ones(stream: np.random.Generator, shape: Shape) -> Array:
    """All ones."""
    return np.ones(shape)


@dataclass(frozen=True)
class Uniform:
    """Uniform on [−bound, bound)."""

    bound: float

    def __call__(self, stream: np.random.Generator, shape: Shape) -> Array:
        return np.asarray((2.0 * stream.random(shape) - 1.0) * self.bound)


def fan_in(count: int) -> Uniform:
    """Uniform within ±1/√count, for `count` numbers summed into one: torch's default for linear layers."""
    return Uniform(1.0 / sqrt(max(count, 1)))


unit_variance = Uniform(sqrt(3.0))
"""Variance one: the spread of torch's default for embeddings."""

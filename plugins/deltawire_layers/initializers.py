"""Draw the first numbers of parameters.

Only uniform draws are used: exact operations make them from the generator's bits, so that one seed gives the
same numbers on every machine. A normal draw would depend on the machine's log and exp.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from marshmallow import validate

from deltawire_layers.layer import Array, Initializer, Shape
from deltawire_plugins import config


def zeros(stream: np.random.Generator, shape: Shape) -> Array:
    """Return zeros."""
    return np.zeros(shape)


def ones(stream: np.random.Generator, shape: Shape) -> Array:
    """Return ones."""
    return np.ones(shape)


@dataclass(frozen=True)
class Uniform:
    """Draws uniformly from [−bound, bound)."""

    bound: float

    def __call__(self, stream: np.random.Generator, shape: Shape) -> Array:
        return np.asarray((2.0 * stream.random(shape) - 1.0) * self.bound)


@dataclass(frozen=True)
class Constant:
    """Returns one number everywhere."""

    number: float

    def __call__(self, stream: np.random.Generator, shape: Shape) -> Array:
        return np.full(shape, float(self.number))


@dataclass(frozen=True)
class Normal:
    """Draws from the normal distribution of mean 0, but for its tails, which end at 6 standard deviations.

    A number is the sum of twelve uniform ones, less 6: it has variance 1 and is made by exact operations.
    """

    deviation: float

    def __call__(self, stream: np.random.Generator, shape: Shape) -> Array:
        total = np.full(shape, -6.0)
        for _ in range(12):
            total += stream.random(shape)
        return np.asarray(total * self.deviation)


def fan_in(count: int) -> Uniform:
    """Return the uniform initializer within ±1/√count, for `count` numbers that are summed into one.

    It is torch's default for linear layers and convolutions.
    """
    return Uniform(1.0 / sqrt(max(count, 1)))


unit_variance = Uniform(sqrt(3.0))
"""Draws with variance 1, that of torch's default for embeddings."""


@dataclass(frozen=True)
class Scaled:
    """Draws what another initializer draws, times a factor."""

    init: Initializer
    factor: float

    def __call__(self, stream: np.random.Generator, shape: Shape) -> Array:
        return np.asarray(self.factor * self.init(stream, shape))


def scale_field() -> config.Number:
    """Return the field `init_scale` of a Config, the factor of a `Scaled` initializer."""
    return config.Number(
        load_default=1.0,
        validate=validate.Range(min=0, max=1e6),
        metadata={"description": "factor of the first numbers of the parameters"},
    )

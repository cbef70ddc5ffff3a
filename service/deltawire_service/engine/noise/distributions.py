"""The distributions of noise: each makes one number of 64 random bits, by exact operations.

So the number at a place can be drawn without those before it, and is the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from deltawire_layers import NUMBER, Array
from deltawire_service.engine.noise.normal_quantile import normal_quantile


class Distribution(Protocol):
    """How the numbers of a noise input are drawn."""

    @property
    def mean(self) -> float:
        """The mean, which every number has where no noise is drawn."""

    @property
    def work(self) -> int:
        """Operations for each number."""

    def draw(self, bits: Array) -> Array:
        """Return a number in float64 for each integer of 64 random bits, (n,)."""


@dataclass(frozen=True)
class Uniform:
    """Numbers strictly between −bound and bound."""

    bound: float
    mean = 0.0
    work = 8 * NUMBER

    def draw(self, bits: Array) -> Array:
        return (2.0 * _uniform(bits) - 1.0) * self.bound


@dataclass(frozen=True)
class Normal:
    """Numbers of the normal distribution of mean 0; the largest is 8.2 standard deviations away."""

    deviation: float
    mean = 0.0
    work = 40 * NUMBER

    def draw(self, bits: Array) -> Array:
        # 52 bits and a half are between 0 and 1, and a float64 holds them exactly.
        return normal_quantile(((bits >> np.uint64(12)) + 0.5) * 2.0**-52) * self.deviation


@dataclass(frozen=True)
class Dropout:
    """Factors of mean 1: 0 with probability p, and 1 / (1 − p) otherwise."""

    p: float
    mean = 1.0
    work = 8 * NUMBER

    def draw(self, bits: Array) -> Array:
        return np.where(_uniform(bits) < self.p, 0.0, 1.0 / (1.0 - self.p))


def _uniform(bits: Array) -> Array:
    """Return numbers strictly between 0 and 1, which float32 holds exactly."""
    uniform: Array = ((bits >> np.uint64(41)) + 0.5) * 2.0**-23
    return uniform

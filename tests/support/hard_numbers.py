"""Families of inputs at which rounding, overflow, underflow and ties show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Draw = Callable[[np.random.Generator, tuple[int, ...], Any], np.ndarray]
"""Draws numbers of a shape, given the limits of the dtype; float64, to be rounded to it."""


class Family(NamedTuple):
    """A family: how its numbers are drawn, the places of the free axis, and the examples of a batch."""

    draw: Draw
    places: int = 3
    batch: int = 2


def normal(scale: float, offset: float = 0.0) -> Draw:
    return lambda stream, shape, limits: offset + scale * stream.standard_normal(shape)


def constant(number: float) -> Draw:
    return lambda stream, shape, limits: np.full(shape, number)


def between(low: float, high: float) -> Draw:
    """Numbers of either sign, whose sizes lie between two."""
    return lambda stream, shape, limits: stream.choice([-1, 1], shape) * stream.uniform(low, high, shape)


def of_limit(limit: str, low: float, high: float) -> Draw:
    """Numbers of either sign, between two multiples of a limit of the dtype."""

    def draw(stream: np.random.Generator, shape: tuple[int, ...], limits: Any) -> np.ndarray:
        return (
            stream.choice([-1, 1], shape) * stream.uniform(low, high, shape) * float(getattr(limits, limit))
        )

    return draw


def root_of_limit(limit: str, power: float) -> Draw:
    def draw(stream: np.random.Generator, shape: tuple[int, ...], limits: Any) -> np.ndarray:
        return stream.standard_normal(shape) * float(getattr(limits, limit)) ** power

    return draw


def mixed(stream: np.random.Generator, shape: tuple[int, ...], limits: Any) -> np.ndarray:
    reach = limits.maxexp / 2
    return stream.choice([-1, 1], shape) * 2.0 ** stream.uniform(-reach, reach, shape)


def one_hot(stream: np.random.Generator, shape: tuple[int, ...], limits: Any) -> np.ndarray:
    numbers = np.zeros(shape)
    numbers.reshape(-1)[:: max(1, shape[-1] if shape else 1)] = 1
    return numbers


def whole(stream: np.random.Generator, shape: tuple[int, ...], limits: Any) -> np.ndarray:
    return stream.integers(-2, 3, shape).astype(float)


def alternating(stream: np.random.Generator, shape: tuple[int, ...], limits: Any) -> np.ndarray:
    return 1e4 * (-1.0) ** np.arange(np.prod(shape, dtype=int)).reshape(shape)


def cancelling(stream: np.random.Generator, shape: tuple[int, ...], limits: Any) -> np.ndarray:
    """Pairs of neighbours that differ in the last places, and in their sign."""
    signs = (-1.0) ** np.arange(np.prod(shape, dtype=int)).reshape(shape)
    return signs * 1e3 * (1 + 8 * float(limits.eps) * stream.integers(-4, 5, shape))


def kinks(stream: np.random.Generator, shape: tuple[int, ...], limits: Any) -> np.ndarray:
    """Next to the bounds of clips and gates."""
    bounds = stream.choice([-3.0, -1.0, 1.0, 3.0], shape)
    return bounds * (1 + float(limits.eps) * stream.integers(-3, 4, shape))


def infinite(stream: np.random.Generator, shape: tuple[int, ...], limits: Any) -> np.ndarray:
    return np.where(stream.random(shape) < 0.3, np.inf * stream.choice([-1, 1], shape), 1.0)


FAMILIES: dict[str, Family] = {
    "zeros": Family(constant(0.0)),
    "negative zeros": Family(constant(-0.0)),
    "denormals": Family(of_limit("smallest_subnormal", 1, 1000)),
    "smallest normals": Family(of_limit("smallest_normal", 1, 16)),
    "tiny": Family(root_of_limit("smallest_normal", 0.6)),
    "small": Family(normal(1e-5)),
    "constant": Family(constant(0.1)),
    "normal": Family(normal(1.0)),
    "leveling off": Family(between(8, 20)),
    "saturated": Family(between(40, 80)),
    "far out": Family(between(100, 1000)),
    "great": Family(normal(1e8)),
    "equal and great": Family(constant(1e8)),
    "squares overflow": Family(root_of_limit("max", 0.6)),
    "greatest": Family(of_limit("max", 0.01, 0.06)),
    "great offset": Family(normal(1e-2, 1e4)),
    "mixed sizes": Family(mixed),
    "one-hot": Family(one_hot),
    "ties": Family(whole),
    "alternating": Family(alternating),
    "cancelling": Family(cancelling),
    "kinks": Family(kinks),
    "infinite": Family(infinite),
    "one example": Family(normal(30.0), batch=1),
    "one place": Family(normal(30.0), places=1),
    "long rows": Family(normal(1.0, 1.0), places=200),
}

"""The noise inputs of a network, and their numbers for some rows of a batch.

A number depends on the seed, on the name of the input, on the row and on the place in it alone. So it is the
same however a batch is cut, and wherever a part of it is computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from deltawire_layers import Array, Shape, check_deadline
from deltawire_service.engine.noise.distributions import Distribution
from deltawire_service.engine.random_streams import stream

NUMBERS_AT_ONCE = 2**14
"""Numbers drawn at once: what they are made of stays in the caches, and takes no memory of the plan."""


@dataclass(frozen=True)
class NoiseInput:
    """An input whose numbers are drawn for each example."""

    shape: Shape
    """Of one example."""
    distribution: Distribution

    @property
    def work(self) -> int:
        """Operations that drawing one example takes."""
        return prod(self.shape) * self.distribution.work

    def draw(self, seed: int, name: str, rows: range, dtype: np.dtype[Any]) -> Array:
        """Return the numbers of some rows, (rows, *shape), read-only.

        Args:
            seed: the seed of the noise.
            name: the name of the input.
            rows: the rows, by their number in the whole batch.
            dtype: the dtype of the numbers.

        Raises:
            DeadlineExceeded: the deadline has passed.
        """
        drawn = np.empty((len(rows), *self.shape), dtype)
        # Each number takes one step of the generator, so a row begins at a known place.
        source = stream(seed, name).bit_generator.advance(rows.start * prod(self.shape))  # type: ignore[attr-defined]
        numbers = drawn.reshape(-1)
        for start in range(0, numbers.size, NUMBERS_AT_ONCE):
            check_deadline()
            piece = numbers[start : start + NUMBERS_AT_ONCE]
            piece[...] = self.distribution.draw(source.random_raw(piece.size))
        drawn.flags.writeable = False
        return drawn

    def means(self, rows: int, dtype: np.dtype[Any]) -> Array:
        """Return what the input has for so many rows where no noise is drawn, (rows, *shape), read-only.

        Args:
            rows: the number of rows.
            dtype: the dtype of the numbers.
        """
        mean: Array = np.asarray(self.distribution.mean, dtype)
        return np.broadcast_to(mean, (rows, *self.shape))

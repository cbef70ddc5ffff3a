"""The statistics of a column, gathered block by block."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

import numpy as np

from deltawire.wire import Array

MOST_DISTINCT = 256
"""Different integers of a column that are counted."""


class Statistics:
    """Gathers the statistics of one column: over all numbers of all rows. Only finite ones count."""

    def __init__(self) -> None:
        self._count = 0
        self._non_finite = 0
        self._least: float = inf
        self._most: float = -inf
        self._mean = 0.0
        self._squares = 0.0
        """The sum of (x − mean)²."""
        self._distinct: Array | None = np.empty(0, np.int64)

    def add(self, numbers: Array) -> None:
        """Add a block of numbers."""
        whole = numbers.dtype.kind == "i"
        flat = numbers.reshape(-1)
        if whole:
            self._add_distinct(flat)
        else:
            finite = np.isfinite(flat)
            self._non_finite += flat.size - int(np.count_nonzero(finite))
            flat = flat[finite]
        if not flat.size:
            return
        self._least, self._most = min(self._least, flat.min().item()), max(self._most, flat.max().item())
        values = flat.astype(np.float64, copy=False)
        # Chan, Golub and LeVeque: join the means and the squares of two parts.
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(values.mean())
            squares = float(np.square(values - mean).sum())
            count = self._count + values.size
            step = mean - self._mean
            self._squares += squares + step * step * self._count * values.size / count
            self._mean += step * values.size / count
        self._count = count

    def result(self) -> dict[str, Any]:
        """Return the statistics, as JSON; null where they are not finite, or no number is."""
        found: dict[str, Any] = {
            "min": self._least if self._count else None,
            "max": self._most if self._count else None,
            "mean": _finite(self._mean) if self._count else None,
            "std": _finite(sqrt(self._squares / self._count)) if self._count else None,
            "non_finite": self._non_finite,
        }
        if self._distinct is not None and self._distinct.size:
            found["distinct"] = int(self._distinct.size)
        return found

    def _add_distinct(self, numbers: Array) -> None:
        if self._distinct is not None:
            joined = np.union1d(self._distinct, numbers)
            self._distinct = joined if joined.size <= MOST_DISTINCT else None


def _finite(number: float) -> float | None:
    return number if abs(number) < inf else None

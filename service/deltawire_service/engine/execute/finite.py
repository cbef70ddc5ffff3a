"""Finite numbers: one test for a result, and numpy's warnings switched off where results are tested."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isfinite
from typing import TypeVar

import numpy as np

from deltawire_layers import Array

T = TypeVar("T")

quietly = np.errstate(all="ignore")
"""Decorates what computes results: overflow and the like show in these, which are tested afterwards."""


@quietly
def call_quietly(function: Callable[[], T]) -> T:
    """Call a function without numpy's warnings, and return its result."""
    return function()


def is_finite(array: Array) -> bool:
    """Return whether every number of an array is finite."""
    if array.size == 1 and array.dtype.kind == "f":
        return isfinite(array.item())  # a product takes ten times as long
    # One product, at the speed of memory: it is finite only if every number is, though it may overflow.
    return isfinite(np.vdot(array, array).real) or bool(np.isfinite(array).all())


def all_finite(arrays: Iterable[Array]) -> bool:
    """Return whether every number of all these arrays is finite."""
    return all(map(is_finite, arrays))

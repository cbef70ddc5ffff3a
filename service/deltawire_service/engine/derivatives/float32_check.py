"""Compare backprop in float32 with float64 at the same arguments: part of the gradient check."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltawire_layers import Array
from deltawire_service.engine.derivatives.gradients import compute_gradients
from deltawire_service.engine.execute.batch_run import BatchRun
from deltawire_service.engine.execute.finite import quietly
from deltawire_service.engine.execute.objective import Objective
from deltawire_service.engine.graph import Arrays

FLOAT, FLOAT32 = np.dtype(np.float64), np.dtype(np.float32)

LAST_BIT = float(np.finfo(np.float32).eps)

FLOAT32_TOLERANCE = 1e-3
"""Relative difference always allowed between float32 and float64."""

CONDITION = 32
"""Difference allowed beside it, in multiples of what last bits of float32 in the arguments change."""


def as_dtype(arrays: Arrays, dtype: np.dtype[Any]) -> dict[str, Array]:
    """Return arrays in another floating dtype; integers stay."""
    return {n: array if array.dtype == np.int64 else array.astype(dtype) for n, array in arrays.items()}


@quietly
def compare_float32(run: BatchRun, objective: Objective, strict: bool) -> dict[str, tuple[float, float]]:
    """Return how far gradients in float32 are from those in float64, and how far they may be, by array.

    Both are relative to the largest gradient of the array, or to 1 where that is less. Names are those of
    the check: `params/…`, `data/…`, `deltas/…`.

    Args:
        run: the run of the gradients.
        objective: the reduced loss.
        strict: whether a number that is not finite in float32 alone is a difference, too.
    """
    exact = _gradients(run, objective, FLOAT)
    single = _gradients(run, objective, FLOAT32)
    moved = _gradients(run, objective, FLOAT, np.random.default_rng(0))
    compared = {}
    for name, right in exact.items():
        size = max(1.0, float(np.abs(right).max(initial=0)))
        counted = np.isfinite(right) & (strict | np.isfinite(single[name]))
        apart = np.nan_to_num(np.where(counted, np.abs(single[name] - right), 0), nan=np.inf, posinf=np.inf)
        condition = float(np.abs(moved[name] - right).max(initial=0)) / size
        difference = float(apart.max(initial=0)) / size
        compared[name] = difference, FLOAT32_TOLERANCE + CONDITION * condition
    return compared


def _gradients(
    run: BatchRun, objective: Objective, dtype: np.dtype[Any], stream: np.random.Generator | None = None
) -> dict[str, Array]:
    """Return gradients and deltas at the arguments in float32, computed in a dtype.

    Args:
        run: the run of the gradients.
        objective: the reduced loss.
        dtype: the dtype to compute in.
        stream: moves each argument by a last bit of float32; None for no such move.
    """

    def rounded(arrays: Arrays) -> dict[str, Array]:
        given = as_dtype(as_dtype(arrays, FLOAT32), dtype)
        if stream is None:
            return given
        return {
            name: array
            if array.dtype == np.int64
            else array * (1 + LAST_BIT * stream.choice((-1.0, 1.0), array.shape))
            for name, array in sorted(given.items())  # in whatever order they came
        }

    batch = run.batch
    moved = batch.with_arrays(rounded(batch.params), rounded(batch.data), dtype)
    result, _ = compute_gradients(run.with_batch(moved), objective)
    parts = {"params": result.params, "data": result.data, "deltas": result.deltas}
    return {f"{part}/{name}": array for part, arrays in parts.items() for name, array in arrays.items()}

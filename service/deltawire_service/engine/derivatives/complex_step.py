"""The complex step: f(x + i·h·v).imag / h is the derivative of f along v, exact for analytic layers.

Source: Squire & Trapp, "Using Complex Variables to Estimate Derivatives of Real Functions", SIAM Review 40,
1998. Nothing is subtracted, so h can be so small that its square is 0: the step causes no error.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from deltawire.errors import Fault
from deltawire_layers import Array
from deltawire_service.engine.derivatives.directions import Direction
from deltawire_service.engine.execute.batch_run import Batch, BatchRun
from deltawire_service.engine.execute.finite import quietly
from deltawire_service.engine.execute.non_finite import find_non_finite
from deltawire_service.engine.graph import Arrays

COMPLEX_STEP_EXPONENT = -664
"""The step is 2 to this power, about 1e-200: multiplying by a power of two rounds nothing.

Its square is 0, so where two factors move, an exact tie stays a tie. Along directions of size 1 (all are
scaled to it) derivatives down to 2^-358, about 1e-108, keep all their digits.
"""

COMPLEX = np.dtype(np.complex128)


class Step:
    """The step along one direction, which is scaled to size 1 by a power of two.

    Args:
        direction: the direction.
    """

    def __init__(self, direction: Direction):
        self._direction = direction
        largest = max((float(np.abs(array).max(initial=0)) for array in direction.flat().values()), default=0)
        self._exponent = int(np.frexp(largest)[1]) if np.isfinite(largest) else 0

    @quietly
    def moved(self, run: BatchRun) -> BatchRun:
        """Return a run with its arrays moved by the step, in complex128."""
        params = self._moved(run.batch.params, self._direction.params)
        data = self._moved(run.batch.data, self._direction.data)
        return run.with_batch(Batch(params, data, run.batch.size, COMPLEX))

    @quietly
    def derivative(self, array: Array, dtype: np.dtype[Any]) -> Array:
        """Return the derivative along the direction, in a dtype, of an array that a moved run computed."""
        scaled = _scaled(array.imag, self._exponent - COMPLEX_STEP_EXPONENT, np.empty(array.shape))
        return scaled.astype(dtype, copy=False)

    def _moved(self, arrays: Arrays, along: Arrays) -> dict[str, Array]:
        return {
            name: array if array.dtype == np.int64 else self._with_step(array, along.get(name))
            for name, array in arrays.items()
        }

    def _with_step(self, array: Array, along: Array | None) -> Array:
        moved = np.empty(array.shape, COMPLEX)
        moved.real = array
        if along is None:
            moved.imag = 0
        else:
            _scaled(along, COMPLEX_STEP_EXPONENT - self._exponent, moved.imag)
        return moved


def first_non_finite(run: BatchRun, steps: Iterable[Step]) -> Fault:
    """Return the fault of the first array that is not finite, in a run or in its derivatives along steps.

    Args:
        run: the run, not moved.
        steps: the steps that its derivatives were computed along.
    """
    fault = find_non_finite(run)
    derivatives = (find_non_finite(step.moved(run), "the derivative of its") for step in steps)
    fault = fault or next(filter(None, derivatives), None)
    return fault or Fault("/network", "non_finite", f"a derivative is too large for {run.batch.dtype}")


def _scaled(array: Array, power: int, out: Array) -> Array:
    """Write the numbers times 2 to a power, which rounds nothing, in float64."""
    if -1022 <= power <= 1023:  # the power is a number itself: five times as fast as ldexp
        return np.multiply(array, 2.0**power, out=out, dtype=np.float64)
    half = power // 2
    return np.ldexp(np.ldexp(array.astype(np.float64), half, out=out), power - half, out=out)

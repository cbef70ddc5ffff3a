"""The complex step: f(x + i·h·v).imag / h is the derivative of f along v, exact for analytic layers.

Source: Squire & Trapp, "Using Complex Variables to Estimate Derivatives of Real Functions", SIAM Review 40,
1998. Nothing is subtracted, so h can be so small that its square vanishes: there is no error of the step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deltawire.errors import Fault
from deltawire_layers import Array
from deltawire_service.engine.derivatives.directions import Direction
from deltawire_service.engine.execute.backprop import Arrays
from deltawire_service.engine.execute.batch_run import BatchRun, quietly

COMPLEX_STEP_EXPONENT = -664
"""The step is 2 to this power, about 1e-200, and a power of two: nothing is rounded for its sake.

Its square is 0, so that two factors that move leave an exact tie a tie. Along directions of size 1 (to which
all are brought) derivatives down to 2^-358, about 1e-108, keep all their digits.
"""

COMPLEX = np.dtype(np.complex128)


class Step:
    """The step along one direction, brought to size 1: `size` is the power of two that it was divided by."""

    def __init__(self, direction: Direction):
        self.direction = direction
        largest = max((float(np.abs(array).max(initial=0)) for array in direction.flat().values()), default=0)
        self.size = int(np.frexp(largest)[1]) if np.isfinite(largest) else 0

    @quietly
    def moved(self, batch_run: BatchRun) -> BatchRun:
        """The work with its arrays moved by the step, in complex128."""
        return batch_run._replace(
            params=self._moved(batch_run.params, self.direction.params),
            data=self._moved(batch_run.data, self.direction.data),
            dtype=COMPLEX,
        )

    @quietly
    def derivative(self, array: Array, dtype: np.dtype[Any]) -> Array:
        """The derivative along the direction of what a moved work has computed."""
        return _scaled(array.imag, self.size - COMPLEX_STEP_EXPONENT, np.empty(array.shape)).astype(
            dtype, copy=False
        )

    def first_non_finite(self, batch_run: BatchRun, deadline: float) -> Fault:
        """Where the first number that is not finite appeared: in the work itself, or in its derivative."""
        found = batch_run.find_non_finite(deadline)
        found = found or self.moved(batch_run).find_non_finite(deadline, "the derivative of its")
        return found or Fault("/network", "non_finite", f"a derivative is too large for {batch_run.dtype}")

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
            _scaled(along, COMPLEX_STEP_EXPONENT - self.size, moved.imag)
        return moved


def _scaled(array: Array, power: int, out: Array) -> Array:
    """The numbers times 2 to a power, which rounds nothing, in float64."""
    if -1022 <= power <= 1023:  # a number itself: five times as fast as ldexp
        return np.multiply(array, 2.0**power, out=out, dtype=np.float64)
    half = power // 2
    return np.ldexp(np.ldexp(array.astype(np.float64), half, out=out), power - half, out=out)

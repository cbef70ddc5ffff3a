"""The complex step: f(x + i·h·v).imag / h is the derivative of f along v, exact for analytic layers.

Source: Squire & Trapp, "Using Complex Variables to Estimate Derivatives of Real Functions", SIAM Review 40,
1998. Nothing is subtracted, so h can be so small that its square is 0: the step causes no error.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, NamedTuple, Self

import numpy as np

from deltawire_layers import Array, complex_parts
from deltawire_service.engine.execute.finite import quietly
from deltawire_service.engine.graph import Arrays

COMPLEX_STEP_EXPONENT = -664
"""The step is 2 to this power, about 1e-200: multiplying by a power of two rounds nothing.

Its square is 0, so where two factors move, an exact tie stays a tie. Along directions of size 1 (all are
scaled to it) derivatives down to 2^-358, about 1e-108, keep all their digits.
"""

COMPLEX = np.dtype(np.complex128)


class Step(NamedTuple):
    """The step along one direction, which is scaled to size 1 by a power of two.

    Attributes:
        params: the direction by parameter; it is zero along all that is not named.
        data: the direction by input.
        exponent: the power of two that the whole direction is scaled by.
    """

    params: Arrays
    data: Arrays
    exponent: int

    @classmethod
    def along(cls, params: Arrays, data: Arrays) -> Self:
        """Return the step along a direction: arrays by parameter, and by input."""
        arrays = chain(params.values(), data.values())
        largest = max((float(np.abs(array).max(initial=0)) for array in arrays), default=0)
        return cls(params, data, int(np.frexp(largest)[1]) if np.isfinite(largest) else 0)

    @quietly
    def moved_params(self, params: Arrays) -> dict[str, complex_parts.Known]:
        """Return parameters moved by the step, in complex128, each with its parts."""
        return {name: self._moved(array, self.params.get(name)) for name, array in params.items()}

    @quietly
    def moved_data(self, name: str, numbers: Array, rows: slice | None = None) -> Array:
        """Return numbers of an input moved by the step, in complex128; integers do not move.

        Args:
            name: the input.
            numbers: its numbers.
            rows: the rows that they are of; None for an input without a batch axis.
        """
        if numbers.dtype == np.int64:
            return numbers
        along = self.data.get(name)
        return self._moved(numbers, along if along is None or rows is None else along[rows]).whole

    @quietly
    def derivative(self, array: Array, dtype: np.dtype[Any]) -> Array:
        """Return the derivative along the direction, in a dtype, of an array that a moved run computed."""
        scaled = _scaled(array.imag, self.exponent - COMPLEX_STEP_EXPONENT, np.empty(array.shape))
        return scaled.astype(dtype, copy=False)

    def _moved(self, array: Array, along: Array | None) -> complex_parts.Known:
        real = np.ascontiguousarray(array, np.float64)
        moved = np.empty(array.shape, COMPLEX)
        moved.real = real
        if along is None:
            moved.imag = 0
            return complex_parts.Known(moved, real, None)
        imag = _scaled(along, COMPLEX_STEP_EXPONENT - self.exponent, np.empty(array.shape))
        moved.imag = imag
        return complex_parts.Known(moved, real, imag)


def _scaled(array: Array, power: int, out: Array) -> Array:
    """Write the numbers times 2 to a power, which rounds nothing, in float64."""
    if -1022 <= power <= 1023:  # the power is a number itself: five times as fast as ldexp
        return np.multiply(array, 2.0**power, out=out, dtype=np.float64)
    half = power // 2
    return np.ldexp(np.ldexp(array.astype(np.float64), half, out=out), power - half, out=out)

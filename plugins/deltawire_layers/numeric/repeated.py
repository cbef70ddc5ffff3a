"""Products of many matrices of few rows with the same one, as at each step of a recurrence.

BLAS packs the matrix anew for every product, which takes longer than to compute with few rows. The kernels
use a packed copy for all products. It is about as large as the matrix, and lives as long as the function.
"""

from __future__ import annotations

from deltawire_layers.layer import Array
from deltawire_layers.numeric.compiled import panels
from deltawire_layers.numeric.products import matmul

MOST_ROWS = 256
"""Rows of a product for which a packed copy pays, at most: for more, BLAS is as fast."""

FEWEST = 4
"""Products for which a packed copy pays, at least."""


def repeated(b: Array, sequence: Array) -> panels.Product:
    """Return the product with a matrix, for each step of a sequence. Drop it behind the last step.

    Args:
        b: the matrix (k, m).
        sequence: (n, steps, ...), of the dtype of what b is multiplied by: (n, k) at each step. A single row
            is left to BLAS, which packs nothing for it.
    """
    rows, times = sequence.shape[:2]
    if 1 < rows <= MOST_ROWS and times >= FEWEST and sequence.dtype == b.dtype:
        packed = panels.packed(b)
        if packed is not None:
            return packed

    def product(a: Array, plus: Array | None = None) -> Array:
        value = matmul(a, b)
        if plus is not None:
            value += plus
        return value

    return product

"""Products of convolutions by the kernel of packed products, where these are faster than BLAS.

They are with AVX-512, in float32. Shapes alone decide there, so threads change no bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from deltawire_layers.deadlines import check_deadline
from deltawire_layers.layer import Array
from deltawire_layers.numeric import kernels, sharing
from deltawire_layers.numeric.compiled.panels import AS_ONE, pack
from deltawire_layers.numeric.compiled.planes import Columns
from deltawire_layers.numeric.windows import Window

INSTRUCTIONS = "avx512"
"""Those with which the kernel is faster."""

FEWEST_ROWS = 16
"""Rows of a matrix from which the kernel is faster."""

FEWEST_TERMS = 32
"""Terms of a sum from which the kernel is faster."""

FEWEST_WINDOWS = 128
"""Windows of an example from which the last panel, which they may not fill, matters little."""

MOST = 2**32
"""Multiplications between two looks at the deadline, at most: about 0.1 s."""

LARGEST_ROW = 2**22
"""Bytes of the columns of a row of windows, at most: what is held at once."""

LARGEST = 2**18
"""Numbers of a gradient, at most: it stays in a cache while blocks are added, and is turned soon."""


def pays(matrices: Array, windows: int) -> bool:
    """Return whether the kernel is faster than BLAS.

    Args:
        matrices: any array like the kernels or their gradient, (groups, n, k).
        windows: how many columns they are multiplied with.
    """
    _, rows, terms = matrices.shape
    enough = rows >= FEWEST_ROWS and terms >= FEWEST_TERMS and windows >= FEWEST_WINDOWS
    return enough and _has_kernel(matrices)


def narrowed(windows: Sequence[Window], matrices: Array, wide: Array, value: Array) -> bool:
    """Compute the correlation with the kernels of several channels, and return whether a kernel does.

    Args:
        windows: those along both axes.
        matrices: the kernels (groups, n, k).
        wide: the planes (batch, channels, height, width).
        value: receives the result, (batch, groups · n, windows …).
    """
    batch, _, first, *others = value.shape
    groups, rows, terms = matrices.shape
    if len(windows) != 2 or groups * terms * others[0] * wide.itemsize > LARGEST_ROW:
        return False
    columns = Columns.of(windows, wide.shape, [slice(0, count) for count in value.shape[2:]])
    if columns is None:
        return False
    planes, weight = np.ascontiguousarray(wide), np.ascontiguousarray(matrices)
    step = max(1, MOST // (groups * rows * terms * others[0]))

    def values(part: slice) -> None:
        for start in range(part.start, part.stop, step):
            check_deadline()
            stop = min(start + step, part.stop)
            kernels.compiled.correlate(planes, weight, value, columns.sizes, groups, start, stop)

    sharing.rows(batch * first, value.size * terms // AS_ONE, values)
    return True


class Turned(NamedTuple):
    """The transpose of a gradient, (groups, k, n), to which blocks of windows are added.

    The columns are multiplied as they are, and the narrow side is packed, which is smaller.
    """

    numbers: Array

    @classmethod
    def of(cls, gradient: Array, windows: int) -> Turned | None:
        """Return zeros; None where BLAS is as fast.

        Args:
            gradient: any array like the gradient, (groups, n, k).
            windows: how many are added, in all blocks.
        """
        if not pays(gradient, windows) or gradient[0].size > LARGEST:
            return None
        return cls(np.zeros_like(gradient.swapaxes(1, 2), order="C"))

    def add(self, narrow: Array, columns: Array) -> None:
        """Add the products of both sides, summed over windows.

        Args:
            narrow: (groups, n, windows).
            columns: (groups, k, windows).
        """
        for total, rows, each in zip(self.numbers, narrow, columns, strict=True):
            add = partial(_add_products, each, pack(rows.T), total)
            sharing.rows(len(each), each.size * len(rows) // AS_ONE, add)

    def gradient(self) -> Array:
        """Return the gradient, (groups, n, k)."""
        return np.ascontiguousarray(self.numbers.swapaxes(1, 2))


def _add_products(a: Array, panels: Array, total: Array, part: slice) -> None:
    """Add some rows of a product to those of `total`."""
    kernels.compiled.packed_product(a[part], panels, total[part], total[part], 0, len(panels))


def _has_kernel(matrices: Array) -> bool:
    wide = kernels.instructions() == INSTRUCTIONS
    return wide and matrices.dtype == np.float32 and kernels.computes(matrices)

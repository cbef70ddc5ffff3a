"""Kernels of products with a matrix that is packed once: into panels of some columns, row after row.

Threads may share the panels: every number is the same sum, whoever makes it.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from deltawire_layers.layer import Array
from deltawire_layers.numeric import kernels, sharing

AS_ONE = 2**7
"""Multiplications of a product that take as long as one number of other kernels, about."""


class Product(Protocol):
    """The product of a matrix with one that many products share, b (k, m)."""

    def __call__(self, a: Array, plus: Array | None = None) -> Array:
        """Return a b + plus.

        Args:
            a: (n, k), its rows contiguous.
            plus: (m,) or (n, m); None for 0.

        Returns:
            (n, m).
        """


def pack(b: Array) -> Array:
    """Return a copy of a matrix that the kernels compute with.

    Args:
        b: (k, m).

    Returns:
        Its panels, (panels, k, numbers of a row).
    """
    width = kernels.compiled.panel // b.itemsize
    panels = np.empty((-(-b.shape[1] // width), len(b), width), b.dtype)
    kernels.compiled.pack(b, panels)
    return panels


def packed(b: Array) -> Product | None:
    """Return the products with a copy of a matrix in panels; None where no kernel computes.

    Args:
        b: (k, m), of the dtype of all matrices that it is multiplied by.
    """
    if not kernels.computes(b):
        return None
    (terms, columns), dtype = b.shape, b.dtype
    panels = pack(b)
    count = len(panels)
    multiply, most = kernels.compiled.packed_product, AS_ONE * sharing.NUMBERS // (terms * columns)

    def product(a: Array, plus: Array | None = None) -> Array:
        if plus is not None:
            plus = np.ascontiguousarray(plus)
        value = np.empty((len(a), columns), dtype)
        if len(a) <= most:  # no thread would get a piece
            multiply(a, panels, plus, value, 0, count)
        else:
            numbers = a.size * columns // AS_ONE
            sharing.rows(count, numbers, lambda part: multiply(a, panels, plus, value, part.start, part.stop))
        return value

    return product

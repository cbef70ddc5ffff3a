"""Kernels of windows that slide over planes: depthwise correlation, and the columns of all others.

As in `kernels.py`, a method returns False where no kernel computes, and the caller does so with numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from math import prod
from typing import NamedTuple

import numpy as np

from deltawire_layers.layer import Array, Shape
from deltawire_layers.numeric import kernels, sharing
from deltawire_layers.numeric.windows import Window

MOST_PLACES = 64
"""Places of a kernel that slides over planes; for larger ones, products of matrices are as fast."""


GREATEST = 2**24
"""Sizes, strides and dilations that kernels take are smaller."""


MOST_PADDED = 8
"""A kernel stores a plane with its padding: at most so many times the plane, and `SMALL_PADDED` more."""

SMALL_PADDED = 2**16
"""Numbers of a padded plane that are stored however small the plane is."""

VECTORS = 64
"""Numbers of the vectors that the kernels read beyond a row, at most."""


class Planes(NamedTuple):
    """Windows that slide over the planes of a batch, each with a kernel of its channel."""

    sizes: tuple[int, ...]

    @classmethod
    def of(cls, windows: Sequence[Window], groups: int, wide: Shape, narrow: Shape) -> Planes | None:
        """Return the windows over planes; None where kernels see several channels, or are not compiled.

        Args:
            windows: those along each axis.
            groups: groups of channels that depend on each other.
            wide: shape of the batch that the windows lie on, (batch, channels, height, width).
            narrow: (batch, channels, windows …).
        """
        alone = groups == wide[1] == narrow[1] and len(windows) == 2
        if not kernels.compiled or not alone or prod(window.kernel for window in windows) > MOST_PLACES:
            return None
        y, x = windows
        pairs = [(y.kernel, x.kernel), (y.stride, x.stride)]
        pairs += [(y.padding[0], x.padding[0]), (y.dilation, x.dilation)]
        sizes = (*wide[2:], *narrow[2:], *chain.from_iterable(pairs))
        height, width = (
            max(
                window.padding[0] + size,
                (count - 1) * window.stride + (window.kernel - 1) * window.dilation + 1,
            )
            for window, size, count in zip(windows, wide[2:], narrow[2:], strict=True)
        )
        padded = height * (width + (1 + VECTORS) * x.stride)
        fits = padded <= SMALL_PADDED + MOST_PADDED * prod(wide[2:])
        return cls(sizes) if fits and max(sizes) < GREATEST else None

    def narrowed(self, W: Array, wide: Array, value: Array) -> bool:
        """Compute the correlation, and return whether a kernel does.

        Args:
            W: the kernels.
            wide: the planes.
            value: receives the result, one number for each window.
        """
        if not kernels.computes(wide) or not value.size:
            return False
        wide, W = map(np.ascontiguousarray, (wide, W))

        def values(part: slice) -> None:
            kernels.compiled.depthwise(wide[part], W, value[part], self.sizes)

        sharing.rows(len(wide), wide.size, values)
        return True

    def widened(self, W: Array, narrow: Array, wide: Array) -> bool:
        """Compute the transpose of the correlation, and return whether a kernel does.

        Args:
            W: the kernels.
            narrow: one number for each window.
            wide: receives the result, shaped like the planes.
        """
        if not kernels.computes(narrow) or not wide.size:
            return False
        W, narrow = map(np.ascontiguousarray, (W, narrow))

        def deltas(part: slice) -> None:
            kernels.compiled.depthwise_delta(W, narrow[part], wide[part], self.sizes)

        sharing.rows(len(wide), wide.size, deltas)
        return True

    def kernel_gradient(self, narrow: Array, wide: Array, gradient: Array) -> bool:
        """Compute the gradient of the kernels, and return whether a kernel does.

        Args:
            narrow: one number for each window.
            wide: the planes.
            gradient: receives the result, of the size of the kernels.
        """
        if not kernels.computes(wide) or not narrow.size:
            return False
        wide, narrow = map(np.ascontiguousarray, (wide, narrow))
        sizes, channels = self.sizes, wide.shape[1]

        def add(part: slice) -> None:
            kernels.compiled.depthwise_gradient(wide, narrow, gradient, sizes, part.start, part.stop)

        sharing.rows(channels, wide.size, add)
        return True


class Columns(NamedTuple):
    """Windows over planes whose numbers become the columns of a matrix."""

    sizes: tuple[int, ...]

    @classmethod
    def of(cls, windows: Sequence[Window], source: Shape, bounds: Sequence[slice]) -> Columns | None:
        """Return some windows over one or two axes; None for more axes, or without kernels.

        Args:
            windows: those along each axis.
            source: shape of the planes, (examples, channels, sizes …).
            bounds: which of the windows along each axis.
        """
        if kernels.compiled is None or len(windows) > 2 or not prod(source):
            return None
        flat = [(1, slice(0, 1), Window(1, 1, (0, 0)))] if len(windows) == 1 else []
        axes = [
            (
                size,
                along.stop - along.start,
                window.kernel,
                window.stride,
                window.padding[0] - along.start * window.stride,
                window.dilation,
            )
            for size, along, window in (*flat, *zip(source[2:], bounds, windows, strict=True))
        ]
        sizes = (source[1], source[0], *chain.from_iterable(zip(*axes, strict=True)))
        return cls(sizes) if max(map(abs, sizes)) < GREATEST else None

    def gathered(self, wide: Array, columns: Array) -> bool:
        """Write the numbers that windows read to columns, and return whether a kernel does.

        Args:
            wide: the planes (examples, channels, sizes …).
            columns: receives them, (channels, places …, examples, windows …).
        """
        if not kernels.computes(wide):
            return False
        kernels.compiled.gather(np.ascontiguousarray(wide), columns, self.sizes)
        return True

    def spread(self, columns: Array, wide: Array) -> bool:
        """Add each number of columns to that of its plane, and return whether a kernel does.

        Args:
            columns: (channels, places …, examples, windows …).
            wide: the planes, written to.
        """
        if not kernels.computes(wide) or not wide.flags.c_contiguous:
            return False
        kernels.compiled.spread(np.ascontiguousarray(columns), wide, self.sizes)
        return True

"""Kernels of pooling: windows that slide over planes, and become their greatest number or their mean.

As in `kernels.py`, a function returns None where no kernel computes, and the caller does so with numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from math import prod
from typing import NamedTuple

import numpy as np

from deltawire_layers.deadlines import check_deadline
from deltawire_layers.layer import Array, Shape
from deltawire_layers.numeric import kernels, sharing
from deltawire_layers.numeric.compiled.planes import GREATEST
from deltawire_layers.numeric.windows import Window, count_places

MOST_READS = 2**26
"""Numbers that the windows of one call read, at most: 0.1 s, as a call cannot look at the deadline."""


class Slides(NamedTuple):
    """Windows over the planes of an array.

    sizes:  of a plane, of the windows, of a kernel, of a stride, of the padding before, of a dilation
    planes: of all examples
    reads:  numbers that the windows of a plane read
    """

    sizes: tuple[int, ...]
    planes: int
    reads: int

    @property
    def wide(self) -> Shape:
        return (self.planes, *self.sizes[:2])

    @property
    def narrow(self) -> Shape:
        return (self.planes, *self.sizes[2:4])

    def share(self, compute: Callable[[slice], object]) -> None:
        """Compute all planes, in all threads that share them, and look at the deadline before each call.

        Args:
            compute: computes a slice of the planes.
        """

        def part(planes: slice) -> None:
            count = planes.stop - planes.start
            calls = min(count, -(-count * self.reads // MOST_READS))
            for each in sharing.cuts(count, max(1, calls)):
                check_deadline()
                compute(slice(planes.start + each.start, planes.start + each.stop))

        sharing.rows(self.planes, prod(self.wide), part)


def _slides(windows: tuple[Window, ...], x: Shape) -> Slides | None:
    """Return windows over the last one or two axes of an array; None where they are too large for kernels.

    Args:
        windows: those along each axis.
        x: shape of the array.
    """
    axes = x[-len(windows) :]
    counts = [window.count(size) for window, size in zip(windows, axes, strict=True)]
    flat = [(1, 1, 1, 1, 0, 1)] if len(windows) == 1 else []
    each = [
        (size, count, window.kernel, window.stride, window.padding[0], window.dilation)
        for size, count, window in zip(axes, counts, windows, strict=True)
    ]
    sizes = tuple(chain.from_iterable(zip(*flat, *each, strict=True)))
    reads = count_places(windows, axes) * prod(counts)
    if max(sizes) >= GREATEST or reads > MOST_READS:
        return None
    return Slides(sizes, prod(x[: -len(windows)]), reads)


def greatest(windows: tuple[Window, ...], x: Array, shape: Shape) -> Array | None:
    """Return the greatest number of each window.

    Args:
        windows: those along each of the last axes.
        x: the numbers.
        shape: shape of the result.
    """
    slides = _slides(windows, x.shape) if kernels.computes(x) else None
    if slides is None:
        return None
    y = np.empty(shape, x.dtype)
    numbers, most = np.ascontiguousarray(x).reshape(slides.wide), y.reshape(slides.narrow)
    slides.share(lambda part: kernels.compiled.max_pool(numbers[part], most[part], slides.sizes))
    return y


def greatest_delta(windows: tuple[Window, ...], x: Array, y: Array, delta: Array) -> Array | None:
    """Return δ of the numbers, of which each window sends its own to the first of its greatest.

    Args:
        windows: those along each of the last axes.
        x: the numbers.
        y: the greatest of each window.
        delta: δ of these.
    """
    slides = _slides(windows, x.shape) if kernels.computes(x) and x.dtype == delta.dtype else None
    if slides is None:
        return None
    below = np.empty(x.shape, x.dtype)
    numbers, sent = (np.ascontiguousarray(array).reshape(slides.wide) for array in (x, below))
    most, above = (np.ascontiguousarray(array).reshape(slides.narrow) for array in (y, delta))

    def deltas(part: slice) -> None:
        kernels.compiled.max_pool_delta(numbers[part], most[part], above[part], sent[part], slides.sizes)

    slides.share(deltas)
    return below


def mean(windows: tuple[Window, ...], x: Array, share: Array, shape: Shape) -> Array | None:
    """Return the sum of each window times its share.

    Args:
        windows: those along each of the last axes.
        x: the numbers.
        share: 1 / k for each window of a plane.
        shape: shape of the result.
    """
    slides = _slides(windows, x.shape) if kernels.computes(x) else None
    if slides is None:
        return None
    y, share = np.empty(shape, x.dtype), np.ascontiguousarray(share)
    numbers, means = np.ascontiguousarray(x).reshape(slides.wide), y.reshape(slides.narrow)
    slides.share(lambda part: kernels.compiled.avg_pool(numbers[part], share, means[part], slides.sizes))
    return y


def mean_delta(windows: tuple[Window, ...], share: Array, delta: Array, shape: Shape) -> Array | None:
    """Return δ of the numbers, of which each window sends its own times its share to all that it reads.

    Args:
        windows: those along each of the last axes.
        share: 1 / k for each window of a plane.
        delta: δ of the means.
        shape: shape of the numbers.
    """
    slides = _slides(windows, shape) if kernels.computes(delta) and share.dtype == delta.dtype else None
    if slides is None or not prod(shape):
        return None
    below, share = np.empty(shape, delta.dtype), np.ascontiguousarray(share)
    sent, above = below.reshape(slides.wide), np.ascontiguousarray(delta).reshape(slides.narrow)
    slides.share(lambda part: kernels.compiled.avg_pool_delta(share, above[part], sent[part], slides.sizes))
    return below

"""Correlation of a batch with kernels, its transpose, and the gradient of the kernels, in blocks of columns.

The windows lie on the *wide* side, (batch, channels, sizes …); each becomes a number of the *narrow* side,
(batch, channels, windows …). The kernels W are (narrow channels, wide channels / groups, places …).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import prod
from typing import NamedTuple

import numpy as np

from deltawire_layers.deadlines import check_deadline
from deltawire_layers.layer import CALL, NUMBER, Array, Shape, Work
from deltawire_layers.numeric.compiled import panelled
from deltawire_layers.numeric.compiled.planes import Columns, Planes
from deltawire_layers.numeric.products import matmul
from deltawire_layers.numeric.windows import Window, count_places, reads

BLOCK_BYTES = 2**22
"""Size of the columns that windows are copied to at a time, which fits a cache and bounds memory."""

MANY_WINDOWS = 64
"""Windows of an example from which a product for each is as fast as one for all, whose copies it saves."""


class Block(NamedTuple):
    """A part of the work: some examples, with some windows along the first axis and all along the others."""

    examples: slice
    windows: tuple[slice, ...]


class Correlation(NamedTuple):
    """Windows along the axes, and the number of groups of channels that depend on each other."""

    windows: tuple[Window, ...]
    groups: int

    def saved(self, wide: Shape, narrow: Shape) -> int:
        """Return how many numbers for each example the columns take, and their δ, beyond a block's size."""
        # A block has at least one row of windows.
        kernel = prod(window.kernel for window in self.windows)
        return max(0, 2 * wide[0] * kernel * prod(narrow[2:]) - BLOCK_BYTES // 8)

    def work(self, wide: Shape, narrow: Shape) -> Work:
        """Return the work of any of the three functions, for shapes of one example."""
        kernel = prod(window.kernel for window in self.windows)
        across = wide[0] * kernel * prod(narrow[2:])  # numbers of the columns of one row of windows
        blocks = Fraction(narrow[1], max(1, BLOCK_BYTES // (4 * across)))
        reads = 4 * CALL * count_places(self.windows, wide[1:])
        each = narrow[1] * across * (narrow[0] // self.groups + 2 * NUMBER) + int(blocks * reads)
        return Work(each, once=reads)

    def narrowed(self, W: Array, wide: Array, shape: Shape) -> Array:
        """Return the correlation.

        Args:
            W: the kernels.
            wide: the numbers in the windows.
            shape: shape of the result, the narrow side.
        """
        value = np.empty(shape, wide.dtype)
        planes = Planes.of(self.windows, self.groups, wide.shape, shape)
        if planes and planes.narrowed(W, wide, value):
            return value
        matrices = self._matrices(W)
        if self._reads_alone(shape):
            return self._product(matrices, wide).reshape(shape)
        if panelled.pays(matrices, prod(shape[2:])) and panelled.narrowed(
            self.windows, matrices, wide, value
        ):
            return value
        for block in self._blocks(shape, wide):
            part = _part(value, block)
            part[...] = matmul(matrices, self._columns(wide, block)).reshape(part.shape)
        return value

    def widened(self, W: Array, narrow: Array, shape: Shape) -> Array:
        """Return the transpose of the correlation: the δ of the wide side, given that of the narrow one.

        Args:
            W: the kernels.
            narrow: one number for each window.
            shape: shape of the result, the wide side.
        """
        matrices = self._matrices(W)
        if self._reads_alone(narrow.shape):
            return self._product(matrices.swapaxes(1, 2), narrow).reshape(shape)
        planes = Planes.of(self.windows, self.groups, shape, narrow.shape)
        wide = np.empty(shape, narrow.dtype)
        if planes and planes.widened(W, narrow, wide):
            return wide
        wide[...] = 0  # unlike np.zeros, this lets other threads go on
        for block in self._blocks(narrow.shape, wide):
            self._add_columns(wide, matmul(matrices.swapaxes(1, 2), self._rows(narrow, block)), block)
        return wide

    def kernel_gradient(self, narrow: Array, wide: Array, shape: Shape) -> Array:
        """Return the gradient of the kernels: the products of both sides, summed over the batch.

        Args:
            narrow: one number for each window.
            wide: the numbers in the windows.
            shape: shape of the kernels.
        """
        gradient = np.zeros((self.groups, shape[0] // self.groups, prod(shape[1:])), narrow.dtype)
        planes = Planes.of(self.windows, self.groups, wide.shape, narrow.shape)
        if planes and planes.kernel_gradient(narrow, wide, gradient):
            return gradient.reshape(shape)
        if self._reads_alone(narrow.shape):
            for example in range(len(wide)):
                check_deadline()
                rows, columns = self._apart(narrow[example]), self._apart(wide[example])
                gradient += matmul(rows, columns.swapaxes(1, 2))
            return gradient.reshape(shape)
        turned = panelled.Turned.of(gradient, narrow.size // narrow.shape[1])
        if turned:
            for block in self._blocks(narrow.shape, wide):
                turned.add(self._rows(narrow, block), self._columns(wide, block))
            return turned.gradient().reshape(shape)
        for block in self._blocks(narrow.shape, wide):
            gradient += matmul(self._rows(narrow, block), self._columns(wide, block).swapaxes(1, 2))
        return gradient.reshape(shape)

    def kernel_gradients(self, narrow: Array, wide: Array, shape: Shape) -> Array:
        """Return the gradient of the kernels for each example, (batch, *shape); arguments as above.

        Args:
            narrow: one number for each window.
            wide: the numbers in the windows.
            shape: shape of the kernels.
        """
        sizes = (len(wide), self.groups, shape[0] // self.groups, prod(shape[1:]))
        gradient = np.zeros(sizes, wide.dtype)
        for block in self._blocks(narrow.shape, wide):
            part = gradient[block.examples]
            apart = (
                array.reshape(*array.shape[:2], len(part), -1).transpose(2, 0, 1, 3)
                for array in (self._rows(narrow, block), self._columns(wide, block))
            )
            rows, columns = apart
            part += matmul(rows, columns.swapaxes(2, 3))
        return gradient.reshape(len(wide), *shape)

    def _reads_alone(self, narrow: Shape) -> bool:
        """Return whether each window is one number, so that the columns are the wide side as it is."""
        return prod(narrow[2:]) >= MANY_WINDOWS and all(
            window.kernel == window.stride == 1 and window.padding == (0, 0) for window in self.windows
        )

    def _product(self, matrices: Array, numbers: Array) -> Array:
        """Return the product of the matrices (groups, n, m) with the channels of each example."""
        apart = numbers.reshape(len(numbers), self.groups, -1, prod(numbers.shape[2:]))
        return matmul(np.broadcast_to(matrices, (len(numbers), *matrices.shape)), apart)

    def _apart(self, example: Array) -> Array:
        """Return the numbers of an example by groups: (groups, channels / groups, windows)."""
        return example.reshape(self.groups, len(example) // self.groups, -1)

    def _matrices(self, W: Array) -> Array:
        return W.reshape(self.groups, len(W) // self.groups, -1)

    @property
    def _kernel(self) -> Shape:
        return tuple(window.kernel for window in self.windows)

    def _blocks(self, narrow: Shape, wide: Array) -> Iterator[Block]:
        """Yield the batch in blocks: several examples each, or a part of one that is large."""
        batch, _, first, *others = narrow
        bytes_each = wide.shape[1] * prod(self._kernel) * prod(others) * wide.itemsize
        rows = max(1, BLOCK_BYTES // bytes_each)
        examples = max(1, rows // first)
        for start in range(0, batch, examples):
            for top in range(0, first, rows):
                check_deadline()
                along_first = slice(top, min(top + rows, first))
                yield Block(
                    slice(start, start + examples), (along_first, *map(slice, (0,) * len(others), others))
                )

    def _rows(self, narrow: Array, block: Block) -> Array:
        """Return the narrow side of a block: (groups, channels / groups, windows)."""
        return _part(narrow, block).reshape(self.groups, narrow.shape[1] // self.groups, -1)

    def _columns(self, wide: Array, block: Block) -> Array:
        """Return the numbers that a block reads: (groups, channels / groups · kernel, windows)."""
        examples = wide[block.examples]
        columns = np.empty(self._columns_shape(examples.shape, block), wide.dtype)
        compiled = Columns.of(self.windows, examples.shape, block.windows)
        if not (compiled and compiled.gathered(examples, columns)):
            columns[...] = 0
            for place, windows, numbers in reads(self.windows, wide.shape[2:], block.windows):
                columns[:, *place, :, *windows] = examples.swapaxes(0, 1)[:, :, *numbers]
        return columns.reshape(self.groups, -1, prod(columns.shape[1 + len(self.windows) :]))

    def _add_columns(self, wide: Array, columns: Array, block: Block) -> None:
        """Add each number of columns to the place that `_columns` reads it from.

        Args:
            wide: the wide side, written to.
            columns: the columns of a block.
            block: the block.
        """
        examples = wide[block.examples]
        columns = columns.reshape(self._columns_shape(examples.shape, block))
        compiled = Columns.of(self.windows, examples.shape, block.windows)
        if not (compiled and compiled.spread(columns, examples)):
            for place, windows, numbers in reads(self.windows, wide.shape[2:], block.windows):
                examples.swapaxes(0, 1)[:, :, *numbers] += columns[:, *place, :, *windows]

    def _columns_shape(self, source: Shape, block: Block) -> Shape:
        examples, channels = source[:2]
        return (channels, *self._kernel, examples, *(along.stop - along.start for along in block.windows))


def _part(array: Array, block: Block) -> Array:
    """Return a block of the narrow side as a view: channels first, then examples, then windows."""
    return array[block.examples, :, *block.windows].swapaxes(0, 1)

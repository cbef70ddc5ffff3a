"""Convolutions, in torch's layout: channels first, then the axes the kernel slides along.

The kernel is not reversed: networks call convolution what is, strictly, correlation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import prod
from typing import Any, ClassVar, NamedTuple

import numpy as np
from marshmallow import Schema, ValidationError, validate, validates_schema

from deltawire_layers.initializers import Scaled, fan_in, scale_field
from deltawire_layers.layer import (
    CALL,
    NUMBER,
    Activation,
    Array,
    Formula,
    Layer,
    LayerError,
    Parameter,
    Shape,
    Work,
)
from deltawire_layers.numeric.products import matmul
from deltawire_layers.numeric.windows import Padding, Sizes, Window, count_places, counts, reads
from deltawire_plugins import config

BLOCK_BYTES = 2**22
"""Size of the columns that windows are copied to at a time, which fits a cache and bounds memory."""


class Block(NamedTuple):
    """A part of the work: some examples, with some windows along the first axis and all along the others."""

    examples: slice
    windows: tuple[slice, ...]


class Convolution(Layer):
    """y = W ⋆ x + b along the last axes of x."""

    class Config(Schema):
        channels = config.Integer(
            required=True,
            validate=validate.Range(min=1),
            metadata={"description": "channels out"},
        )
        groups = config.Integer(
            load_default=1,
            validate=validate.Range(min=1),
            metadata={
                "description": "parts of the channels; each part of the value depends on one part of x only"
            },
        )
        bias = config.Flag(load_default=True, metadata={"description": "whether b is added"})
        init_scale = scale_field()

        @validates_schema
        def groups_divide_channels(self, config: dict[str, Any], **_: Any) -> None:
            if config["channels"] % config["groups"]:
                message = "expected a divisor of the {channels} channels out, got {groups}"
                raise ValidationError(message.format_map(config), "groups")

    channels: int
    groups: int
    bias: bool
    init_scale: float
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]

    axes: ClassVar[tuple[str, ...]]
    """Names of the axes of an example, the channels first."""

    formula = Formula(
        value=r"{weight} \star {x0} + {bias}",
        deltas=(r"{weight} \ast {delta}",),
        grads={"weight": r"{delta} \star {x0}", "bias": r"\textstyle\sum_p {delta}_p"},
        init=dict.fromkeys(("weight", "bias"), "uniform within ±1/√k, for the k numbers of a window"),
    )

    @property
    def windows(self) -> tuple[Window, ...]:
        return tuple(map(Window, self.kernel, self.stride, self.padding, self.dilation))

    def output_shape(self, x: Shape) -> Shape:
        if len(x) != len(self.axes):
            raise LayerError(f"expected axes ({', '.join(self.axes)}), got shape {list(x)}", input=0)
        if x[0] % self.groups:
            raise LayerError(f"{x[0]} channels cannot be divided into {self.groups} groups", input=0)
        return (self.channels, *counts(self.windows, x[1:]))

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        shape = (self.channels, x[0] // self.groups, *self.kernel)
        init = Scaled(fan_in(prod(shape[1:])), self.init_scale)
        weight = {"weight": Parameter(shape, init)}
        return weight | {"bias": Parameter((self.channels,), init)} if self.bias else weight

    def saved(self, x: Shape) -> int:
        # A block has at least one row of windows: its columns count, and their δ, beyond a block's size.
        across = prod(counts(self.windows, x[1:])[1:])
        return max(0, 2 * x[0] * prod(self.kernel) * across - BLOCK_BYTES // 8)

    def work(self, x: Shape) -> Work:
        first, *others = counts(self.windows, x[1:])
        across = x[0] * prod(self.kernel) * prod(others)  # numbers of the columns of one row of windows
        blocks = Fraction(first, max(1, BLOCK_BYTES // (4 * across)))
        reads = 4 * CALL * count_places(self.windows, x[1:])
        each = first * across * (self.channels // self.groups + 2 * NUMBER) + int(blocks * reads)
        return Work(each, once=reads)

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        W = params["weight"]
        matrices = W.reshape(self.groups, self.channels // self.groups, -1)
        value = np.empty((len(x), *self.output_shape(x.shape[1:])), x.dtype)
        blocks = list(self._blocks(value.shape, x))
        for block in blocks:
            part = _part(value, block)
            part[...] = matmul(matrices, self._columns(x, block)).reshape(part.shape)

        def input_delta(delta: Array) -> Array:
            below = np.zeros(x.shape, delta.dtype)
            for block in blocks:
                columns = matmul(matrices.swapaxes(1, 2), self._rows(delta, block))
                self._add_columns(below, columns, block)
            return below

        def weight_gradient(delta: Array) -> Array:
            gradient = np.zeros(matrices.shape, delta.dtype)
            for block in blocks:
                gradient += matmul(self._rows(delta, block), self._columns(x, block).swapaxes(1, 2))
            return gradient.reshape(W.shape)

        grads = {"weight": weight_gradient}
        if self.bias:
            value += params["bias"].reshape(-1, *(1,) * len(self.kernel))
            grads["bias"] = lambda delta: delta.reshape(*delta.shape[:2], -1).sum(axis=(0, 2))
        return Activation(value, deltas=(input_delta,), grads=grads)

    def per_example(self, params: Mapping[str, Array], delta: Array, x: Array) -> dict[str, Array]:
        W = params["weight"]
        gradient = np.zeros((len(x), self.groups, self.channels // self.groups, prod(W.shape[1:])), x.dtype)
        for block in self._blocks(delta.shape, x):
            part = gradient[block.examples]
            apart = (
                array.reshape(*array.shape[:2], len(part), -1).transpose(2, 0, 1, 3)
                for array in (self._rows(delta, block), self._columns(x, block))
            )
            rows, columns = apart
            part += matmul(rows, columns.swapaxes(2, 3))
        grads = {"weight": gradient.reshape(len(x), *W.shape)}
        return grads | {"bias": delta.reshape(*delta.shape[:2], -1).sum(axis=2)} if self.bias else grads

    def _blocks(self, out: Shape, x: Array) -> Iterator[Block]:
        """Yield the batch in blocks: several examples each, or a part of one that is large."""
        batch, _, first, *others = out
        bytes_each = x.shape[1] * prod(self.kernel) * prod(others) * x.itemsize
        rows = max(1, BLOCK_BYTES // bytes_each)
        examples = max(1, rows // first)
        for start in range(0, batch, examples):
            for top in range(0, first, rows):
                along_first = slice(top, min(top + rows, first))
                yield Block(
                    slice(start, start + examples), (along_first, *map(slice, (0,) * len(others), others))
                )

    def _rows(self, delta: Array, block: Block) -> Array:
        """Return δ of a block: (groups, channels out / groups, windows)."""
        return _part(delta, block).reshape(self.groups, self.channels // self.groups, -1)

    def _columns(self, x: Array, block: Block) -> Array:
        """Return the numbers that a block reads: (groups, channels in / groups · kernel, windows)."""
        source = x[block.examples].swapaxes(0, 1)
        columns = np.zeros(self._columns_shape(source.shape, block), x.dtype)
        for place, windows, numbers in reads(self.windows, x.shape[2:], block.windows):
            columns[:, *place, :, *windows] = source[:, :, *numbers]
        return columns.reshape(self.groups, -1, prod(columns.shape[1 + len(self.kernel) :]))

    def _add_columns(self, below: Array, columns: Array, block: Block) -> None:
        """Add each number of columns to the place that `_columns` reads it from.

        Args:
            below: δ of the input, written to.
            columns: δ of the columns of a block.
            block: the block.
        """
        target = below[block.examples].swapaxes(0, 1)
        columns = columns.reshape(self._columns_shape(target.shape, block))
        for place, windows, numbers in reads(self.windows, below.shape[2:], block.windows):
            target[:, :, *numbers] += columns[:, *place, :, *windows]

    def _columns_shape(self, source: Shape, block: Block) -> Shape:
        channels, examples = source[:2]
        return (channels, *self.kernel, examples, *(along.stop - along.start for along in block.windows))


def _part(array: Array, block: Block) -> Array:
    """Return a block of a value or a δ as a view: channels first, then examples, then windows."""
    return array[block.examples, :, *block.windows].swapaxes(0, 1)


class Conv1d(Convolution):
    """y = W ⋆ x + b with x (channels in, n), W (channels, channels in / groups, kernel), b (channels,).

    Source: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", 2016, arXiv:1603.07285.
    """

    axes = ("channels", "n")

    class Config(Convolution.Config):
        kernel = Sizes(1, 1, "places of the kernel", required=True)
        stride = Sizes(1, 1, "numbers from one window to the next", load_default=(1,))
        padding = Padding(1, "zeros at either end")
        dilation = Sizes(1, 1, "numbers from one place of the kernel to the next", load_default=(1,))


class Conv2d(Convolution):
    """y = W ⋆ x + b with x (channels in, h, w), W (channels, channels in / groups, kh, kw), b (channels,).

    Source: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", 2016, arXiv:1603.07285.
    """

    axes = ("channels", "h", "w")

    class Config(Convolution.Config):
        kernel = Sizes(2, 1, "places of the kernel", required=True)
        stride = Sizes(2, 1, "numbers from one window to the next", load_default=(1, 1))
        padding = Padding(2, "zeros at either end")
        dilation = Sizes(2, 1, "numbers from one place of the kernel to the next", load_default=(1, 1))

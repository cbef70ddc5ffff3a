"""Layers that reduce every window over the last two axes of an example to one number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

import numpy as np
from marshmallow import Schema, ValidationError, validates_schema

from deltawire_layers.layer import CALL, NUMBER, Activation, Array, Formula, Layer, LayerError, Shape, Work
from deltawire_layers.numeric import branches
from deltawire_layers.numeric.windows import Index, Padding, Sizes, Window, count_places, counts, reads


class Pool2d(Layer):
    """y = one number for each window of x (..., h, w)."""

    class Config(Schema):
        kernel = Sizes(2, 1, "size of the windows", required=True)
        stride = Sizes(
            2,
            1,
            "numbers from one window to the next; null: the size of the kernel, so that windows touch",
            load_default=None,
            allow_none=True,
        )
        padding = Padding(2, "places outside at either end, at most half of the kernel")

        @validates_schema
        def windows_meet_numbers(self, config: dict[str, Any], **_: Any) -> None:
            for kernel, padding in zip(config["kernel"], config["padding"], strict=True):
                if 2 * padding > kernel:
                    raise ValidationError(
                        f"expected at most half of the kernel's {kernel}, got {padding}", "padding"
                    )

    kernel: tuple[int, int]
    stride: tuple[int, int] | None
    padding: tuple[int, int]

    @property
    def windows(self) -> tuple[Window, ...]:
        return tuple(map(Window, self.kernel, self.stride or self.kernel, self.padding))

    def output_shape(self, x: Shape) -> Shape:
        if len(x) < 2:
            raise LayerError(f"expected axes (..., h, w), got shape {list(x)}", input=0)
        return (*x[:-2], *counts(self.windows, x[-2:]))

    def work(self, x: Shape) -> Work:
        places = count_places(self.windows, x[-2:])
        return Work(NUMBER * places * prod(self.output_shape(x)), once=4 * CALL * places)

    def _reads(self, x: Array, y: Array) -> Iterator[tuple[Index, Index]]:
        """Yield indices for each place of the kernel: of the numbers of x it reads, and of their windows."""
        bounds = tuple(slice(0, size) for size in y.shape[-2:])
        for _, windows, numbers in reads(self.windows, x.shape[-2:], bounds):
            yield (..., *numbers), (..., *windows)


def raise_to(best: Array, read: Array) -> None:
    """Write max(best, read) into best; equal numbers leave it as it is, and NaN stays."""
    if np.iscomplexobj(read):
        np.copyto(best, read, where=(read.real > best.real) | np.isnan(read))
    else:
        np.maximum(best, read, out=best)


class MaxPool2d(Pool2d):
    """y = max of each window of x (..., h, w).

    δ goes to the first of equal numbers, row by row, as in torch.

    Source: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", 2016, arXiv:1603.07285.
    """

    formula = Formula(
        r"y_p = \max_{q \in \text{window } p} {x0}_q",
        (r"\textstyle\sum_{p \,:\, q \text{ is the greatest of window } p} {delta}_p",),
    )

    def saved(self, x: Shape) -> int:
        return prod(self.output_shape(x))  # in the equation: the waiting windows, and their share of δ

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        y = np.full((len(x), *self.output_shape(x.shape[1:])), -np.inf, x.dtype)
        for numbers, windows in self._reads(x, y):
            raise_to(y[windows], x[numbers])

        def input_delta(delta: Array) -> Array:
            below = np.zeros(x.shape, delta.dtype)
            waiting = np.ones(y.shape, np.bool_)  # windows whose greatest number comes later
            for numbers, windows in self._reads(x, y):
                first = waiting[windows] & (x[numbers].real == y[windows].real)
                waiting[windows] ^= first
                below[numbers] += branches.keep(first, delta[windows])
            return below

        return Activation(y, deltas=(input_delta,))


class AvgPool2d(Pool2d):
    """y = mean of each window of x (..., h, w); places outside x count as zeros.

    Source: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", 2016, arXiv:1603.07285.
    """

    formula = Formula(
        r"y_p = \frac{1}{k} \sum_{q \in \text{window } p} {x0}_q",
        (r"\frac{1}{k} \sum_{p \,:\, q \in \text{window } p} {delta}_p",),
    )

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        share = 1 / prod(self.kernel)
        y = np.zeros((len(x), *self.output_shape(x.shape[1:])), x.dtype)
        for numbers, windows in self._reads(x, y):
            y[windows] += x[numbers]
        y *= share

        def input_delta(delta: Array) -> Array:
            below = np.zeros(x.shape, delta.dtype)
            for numbers, windows in self._reads(x, y):
                below[numbers] += delta[windows]
            below *= share
            return below

        return Activation(y, deltas=(input_delta,))

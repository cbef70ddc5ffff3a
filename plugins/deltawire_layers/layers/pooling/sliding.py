"""Pooling over windows that slide along the last axes of an example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any, ClassVar

import numpy as np
from marshmallow import ValidationError, validates_schema

from deltawire_layers.layer import CALL, NUMBER, Activation, Array, Formula, Layer, LayerError, Shape, Work
from deltawire_layers.numeric import analytic, branches
from deltawire_layers.numeric.compiled import pooling
from deltawire_layers.numeric.sums import without_overflow
from deltawire_layers.numeric.windows import Index, Padding, Sizes, Window, count_places, counts, reads
from deltawire_plugins import config


def pool_config(axes: int) -> type[Layer.Config]:
    """Return the config of windows along so many axes."""

    class Config(Layer.Config):
        kernel = Sizes(axes, 1, "size of the windows", required=True)
        stride = Sizes(
            axes,
            1,
            "numbers from one window to the next; null: the size of the kernel, so that windows touch",
            load_default=None,
            allow_none=True,
        )
        padding = Padding(axes, "places outside at either end, at most half of a window")
        dilation = Sizes(axes, 1, "numbers from one place of a window to the next", load_default=(1,) * axes)
        ceil_mode = config.Flag(
            load_default=False,
            metadata={"description": "whether a last window may end outside, if it starts inside"},
        )

        @validates_schema
        def windows_meet_numbers(self, config: dict[str, Any], **_: Any) -> None:
            windows = zip(config["kernel"], config["padding"], config["dilation"], strict=True)
            for kernel, padding, dilation in windows:
                if 2 * max(padding) > dilation * (kernel - 1) + 1:
                    message = f"expected at most half of the kernel's {kernel}, got {max(padding)}"
                    raise ValidationError(message, "padding")

    return Config


class Pool(Layer):
    """y = one number for each window of x."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...] | None
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    ceil_mode: bool

    axes: ClassVar[tuple[str, ...]]
    """Names of the axes that windows slide along, the last ones of an example."""

    @property
    def windows(self) -> tuple[Window, ...]:
        along = zip(self.kernel, self.stride or self.kernel, self.padding, self.dilation, strict=True)
        return tuple(Window(*window, self.ceil_mode) for window in along)

    def output_shape(self, x: Shape) -> Shape:
        if len(x) < len(self.axes):
            raise LayerError(f"expected axes (..., {', '.join(self.axes)}), got shape {list(x)}", input=0)
        return (*x[: -len(self.axes)], *counts(self.windows, x[-len(self.axes) :]))

    def work(self, x: Shape) -> Work:
        places = count_places(self.windows, x[-len(self.axes) :])
        return Work(NUMBER * places * prod(self.output_shape(x)), once=4 * CALL * places)

    def _reads(self, x: Array, y: Array) -> Iterator[tuple[Index, Index]]:
        """Yield indices for each place of the kernel: of the numbers of x it reads, and of their windows."""
        bounds = tuple(slice(0, size) for size in y.shape[-len(self.axes) :])
        for _, windows, numbers in reads(self.windows, x.shape[-len(self.axes) :], bounds):
            yield (..., *numbers), (..., *windows)


def raise_to(best: Array, read: Array) -> None:
    """Write max(best, read) into best; equal numbers leave it as it is, and NaN stays."""
    if np.iscomplexobj(read):
        np.copyto(best, read, where=(read.real > best.real) | np.isnan(read))
    else:
        np.maximum(best, read, out=best)


class MaxPool(Pool):
    """y = max of each window."""

    formula = Formula(
        r"y_p = \max_{q \in \text{window } p} {x0}_q",
        (r"\textstyle\sum_{p \,:\, q \text{ is the greatest of window } p} {delta}_p",),
    )

    def saved(self, x: Shape) -> int:
        return prod(self.output_shape(x))  # in the equation: the waiting windows, and their share of δ

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        y = self._greatest(x)

        def input_delta(delta: Array) -> Array:
            compiled = pooling.greatest_delta(self.windows, x, y, delta)
            if compiled is not None:
                return compiled
            below = np.zeros(x.shape, delta.dtype)
            waiting = np.ones(y.shape, np.bool_)  # windows whose greatest number comes later
            for numbers, windows in self._reads(x, y):
                first = waiting[windows] & (x[numbers].real == y[windows].real)
                waiting[windows] ^= first
                below[numbers] += branches.keep(first, delta[windows])
            return below

        return Activation(y, deltas=(input_delta,))

    def _greatest(self, x: Array) -> Array:
        """Return the greatest number of each window."""
        shape = (len(x), *self.output_shape(x.shape[1:]))
        compiled = pooling.greatest(self.windows, x, shape)
        if compiled is not None:
            return compiled
        y = np.full(shape, -np.inf, x.dtype)
        for numbers, windows in self._reads(x, y):
            raise_to(y[windows], x[numbers])
        return y


class MaxPool1d(MaxPool):
    """y = max of each window of x (..., n).

    δ goes to the first of equal numbers, as in torch.

    Source: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", 2016, arXiv:1603.07285.
    """

    axes = ("n",)
    Config = pool_config(1)


class MaxPool2d(MaxPool):
    """y = max of each window of x (..., h, w).

    δ goes to the first of equal numbers, row by row, as in torch.

    Source: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", 2016, arXiv:1603.07285.
    """

    axes = ("h", "w")
    Config = pool_config(2)


def mean_config(axes: int) -> type[Layer.Config]:
    """Return the config of means over windows along so many axes."""

    class Config(pool_config(axes)):  # type: ignore[misc]
        count_include_pad = config.Flag(
            load_default=True,
            metadata={"description": "whether places of the padding count as zeros, or not at all"},
        )

    return Config


class AvgPool(Pool):
    """y = mean of each window."""

    count_include_pad: bool

    formula = Formula(
        r"y_p = \frac{1}{k} \sum_{q \in \text{window } p} {x0}_q",
        (r"\frac{1}{k} \sum_{p \,:\, q \in \text{window } p} {delta}_p",),
    )

    def saved(self, x: Shape) -> int:
        return prod(self.output_shape(x))  # in the equation: the share of δ

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        y = without_overflow(self._mean, x, prod(self.kernel))

        def input_delta(delta: Array) -> Array:
            compiled = pooling.mean_delta(self.windows, self._share(x), delta, x.shape)
            if compiled is not None:
                return compiled
            below = np.zeros(x.shape, delta.dtype)
            share = analytic.scale(delta, self._share(x))
            for numbers, windows in self._reads(x, y):
                below[numbers] += share[windows]
            return below

        return Activation(y, deltas=(input_delta,))

    def _mean(self, x: Array) -> Array:
        """Return the mean of each window; it is not finite where a sum overflows."""
        shape = (len(x), *self.output_shape(x.shape[1:]))
        compiled = pooling.mean(self.windows, x, self._share(x), shape)
        if compiled is not None:
            return compiled
        y = np.zeros(shape, x.dtype)
        for numbers, windows in self._reads(x, y):
            y[windows] += x[numbers]
        analytic.rescale(y, self._share(x))
        return y

    def _share(self, x: Array) -> Array:
        """Return 1 / k for the k places of each window that count: one axis for each of the windows."""
        share = np.ones((), x.real.dtype)
        for window, size in zip(self.windows, x.shape[-len(self.axes) :], strict=True):
            counted = window.counted(size, self.count_include_pad).astype(x.real.dtype)
            share = share[..., None] / counted
        return share


class AvgPool1d(AvgPool):
    """y = mean of each window of x (..., n); places outside x count as zeros, unless they are left out.

    Source: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", 2016, arXiv:1603.07285.
    """

    axes = ("n",)
    Config = mean_config(1)


class AvgPool2d(AvgPool):
    """y = mean of each window of x (..., h, w); places outside x count as zeros, unless they are left out.

    Source: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", 2016, arXiv:1603.07285.
    """

    axes = ("h", "w")
    Config = mean_config(2)

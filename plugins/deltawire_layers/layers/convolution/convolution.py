"""Convolutions, in torch's layout: channels first, then the axes the kernel slides along.

The kernel is not reversed: networks call convolution what is, strictly, correlation.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, validate, validates_schema

from deltawire_layers.initializers import Scaled, fan_in, scale_field
from deltawire_layers.layer import (
    Activation,
    Array,
    Equation,
    Formula,
    Layer,
    LayerError,
    Parameter,
    Shape,
    Work,
)
from deltawire_layers.numeric.correlation import Correlation
from deltawire_layers.numeric.sums import sum_rows
from deltawire_layers.numeric.windows import Padding, Sizes, Window, counts
from deltawire_plugins import config


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
    padding: tuple[tuple[int, int], ...]
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

    def weight_shape(self, x: Shape) -> Shape:
        """Return the shape of the kernels for an input of this shape."""
        return (self.channels, x[0] // self.groups, *self.kernel)

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        shape = self.weight_shape(x)
        init = Scaled(fan_in(prod(shape[1:])), self.init_scale)
        weight = {"weight": Parameter(shape, init)}
        return weight | {"bias": Parameter((self.channels,), init)} if self.bias else weight

    def saved(self, x: Shape) -> int:
        return self.correlation.saved(x, self.output_shape(x))

    def work(self, x: Shape) -> Work:
        return self.correlation.work(x, self.output_shape(x))

    @property
    def correlation(self) -> Correlation:
        """Return what the layer computes with: its windows and groups."""
        return Correlation(self.windows, self.groups)

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        W, correlation = params["weight"], self.correlation
        value = correlation.narrowed(W, x, (len(x), *self.output_shape(x.shape[1:])))
        return Activation(
            add_bias(value, params),
            deltas=(lambda delta: correlation.widened(W, delta, x.shape),),
            grads=self.gradients(lambda delta: correlation.kernel_gradient(delta, x, W.shape)),
        )

    def gradients(self, weight: Equation) -> dict[str, Equation]:
        """Return the equations of the parameters, given that of the kernels."""
        bias = {"bias": lambda delta: sum_rows(bias_gradients(delta))} if self.bias else {}
        return {"weight": weight} | bias

    def per_example(self, params: Mapping[str, Array], delta: Array, x: Array) -> dict[str, Array]:
        grads = {"weight": self.correlation.kernel_gradients(delta, x, params["weight"].shape)}
        return grads | {"bias": bias_gradients(delta)} if self.bias else grads


def add_bias(value: Array, params: Mapping[str, Array]) -> Array:
    """Add the bias, if there is one, to each channel of a value in place, and return the value."""
    if "bias" in params:
        value += params["bias"].reshape(-1, *(1,) * (value.ndim - 2))
    return value


def bias_gradients(delta: Array) -> Array:
    """Return the gradient of the bias for each example: (batch, channels)."""
    summed: Array = delta.reshape(*delta.shape[:2], -1).sum(axis=2)
    return summed


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

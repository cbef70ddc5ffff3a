"""Transposed convolutions: the equation of a convolution for δ, as a forward line."""

from __future__ import annotations

from collections.abc import Mapping

from deltawire_layers.layer import Activation, Array, Formula, LayerError, Shape, Work
from deltawire_layers.layers.convolution.convolution import (
    Conv1d,
    Conv2d,
    Convolution,
    add_bias,
    bias_gradients,
)
from deltawire_layers.numeric.windows import Padding, Sizes


class TransposedConvolution(Convolution):
    """y = Wᵀ ⋆ x + b: the δ equation of a convolution, forwards."""

    output_padding: tuple[int, ...]

    formula = Formula(
        value=r"{weight} \ast {x0} + {bias}",
        deltas=(r"{weight} \star {delta}",),
        grads={"weight": r"{x0} \star {delta}", "bias": r"\textstyle\sum_p {delta}_p"},
        init=dict.fromkeys(("weight", "bias"), "uniform within ±1/√k, for the k numbers out of a window"),
    )

    def output_shape(self, x: Shape) -> Shape:
        if len(x) != len(self.axes):
            raise LayerError(f"expected axes ({', '.join(self.axes)}), got shape {list(x)}", input=0)
        if x[0] % self.groups:
            raise LayerError(f"{x[0]} channels cannot be divided into {self.groups} groups", input=0)
        sizes = tuple(
            (size - 1) * window.stride
            + window.dilation * (window.kernel - 1)
            + 1
            + more
            - sum(window.padding)
            for size, window, more in zip(x[1:], self.windows, self.output_padding, strict=True)
        )
        if any(size < 1 for size in sizes) or not all(x):
            raise LayerError(f"the padding leaves no place of {list(x)}", input=0)
        return (self.channels, *sizes)

    def weight_shape(self, x: Shape) -> Shape:
        return (x[0], self.channels // self.groups, *self.kernel)

    def saved(self, x: Shape) -> int:
        return self.correlation.saved(self.output_shape(x), x)

    def work(self, x: Shape) -> Work:
        return self.correlation.work(self.output_shape(x), x)

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        W, correlation = params["weight"], self.correlation
        value = correlation.widened(W, x, (len(x), *self.output_shape(x.shape[1:])))
        return Activation(
            add_bias(value, params),
            deltas=(lambda delta: correlation.narrowed(W, delta, x.shape),),
            grads=self.gradients(lambda delta: correlation.kernel_gradient(x, delta, W.shape)),
        )

    def per_example(self, params: Mapping[str, Array], delta: Array, x: Array) -> dict[str, Array]:
        grads = {"weight": self.correlation.kernel_gradients(x, delta, params["weight"].shape)}
        return grads | {"bias": bias_gradients(delta)} if self.bias else grads


def output_padding(axes: int) -> Sizes:
    """Return the field of the places added behind each axis of a value."""
    return Sizes(axes, 0, "places added behind each axis of the value", load_default=(0,) * axes)


class ConvTranspose1d(TransposedConvolution):
    """y = Wᵀ ⋆ x + b with x (channels in, n), W (channels in, channels / groups, kernel), b (channels,).

    Source: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", 2016, arXiv:1603.07285.
    """

    axes = ("channels", "n")

    class Config(Conv1d.Config):
        padding = Padding(1, "places of the value left out at either end")
        output_padding = output_padding(1)


class ConvTranspose2d(TransposedConvolution):
    """y = Wᵀ ⋆ x + b with x (channels in, h, w), W (channels in, channels / groups, kh, kw), b (channels,).

    Source: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", 2016, arXiv:1603.07285.
    """

    axes = ("channels", "h", "w")

    class Config(Conv2d.Config):
        padding = Padding(2, "places of the value left out at either end")
        output_padding = output_padding(2)

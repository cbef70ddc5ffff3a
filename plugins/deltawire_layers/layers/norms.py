"""Layers that normalise: they bring numbers to one size, then scale (and shift) them by learned parameters.

The statistics are those of one example, or inputs. Statistics of a batch would make its examples depend on
each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import inf, prod

import numpy as np
from marshmallow import Schema, validate

from deltawire_layers.initializers import Scaled, ones, scale_field, zeros
from deltawire_layers.layer import (
    CALL,
    NUMBER,
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
from deltawire_layers.numeric import analytic
from deltawire_layers.numeric.sums import inner
from deltawire_layers.shapes import last_axis
from deltawire_plugins import config


class NormConfig(Schema):
    eps = config.Number(
        load_default=1e-5,
        validate=validate.Range(min=0, min_inclusive=False),
        metadata={"description": "added to the variance, or mean square, under the root"},
    )
    affine = config.Flag(
        load_default=True,
        metadata={"description": "whether the layer has parameters that scale (and shift)"},
    )
    init_scale = scale_field()


def centred(x: Array) -> Array:
    """Return x minus its mean over the last axis; for δ, this is also the backward equation."""
    x = x - x.mean(axis=-1, keepdims=True)
    x -= x.mean(axis=-1, keepdims=True)  # rounding leaves a rest of a mean much greater than the differences
    return x


def rescaled(x: Array, eps: float) -> tuple[Array, Equation]:
    """Return y = x / √(mean x² + eps) over the last axis, and its backward equation."""
    count = x.shape[-1]
    # Only numbers of at most 1 are squared, so that no square overflows.
    size = np.maximum(np.abs(x.real).max(axis=-1, keepdims=True), 1)
    y = x / size
    root = size * analytic.square_root(inner(y, y) / count + eps / size / size)
    y = analytic.divide(x, root)
    return y, lambda delta: analytic.divide(delta - y * (inner(delta, y) / count), root)


def normalised(x: Array, eps: float) -> tuple[Array, Equation]:
    """Return x with mean 0 and variance 1 over the last axis, and its backward equation."""
    y, back = rescaled(centred(x), eps)
    return y, lambda delta: centred(back(delta))


def norm_work(x: Shape) -> Work:
    """Return the work of normalising an example of this shape, which reads its numbers again and again."""
    return Work(each=16 * NUMBER * prod(x), once=16 * CALL)


def affine(params: Mapping[str, Array], axis: int, y: Array, *back: Equation) -> Activation:
    """Compute weight ∘ y + bias along one axis; without parameters, y itself.

    Args:
        params: nothing, the weight, or weight and bias.
        axis: axis of y (batch, ...) that has one weight for each place.
        y: the normalised numbers.
        back: the backward equations of y, one for each input of the layer.

    Returns:
        The value, the equations of the layer's inputs, and the gradients of the parameters.
    """
    if not params:
        return Activation(y, deltas=back)
    along = [1] * y.ndim
    along[axis] = -1
    weight = params["weight"].reshape(along)
    value = weight * y
    axes = list(range(y.ndim))
    grads = {"weight": lambda delta: np.asarray(np.einsum(delta, axes, y, axes, [axes[axis]]))}
    if "bias" in params:
        value += params["bias"].reshape(along)
        grads["bias"] = lambda delta: np.asarray(np.einsum(delta, axes, [axes[axis]]))

    def through(equation: Equation, delta: Array) -> Array:
        return equation(weight * delta)

    return Activation(value, deltas=tuple(partial(through, equation) for equation in back), grads=grads)


def affine_per_example(params: Mapping[str, Array], axis: int, y: Array, delta: Array) -> dict[str, Array]:
    """Return the gradients of scale and shift for each example, summed over places that share a weight.

    Args:
        params: the parameters whose gradients are wanted.
        axis: axis of y (batch, ...) that has one weight for each place.
        y: the normalised numbers.
        delta: δ of the value, shaped like y.

    Returns:
        Arrays (batch, places of the axis) by parameter.
    """
    axes = list(range(y.ndim))
    each = [0, axes[axis]]
    grads = {
        "weight": lambda: np.asarray(np.einsum(delta, axes, y, axes, each)),
        "bias": lambda: np.asarray(np.einsum(delta, axes, each)),
    }
    return {name: grads[name]() for name in params}


def weight_and_bias(shape: Shape, init_scale: float) -> dict[str, Parameter]:
    """Return the parameters of a norm: factors that are 1 at first, or `init_scale`, and summands of 0."""
    return {"weight": Parameter(shape, Scaled(ones, init_scale)), "bias": Parameter(shape, zeros)}


class LayerNorm(Layer):
    """y = w ∘ (x − mean x) / √(var x + eps) + b over the last axis, with x (..., n), w (n,), b (n,).

    Source: Ba, Kiros & Hinton, "Layer Normalization", 2016, arXiv:1607.06450.
    """

    class Config(NormConfig):
        """The summand eps, and whether there are w and b."""

    eps: float
    affine: bool
    init_scale: float

    formula = Formula(
        r"{weight} \circ \hat{x} + {bias}, \quad \hat{x} = ({x0} - \overline{{x0}}) / s, "
        r"\quad s = \sqrt{\operatorname{var} {x0} + \epsilon}",
        (
            r"\frac{1}{s} \left(g - \bar{g} - \hat{x} \circ \overline{g \circ \hat{x}}\right), "
            r"\quad g = {weight} \circ {delta}",
        ),
        {"weight": r"{delta} \circ \hat{x}", "bias": r"{delta}"},
        {"weight": "1", "bias": "0"},
    )

    def output_shape(self, x: Shape) -> Shape:
        last_axis(x, least=1)
        return x

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return weight_and_bias(x[-1:], self.init_scale) if self.affine else {}

    def saved(self, x: Shape) -> int:
        return prod(x) + prod(x[:-1])

    def work(self, x: Shape) -> Work:
        return norm_work(x)

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        return affine(params, -1, *normalised(x, self.eps))

    def per_example(self, params: Mapping[str, Array], delta: Array, x: Array) -> dict[str, Array]:
        return affine_per_example(params, -1, normalised(x, self.eps)[0], delta)


class RmsNorm(Layer):
    """y = w ∘ x / √(mean x² + eps) over the last axis, with x (..., n), w (n,).

    Source: Zhang & Sennrich, "Root Mean Square Layer Normalization", 2019, arXiv:1910.07467.
    """

    class Config(NormConfig):
        """The summand eps, and whether there is a w."""

    eps: float
    affine: bool
    init_scale: float

    formula = Formula(
        r"{weight} \circ \hat{x}, \quad \hat{x} = {x0} / s, \quad s = \sqrt{\overline{{x0}^2} + \epsilon}",
        (
            r"\frac{1}{s} \left(g - \hat{x} \circ \overline{g \circ \hat{x}}\right), "
            r"\quad g = {weight} \circ {delta}",
        ),
        {"weight": r"{delta} \circ \hat{x}"},
        {"weight": "1"},
    )

    def output_shape(self, x: Shape) -> Shape:
        last_axis(x, least=1)
        return x

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return {"weight": Parameter(x[-1:], Scaled(ones, self.init_scale))} if self.affine else {}

    def saved(self, x: Shape) -> int:
        return prod(x) + prod(x[:-1])

    def work(self, x: Shape) -> Work:
        return norm_work(x)

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        return affine(params, -1, *rescaled(x, self.eps))

    def per_example(self, params: Mapping[str, Array], delta: Array, x: Array) -> dict[str, Array]:
        return affine_per_example(params, -1, rescaled(x, self.eps)[0], delta)


class ChannelNorm(Layer):
    """Parameters w (C,) and b (C,): one of each for every channel of an example (C, ...)."""

    affine: bool
    init_scale: float

    def parameters(self, x: Shape, *statistics: Shape) -> dict[str, Parameter]:
        return weight_and_bias(x[:1], self.init_scale) if self.affine else {}

    def work(self, x: Shape, *statistics: Shape) -> Work:
        return norm_work(x)


def channels(x: Shape) -> int:
    """Return the number of channels, the size of the first axis.

    Raises:
        LayerError: there is no axis.
    """
    if not x:
        raise LayerError("expected an axis of channels, got a single number of shape ()", input=0)
    return x[0]


class GroupNorm(ChannelNorm):
    """y = w ∘ (x − mean x) / √(var x + eps) + b over groups of channels, with x (C, ...), w (C,), b (C,).

    A group is C / groups channels that follow each other, with all their places.

    Source: Wu & He, "Group Normalization", 2018, arXiv:1803.08494.
    """

    class Config(NormConfig):
        groups = config.Integer(
            required=True,
            validate=validate.Range(min=1),
            metadata={"description": "number of groups the channels are divided into"},
        )

    groups: int
    eps: float

    formula = LayerNorm.formula

    def output_shape(self, x: Shape) -> Shape:
        if channels(x) % self.groups:
            raise LayerError(f"{x[0]} channels cannot be divided into {self.groups} groups", input=0)
        return x

    def saved(self, x: Shape) -> int:
        return prod(x) + self.groups

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        grouped = (len(x), self.groups, -1)
        y, back = normalised(x.reshape(grouped), self.eps)
        return affine(
            params, 1, y.reshape(x.shape), lambda delta: back(delta.reshape(grouped)).reshape(x.shape)
        )

    def per_example(self, params: Mapping[str, Array], delta: Array, x: Array) -> dict[str, Array]:
        y, _ = normalised(x.reshape(len(x), self.groups, -1), self.eps)
        return affine_per_example(params, 1, y.reshape(x.shape), delta)


class BatchNorm(ChannelNorm):
    """y = w ∘ (x − running_mean) / √(running_var + eps) + b by channel, with x (C, ...), the others (C,).

    The statistics are inputs, usually `shared` ones, and fixed: they come from a training elsewhere (torch's
    layer in `eval` mode). They are not parameters, so that a step along all gradients does not change them.

    Source: Ioffe & Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal
    Covariate Shift", 2015, arXiv:1502.03167.
    """

    class Config(NormConfig):
        """The summand eps, and whether there are w and b."""

    eps: float

    domain = (0.0, inf)  # of the variance; the others may be anything
    formula = Formula(
        r"{weight} \circ \hat{x} + {bias}, \quad \hat{x} = ({x0} - {x1}) / s, "
        r"\quad s = \sqrt{{x2} + \epsilon}",
        (
            r"\frac{1}{s} \circ {weight} \circ {delta}",
            r"-\frac{1}{s} \circ \textstyle\sum {weight} \circ {delta}",
            r"-\frac{1}{2 s^2} \circ \textstyle\sum {weight} \circ {delta} \circ \hat{x}",
        ),
        {"weight": r"{delta} \circ \hat{x}", "bias": r"{delta}"},
        {"weight": "1", "bias": "0"},
    )

    def output_shape(self, x: Shape, running_mean: Shape, running_var: Shape) -> Shape:
        expected = (channels(x),)
        for position, given in enumerate((running_mean, running_var), start=1):
            if given != expected:
                raise LayerError(
                    f"expected one number per channel, shape {list(expected)}, got {list(given)}",
                    input=position,
                )
        return x

    def saved(self, x: Shape, running_mean: Shape, running_var: Shape) -> int:
        return prod(x) + x[0]

    def forward(
        self, params: Mapping[str, Array], x: Array, running_mean: Array, running_var: Array
    ) -> Activation:
        each = (*running_mean.shape, *(1,) * (x.ndim - 2))
        places = tuple(range(2, x.ndim))
        root = analytic.square_root(running_var + self.eps)
        y = self._normalised(x, running_mean, root)
        return affine(
            params, 1, y,
            lambda delta: analytic.divide(delta, root.reshape(each)),
            lambda delta: -analytic.divide(delta.sum(axis=places), root),
            lambda delta: analytic.divide(
                analytic.divide(-0.5 * (delta * y).sum(axis=places), root), root
            ),
        )  # fmt: skip

    def per_example(
        self, params: Mapping[str, Array], delta: Array, x: Array, running_mean: Array, running_var: Array
    ) -> dict[str, Array]:
        root = analytic.square_root(running_var + self.eps)
        return affine_per_example(params, 1, self._normalised(x, running_mean, root), delta)

    def _normalised(self, x: Array, mean: Array, root: Array) -> Array:
        each = (*mean.shape, *(1,) * (x.ndim - 2))
        return analytic.divide(x - mean.reshape(each), root.reshape(each))

"""Normalise numbers, then scale and shift them: what all norms share."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import prod

import numpy as np
from marshmallow import Schema, validate

from deltawire_layers.initializers import Scaled, ones, scale_field, zeros
from deltawire_layers.layer import (
    CALL,
    NUMBER,
    Activation,
    Array,
    Equation,
    Parameter,
    Shape,
    Work,
)
from deltawire_layers.numeric import analytic
from deltawire_layers.numeric.compiled import moved_norms
from deltawire_layers.numeric.lengths import magnitude
from deltawire_layers.numeric.sums import inner, sum_axes, sum_row_products, sum_rows
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
    count = x.shape[-1]
    x = x - np.add.reduce(x, axis=-1, keepdims=True) / count
    # Rounding leaves a rest of a mean much greater than the differences.
    x -= np.add.reduce(x, axis=-1, keepdims=True) / count
    return x


def size_of(x: Array) -> Array:
    """Return a power of two for each row, at least 1: numbers divided by it are less than 2."""
    return np.maximum(magnitude(x), 1)


def rescaled(x: Array, eps: float) -> tuple[Array, Equation]:
    """Return y = x / √(mean x² + eps) over the last axis, and its backward equation."""
    compiled = moved_norms.norm(x, eps, centred=False)
    if compiled:
        return compiled
    size = size_of(x)
    return _rescaled(x / size, size, eps)


def _rescaled(x: Array, size: Array, eps: float) -> tuple[Array, Equation]:
    """Return y and its backward equation for numbers that have been divided by a size, (..., 1)."""
    count = x.shape[-1]
    root = analytic.square_root(inner(x, x) / count + eps / size / size)
    y, length = analytic.divide(x, root), size * root

    def back(delta: Array) -> Array:
        along = inner(delta, y) / count
        delta = delta - y * along
        # Of the part along y, eps / (mean x² + eps) stays. Rounding leaves more, next to what is 0.
        share = analytic.divide(eps**0.5, length)
        delta -= y * (inner(delta, y) / count - along * share * share)
        return analytic.divide(delta, length)

    return y, back


def normalised(x: Array, eps: float) -> tuple[Array, Equation]:
    """Return x with mean 0 and variance 1 over the last axis, and its backward equation."""
    compiled = moved_norms.norm(x, eps, centred=True)
    if compiled:
        return compiled
    size = size_of(x)  # before the mean, whose sum might overflow
    y, back = _rescaled(centred(x / size), size, eps)
    return y, lambda delta: centred(back(delta))


def saved_by_rows(rows: int, count: int) -> int:
    """Return how many numbers are saved of rows: the normalised ones and a root, or three moments.

    Args:
        rows: number of rows.
        count: numbers of a row.
    """
    return rows * max(count + 1, 3)


def norm_work(x: Shape) -> Work:
    """Return the work of normalising an example of this shape, which reads its numbers again and again."""
    return Work(each=16 * NUMBER * prod(x), once=16 * CALL)


def affine(params: Mapping[str, Array], axis: int, y: Array, *back: Equation) -> Activation:
    """Compute weight ∘ y + bias along one axis; without parameters, y itself.

    Args:
        params: nothing, the weight, or weight and bias.
        axis: axis of y (batch, ...) that has one weight for each place: 1, or −1 for the last.
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
    grads = {"weight": lambda delta: sum_products_along(axis, delta, y)}
    if "bias" in params:
        value += params["bias"].reshape(along)
        grads["bias"] = lambda delta: sum_along(axis, delta)

    def through(equation: Equation, delta: Array) -> Array:
        return equation(weight * delta)

    return Activation(value, deltas=tuple(partial(through, equation) for equation in back), grads=grads)


def sum_along(axis: int, delta: Array) -> Array:
    """Return Σ δ for each place of one axis: the second, of channels, or the last, −1."""
    return sum_rows(delta if axis == -1 else sum_axes(delta, tuple(range(2, delta.ndim))))


def sum_products_along(axis: int, delta: Array, y: Array) -> Array:
    """Return Σ δ ∘ y for each place of one axis.

    Args:
        axis: the second, of channels, or the last, −1.
        delta: δ (batch, ...).
        y: numbers of that shape.
    """
    if axis == -1:
        return sum_row_products(delta, y)
    channels = (*y.shape[:2], prod(y.shape[2:]))
    return sum_rows(inner(delta.reshape(channels), y.reshape(channels))[..., 0])


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
    places = tuple(place for place in range(1, y.ndim) if place != axis % y.ndim)
    grads = {"weight": lambda: sum_axes(delta * y, places), "bias": lambda: sum_axes(delta, places)}
    return {name: grads[name]() for name in params}


def weight_and_bias(shape: Shape, init_scale: float) -> dict[str, Parameter]:
    """Return the parameters of a norm: factors that are 1 at first, or `init_scale`, and summands of 0."""
    return {"weight": Parameter(shape, Scaled(ones, init_scale)), "bias": Parameter(shape, zeros)}

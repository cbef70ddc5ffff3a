"""Layers with a matrix of weights: linear and embedding."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np
from marshmallow import Schema, validate

from deltawire_layers import config
from deltawire_layers.initializers import fan_in, unit_variance
from deltawire_layers.layer import Activation, Array, Formula, Layer, LayerError, Parameter, Shape
from deltawire_layers.numeric.products import matmul, outer


def rows(array: Array) -> Array:
    """Flatten the leading axes: (..., n) as a matrix with rows of n."""
    return array if array.ndim == 2 else array.reshape(prod(array.shape[:-1]), array.shape[-1])


def product(x: Array, W: Array) -> Array:
    """x W over the last axis of x (..., n), for a matrix W (n, m): (..., m)."""
    z = matmul(rows(x), W)  # one product, not one for each example
    return z if x.ndim == 2 else z.reshape(*x.shape[:-1], W.shape[1])


def total(delta: Array) -> Array:
    """Σ δ over the rows of δ (rows, m): (m,)."""
    if len(delta) == 1:
        row: Array = delta[0]
        return row
    ones = None if delta.size < _MANY else np.ones(len(delta), delta.dtype)
    gradient: Array = np.add.reduce(delta, axis=0) if ones is None else np.dot(ones, delta)
    return gradient


_MANY = 2**14
"""From so many numbers on, BLAS sums rows faster than numpy, though it multiplies them by 1."""


def scattered(index: Array, delta: Array, shape: Shape) -> Array:
    """Σ e_index δᵀ: every row of δ added to the row of a matrix that it was looked up from."""
    # Rows looked up several times add up; sorting first makes that a sum over runs, in a fixed order.
    order = np.argsort(index, axis=None, kind="stable")
    looked_up, starts = np.unique(index.ravel()[order], return_index=True)
    gradient = np.zeros(shape, delta.dtype)
    gradient[looked_up] = np.add.reduceat(delta[order], starts, axis=0)
    return gradient


class Linear(Layer):
    """z = W x + b over the last axis, with x (..., n), W (units, n), b (units,)."""

    class Config(Schema):
        units = config.Whole(
            required=True,
            validate=validate.Range(min=1),
            metadata={"description": "numbers out"},
        )
        bias = config.Flag(load_default=True, metadata={"description": "whether b is added"})

    units: int
    bias: bool

    formula = Formula(
        value=r"{weight}\,{x0} + {bias}",
        deltas=(r"{weight}^{\top} {delta}",),
        grads={"weight": r"{delta}\,{x0}^{\top}", "bias": r"{delta}"},
    )

    def output_shape(self, x: Shape) -> Shape:
        if not x:
            raise LayerError(
                "expected at least one axis to multiply along, got a single number of shape ()", input=0
            )
        return (*x[:-1], self.units)

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        init = fan_in(x[-1])
        weight = {"weight": Parameter((self.units, x[-1]), init)}
        return weight | {"bias": Parameter((self.units,), init)} if self.bias else weight

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        W = params["weight"]
        value = product(x, W.T)
        grads = {"weight": lambda delta: outer(rows(delta), rows(x))}  # δ xᵀ
        if self.bias:
            value += params["bias"]
            grads["bias"] = lambda delta: total(rows(delta))  # δ
        return Activation(value, deltas=(lambda delta: product(delta, W),), grads=grads)  # Wᵀ δ

    def per_example(self, params: Mapping[str, Array], delta: Array, x: Array) -> dict[str, Array]:
        places = (len(x), prod(x.shape[1:-1]))
        x, delta = (array.reshape(*places, array.shape[-1]) for array in (x, delta))
        one = x.shape[1] == 1  # a product of a column and a row each
        grads = {"weight": delta.swapaxes(1, 2) * x if one else delta.swapaxes(1, 2) @ x}
        return grads | {"bias": delta.sum(axis=1)} if self.bias else grads


class Embedding(Layer):
    """value = W[index], the rows looked up, for integers index (...), W (rows, width), value (..., width).

    Source: Bengio et al., "A Neural Probabilistic Language Model", JMLR 3, 2003.
    """

    class Config(Schema):
        rows = config.Whole(
            required=True,
            validate=validate.Range(min=1),
            metadata={"description": "size of the vocabulary"},
        )
        width = config.Whole(
            required=True,
            validate=validate.Range(min=1),
            metadata={"description": "numbers in a row"},
        )

    rows: int
    width: int

    formula = Formula(
        value=r"{weight}_{{x0}}",
        deltas=(None,),
        grads={"weight": r"\sum_{k} e_{{x0}_k}\,{delta}_k^{\top}"},
    )

    def output_shape(self, index: Shape) -> Shape:
        return (*index, self.width)

    def parameters(self, index: Shape) -> dict[str, Parameter]:
        return {"weight": Parameter((self.rows, self.width), unit_variance)}

    def integer_inputs(self, index: Shape) -> dict[int, range]:
        return {0: range(self.rows)}

    def saved(self, index: Shape) -> int:
        return 2 * prod(index)  # the order of the rows, found again in the gradient

    def forward(self, params: Mapping[str, Array], index: Array) -> Activation:
        W = params["weight"]
        grads = {"weight": lambda delta: scattered(index, rows(delta), W.shape)}
        return Activation(W[index], deltas=(None,), grads=grads)

    def per_example(self, params: Mapping[str, Array], delta: Array, index: Array) -> dict[str, Array]:
        batch, shape = len(index), params["weight"].shape
        first = shape[0] * np.arange(batch)  # row of a matrix that has those of all examples
        apart = index + first.reshape(-1, *(1,) * (index.ndim - 1))
        gradient = scattered(apart, rows(delta), (batch * shape[0], shape[1]))
        return {"weight": gradient.reshape(batch, *shape)}

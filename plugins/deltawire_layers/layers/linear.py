"""Layers with a matrix of weights: linear and embedding."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import prod

import numpy as np
from marshmallow import Schema, validate

from deltawire_layers.initializers import Scaled, fan_in, scale_field, unit_variance
from deltawire_layers.layer import CALL, Activation, Array, Formula, Layer, LayerError, Parameter, Shape, Work
from deltawire_layers.numeric.products import matmul, outer, project
from deltawire_layers.numeric.sums import scatter_rows, sum_rows
from deltawire_layers.shapes import last_axis
from deltawire_plugins import config


class Linear(Layer):
    """z = W x + b over the last axis, with x (..., n), W (units, n), b (units,)."""

    class Config(Schema):
        units = config.Integer(
            required=True,
            validate=validate.Range(min=1),
            metadata={"description": "numbers out"},
        )
        bias = config.Flag(load_default=True, metadata={"description": "whether b is added"})
        init_scale = scale_field()

    units: int
    bias: bool
    init_scale: float

    formula = Formula(
        value=r"{weight}\,{x0} + {bias}",
        deltas=(r"{weight}^{\top} {delta}",),
        grads={"weight": r"{delta}\,{x0}^{\top}", "bias": r"{delta}"},
        init=dict.fromkeys(("weight", "bias"), "uniform within ±1/√n"),
    )

    def output_shape(self, x: Shape) -> Shape:
        last_axis(x)
        return (*x[:-1], self.units)

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        init = Scaled(fan_in(x[-1]), self.init_scale)
        weight = {"weight": Parameter((self.units, x[-1]), init)}
        return weight | {"bias": Parameter((self.units,), init)} if self.bias else weight

    def work(self, x: Shape) -> Work:
        return Work(each=prod(x) * self.units, once=3 * CALL)

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        W = params["weight"]
        value = project(x, W.T)
        grads = {"weight": lambda delta: outer(delta, x, of_result=True)}  # δ xᵀ
        if self.bias:
            value += params["bias"]
            grads["bias"] = lambda delta: sum_rows(delta)  # δ
        return Activation(value, deltas=(lambda delta: project(delta, W),), grads=grads)  # Wᵀ δ

    def per_example(self, params: Mapping[str, Array], delta: Array, x: Array) -> dict[str, Array]:
        places = (len(x), prod(x.shape[1:-1]))
        x, delta = (array.reshape(*places, array.shape[-1]) for array in (x, delta))
        one = x.shape[1] == 1  # one column times one row for each example: broadcasting is faster
        grads = {"weight": delta.swapaxes(1, 2) * x if one else matmul(delta.swapaxes(1, 2), x)}
        return grads | {"bias": delta.sum(axis=1)} if self.bias else grads


class Embedding(Layer):
    """value = W[index], the rows looked up, for integers index (...), W (rows, width), value (..., width).

    With `padding_idx`, that row is a constant here: it is looked up as it is, and gets no gradient, as in
    torch.

    Source: Bengio et al., "A Neural Probabilistic Language Model", JMLR 3, 2003.
    """

    class Config(Schema):
        rows = config.Integer(
            required=True,
            validate=validate.Range(min=1),
            metadata={"description": "size of the vocabulary"},
        )
        width = config.Integer(
            required=True,
            validate=validate.Range(min=1),
            metadata={"description": "numbers in a row"},
        )
        padding_idx = config.Integer(
            load_default=None,
            allow_none=True,
            validate=validate.Range(min=0),
            metadata={"description": "row that this layer does not learn: its gradient is 0"},
        )
        init_scale = scale_field()

    rows: int
    width: int
    padding_idx: int | None
    init_scale: float

    formula = Formula(
        value=r"{weight}_{{x0}}",
        deltas=(None,),
        grads={"weight": r"\sum_{k} e_{{x0}_k}\,{delta}_k^{\top}"},
        init={"weight": "uniform within ±√3, with variance 1"},
    )

    def output_shape(self, index: Shape) -> Shape:
        if self.padding_idx is not None and self.padding_idx >= self.rows:
            raise LayerError(f"padding_idx is {self.padding_idx}, and the table has {self.rows} rows")
        return (*index, self.width)

    def parameters(self, index: Shape) -> dict[str, Parameter]:
        return {"weight": Parameter((self.rows, self.width), Scaled(unit_variance, self.init_scale))}

    def integer_inputs(self, index: Shape) -> dict[int, range]:
        return {0: range(self.rows)}

    def constant_rows(self) -> Mapping[str, Collection[int]]:
        return {} if self.padding_idx is None else {"weight": (self.padding_idx,)}

    def saved(self, index: Shape) -> int:
        # The gradient works in the sorted integers, and in a copy of δ where one row is looked up everywhere.
        return prod(index) * (4 + self.width)

    def forward(self, params: Mapping[str, Array], index: Array) -> Activation:
        W = params["weight"]
        value = W.take(index, axis=0)  # faster than W[index]
        if self.padding_idx is not None and np.iscomplexobj(value):
            value.imag[index == self.padding_idx] = 0  # the row is a constant: no tangent goes through it

        def weight_gradient(delta: Array) -> Array:
            gradient = scatter_rows(index, delta, W.shape)
            if self.padding_idx is not None:
                gradient[self.padding_idx] = 0
            return gradient

        return Activation(value, deltas=(None,), grads={"weight": weight_gradient})

    def per_example(self, params: Mapping[str, Array], delta: Array, index: Array) -> dict[str, Array]:
        batch, shape = len(index), params["weight"].shape
        first = shape[0] * np.arange(batch)  # each example's first row in one matrix for all examples
        apart = index + first.reshape(-1, *(1,) * (index.ndim - 1))
        gradient = scatter_rows(apart, delta, (batch * shape[0], shape[1]))
        gradient = gradient.reshape(batch, *shape)
        if self.padding_idx is not None:
            gradient[:, self.padding_idx] = 0
        return {"weight": gradient}

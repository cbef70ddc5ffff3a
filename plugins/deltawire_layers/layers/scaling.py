"""Layers that give every place of an example its own factor or summand: learned, or a mask as an input."""

from __future__ import annotations

from collections.abc import Mapping

from marshmallow import Schema, validate

from deltawire_layers.initializers import Scaled, ones, scale_field, zeros
from deltawire_layers.layer import Activation, Array, Formula, Layer, Parameter, Shape
from deltawire_layers.numeric import analytic, branches
from deltawire_layers.numeric.sums import sum_batch, sum_batch_products
from deltawire_layers.shapes import equal_shapes
from deltawire_plugins import config


class Scale(Layer):
    """y = w ∘ x, number by number, with x (...), w (...) of the same shape."""

    class Config(Schema):
        init_scale = scale_field()

    init_scale: float

    elementwise = True
    formula = Formula(
        r"{weight} \circ {x0}",
        (r"{weight} \circ {delta}",),
        {"weight": r"{delta} \circ {x0}"},
        {"weight": "1"},
    )

    def output_shape(self, x: Shape) -> Shape:
        return x

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return {"weight": Parameter(x, Scaled(ones, self.init_scale))}

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        w = params["weight"]
        return Activation(
            w * x,
            deltas=(lambda delta: w * delta,),
            grads={"weight": lambda delta: sum_batch_products(delta, x)},
        )

    def per_example(self, params: Mapping[str, Array], delta: Array, x: Array) -> dict[str, Array]:
        return {"weight": delta * x}


class Shift(Layer):
    """y = x + b, number by number, with x (...), b (...) of the same shape."""

    elementwise = True
    formula = Formula(r"{x0} + {bias}", (r"{delta}",), {"bias": r"{delta}"}, {"bias": "0"})

    def output_shape(self, x: Shape) -> Shape:
        return x

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return {"bias": Parameter(x, zeros)}

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        return Activation(
            x + params["bias"],
            deltas=(lambda delta: delta,),
            grads={"bias": sum_batch},
        )

    def per_example(self, params: Mapping[str, Array], delta: Array, x: Array) -> dict[str, Array]:
        return {"bias": delta}


class DropoutMask(Layer):
    """y = m ∘ x / (1 − p), with x (...), integers m (...) of the same shape: 1 keeps a number, 0 drops it.

    The caller draws the mask: with P(m = 1) = 1 − p, y is x on average.

    Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 15,
    2014.
    """

    class Config(Schema):
        p = config.Number(
            load_default=0.5,
            validate=validate.Range(min=0, max=1, max_inclusive=False),
            metadata={"description": "share of the numbers that the mask drops"},
        )

    p: float

    elementwise = True
    formula = Formula(r"\frac{1}{1-p}\,{x1} \circ {x0}", (r"\frac{1}{1-p}\,{x1} \circ {delta}", None))

    def output_shape(self, x: Shape, mask: Shape) -> Shape:
        return equal_shapes(x, mask)

    def integer_inputs(self, x: Shape, mask: Shape) -> dict[int, range]:
        return {1: range(2)}

    def forward(self, params: Mapping[str, Array], x: Array, mask: Array) -> Activation:
        def masked(array: Array) -> Array:
            return analytic.scale(branches.keep(mask != 0, array), 1 / (1 - self.p))

        return Activation(masked(x), deltas=(masked, None))

"""Layers that combine several inputs: number by number, along the last axis, or as matrices.

Inputs that are combined number by number have equal shapes: nothing broadcasts.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, prod

import numpy as np

from deltawire_layers.layer import Activation, Array, Formula, Layer, LayerError, Shape, Work
from deltawire_layers.numeric import analytic, branches
from deltawire_layers.numeric.products import matmul
from deltawire_layers.shapes import equal_shapes, last_axis, shape_text


class Add(Layer):
    """y = Σ xₖ, for any number of inputs of one shape (...)."""

    elementwise = True
    formula = Formula(r"{x0} + {x1} + \dots", (r"{delta}",))

    def output_shape(self, x: Shape, *more: Shape) -> Shape:
        return equal_shapes(x, *more)

    def forward(self, params: Mapping[str, Array], x: Array, *more: Array) -> Activation:
        y = x
        for other in more:
            y = y + other
        return Activation(y, deltas=(lambda delta: delta,) * (1 + len(more)))


class Subtract(Layer):
    """y = a − b, for a and b of one shape (...)."""

    elementwise = True
    formula = Formula(r"{x0} - {x1}", (r"{delta}", r"-{delta}"))

    def output_shape(self, a: Shape, b: Shape) -> Shape:
        return equal_shapes(a, b)

    def forward(self, params: Mapping[str, Array], a: Array, b: Array) -> Activation:
        return Activation(a - b, deltas=(lambda delta: delta, lambda delta: -delta))


class Multiply(Layer):
    """y = a ∘ b, number by number, for a and b of one shape (...)."""

    elementwise = True
    formula = Formula(r"{x0} \circ {x1}", (r"{x1} \circ {delta}", r"{x0} \circ {delta}"))

    def output_shape(self, a: Shape, b: Shape) -> Shape:
        return equal_shapes(a, b)

    def forward(self, params: Mapping[str, Array], a: Array, b: Array) -> Activation:
        return Activation(a * b, deltas=(lambda delta: delta * b, lambda delta: delta * a))


class Divide(Layer):
    """y = a / b, number by number, for a and b of one shape (...), b ≠ 0."""

    elementwise = True
    domain = (0.0, inf)  # of either sign, in fact; but at 0 / 0 there is no value
    formula = Formula(
        r"\frac{{x0}}{{x1}}", (r"\frac{1}{{x1}} \circ {delta}", r"-\frac{{value}}{{x1}} \circ {delta}")
    )

    def output_shape(self, a: Shape, b: Shape) -> Shape:
        return equal_shapes(a, b)

    def forward(self, params: Mapping[str, Array], a: Array, b: Array) -> Activation:
        y = analytic.divide(a, b)
        return Activation(
            y, deltas=(lambda delta: analytic.divide(delta, b), lambda delta: -delta * analytic.divide(y, b))
        )


class Maximum(Layer):
    """y = max(a, b), number by number, for a and b of one shape (...); a tie is split equally."""

    elementwise = True
    formula = Formula(r"\max({x0}, {x1})", (r"[{x0} > {x1}] \circ {delta}", r"[{x1} > {x0}] \circ {delta}"))

    def output_shape(self, a: Shape, b: Shape) -> Shape:
        return equal_shapes(a, b)

    def forward(self, params: Mapping[str, Array], a: Array, b: Array) -> Activation:
        return Activation(
            branches.maximum(a, b),
            deltas=(
                lambda delta: branches.share_of_maximum(delta, a, b),
                lambda delta: branches.share_of_maximum(delta, b, a),
            ),
        )


class Minimum(Layer):
    """y = min(a, b), number by number, for a and b of one shape (...); a tie is split equally."""

    elementwise = True
    formula = Formula(r"\min({x0}, {x1})", (r"[{x0} < {x1}] \circ {delta}", r"[{x1} < {x0}] \circ {delta}"))

    def output_shape(self, a: Shape, b: Shape) -> Shape:
        return equal_shapes(a, b)

    def forward(self, params: Mapping[str, Array], a: Array, b: Array) -> Activation:
        return Activation(
            branches.minimum(a, b),
            deltas=(
                lambda delta: branches.share_of_maximum(delta, b, a),
                lambda delta: branches.share_of_maximum(delta, a, b),
            ),
        )


class Dot(Layer):
    """y = Σᵢ aᵢ bᵢ over the last axis, for a and b of one shape (..., n)."""

    formula = Formula(r"{x0}^{\top} {x1}", (r"{delta}\,{x1}", r"{delta}\,{x0}"))

    def output_shape(self, a: Shape, b: Shape) -> Shape:
        last_axis(a)
        return equal_shapes(a, b)[:-1]

    def forward(self, params: Mapping[str, Array], a: Array, b: Array) -> Activation:
        return Activation(
            np.einsum("...i,...i->...", a, b),
            deltas=(lambda delta: delta[..., None] * b, lambda delta: delta[..., None] * a),
        )


class Matmul(Layer):
    """Y = A B, for matrices A (..., n, k) and B (..., k, m) with the same leading axes; Y (..., n, m)."""

    formula = Formula(r"{x0}\,{x1}", (r"{delta}\,{x1}^{\top}", r"{x0}^{\top} {delta}"))

    def output_shape(self, a: Shape, b: Shape) -> Shape:
        if len(a) < 2:
            raise LayerError(f"expected a matrix, at least two axes, got shape {list(a)}", input=0)
        if len(b) != len(a) or b[:-1] != (*a[:-2], a[-1]):
            expected = shape_text(*a[:-2], a[-1], "any")
            raise LayerError(f"expected shape {expected}, got {list(b)}", input=1)
        return (*a[:-1], b[-1])

    def work(self, a: Shape, b: Shape) -> Work:
        return Work(each=prod(a) * b[-1])

    def forward(self, params: Mapping[str, Array], a: Array, b: Array) -> Activation:
        return Activation(
            matmul(a, b),
            deltas=(
                lambda delta: matmul(delta, b.swapaxes(-1, -2)),
                lambda delta: matmul(a.swapaxes(-1, -2), delta),
            ),
        )

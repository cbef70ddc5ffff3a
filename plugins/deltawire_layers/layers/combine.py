"""Layers that combine several inputs, or halves of one: number by number, along an axis, or as matrices.

Inputs that are combined number by number have equal shapes: nothing broadcasts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from math import inf, prod

import numpy as np
from marshmallow import Schema, ValidationError, fields

from deltawire_layers.layer import CALL, Activation, Array, Formula, Layer, LayerError, Shape, Work
from deltawire_layers.numeric import analytic, branches, contraction
from deltawire_layers.numeric.products import matmul
from deltawire_layers.numeric.sums import inner
from deltawire_layers.shapes import axis_index, equal_shapes, last_axis, shape_text
from deltawire_plugins import config
from deltawire_plugins.shown import shown


def check_equation(equation: str) -> None:
    """Check the equation of an einsum.

    Raises:
        ValidationError: it has no arrow, a letter twice in a term, or one in the value that is in no input.
    """
    found = re.fullmatch(r"([A-Za-z]*(?:,[A-Za-z]*)*)->([A-Za-z]*)", equation.replace(" ", ""))
    if not found or len(equation) > 1000:
        raise ValidationError(
            f"expected terms of letters and an arrow, as in 'ij,jk->ik', got {shown(equation)}"
        )
    terms, out = str(found[1]).split(","), str(found[2])
    for term in (*terms, out):
        if len(set(term)) != len(term):
            raise ValidationError(f"expected each letter once in a term, got {term!r}")
    if missing := set(out).difference(*terms):
        raise ValidationError(f"expected letters of the inputs behind the arrow, got {min(missing)!r}")


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
            inner(a, b)[..., 0],
            deltas=(lambda delta: delta[..., None] * b, lambda delta: delta[..., None] * a),
        )


class Matmul(Layer):
    """Y = A B, for matrices A (..., n, k) and B (..., k, m) with the same leading axes; Y (..., n, m)."""

    formula = Formula(r"{x0}\,{x1}", (r"{delta}\,{x1}^{\top}", r"{x0}^{\top} {delta}"))

    def output_shape(self, a: Shape, b: Shape) -> Shape:
        if len(a) < 2:
            mend = ": 'dot' multiplies vectors" if a and a == b else ""
            raise LayerError(f"expected a matrix, at least two axes, got shape {list(a)}{mend}", input=0)
        if len(b) != len(a) or b[:-1] != (*a[:-2], a[-1]):
            expected = shape_text(*a[:-2], a[-1], "any")
            column = len(a) == 2 and b == a[-1:]
            mend = f": reshape the vector to a column, shape [{a[-1]}, 1]" if column else ""
            raise LayerError(f"expected shape {expected}, got {list(b)}{mend}", input=1)
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


class Glu(Layer):
    """y = a ∘ σ(b), with a and b the halves of x (..., n) along one axis, and y of half its places there.

    Source: Dauphin et al., "Language Modeling with Gated Convolutional Networks", 2016, arXiv:1612.08083.
    """

    class Config(Schema):
        axis = config.Integer(
            load_default=-1, metadata={"description": "axis of the example; negative counts from the last"}
        )

    axis: int

    formula = Formula(
        r"a \circ \sigma(b), \quad {x0} = (a, b)",
        (r"(\sigma(b) \circ {delta},\; a \circ \sigma(b) \circ (1 - \sigma(b)) \circ {delta})",),
    )

    def output_shape(self, x: Shape) -> Shape:
        axis = axis_index(self.axis, x)
        if x[axis] % 2 or not x[axis]:
            raise LayerError(
                f"expected an even number of places along axis {axis}, got shape {list(x)}", input=0
            )
        return (*x[:axis], x[axis] // 2, *x[axis + 1 :])

    def saved(self, x: Shape) -> int:
        return prod(self.output_shape(x))  # in the equation: the gate

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        axis = axis_index(self.axis, x.shape[1:]) + 1
        a, b = np.split(x, 2, axis)

        def x_delta(delta: Array) -> Array:
            gate = analytic.sigmoid(b)
            below = delta * gate
            return np.concatenate([below, below * a * analytic.sigmoid(-b)], axis)

        return Activation(a * analytic.sigmoid(b), deltas=(x_delta,))


class Einsum(Layer):
    """y = Σ of the product of the inputs over the letters that the equation drops, as in numpy's einsum.

    The equation names the axes of an example, not the batch: `ij,jk->ik` is a matrix product. A letter stands
    once in a term.
    """

    class Config(Schema):
        equation = fields.String(
            required=True,
            validate=check_equation,
            metadata={"description": "the letters of each input's axes, then -> and those of the value's"},
        )

    equation: str

    formula = Formula(
        r"\textstyle\sum {x0} \circ {x1} \circ \dots",
        (r"\textstyle\sum {delta} \circ \text{the other inputs}",),
    )

    @property
    def terms(self) -> tuple[list[str], str]:
        """Return the letters of each input, and those of the value."""
        before, _, out = self.equation.replace(" ", "").partition("->")
        return before.split(","), out

    def sizes(self, *inputs: Shape) -> dict[str, int]:
        """Return the size of each letter.

        Raises:
            LayerError: inputs and terms do not fit.
        """
        terms, _ = self.terms
        if len(terms) != len(inputs):
            raise LayerError(f"the equation has {len(terms)} terms, and the node {len(inputs)} inputs")
        sizes: dict[str, int] = {}
        for position, (term, shape) in enumerate(zip(terms, inputs, strict=True)):
            if len(term) != len(shape):
                raise LayerError(f"the term {term!r} does not fit shape {list(shape)}", input=position)
            for letter, size in zip(term, shape, strict=True):
                if sizes.setdefault(letter, size) != size:
                    message = f"{letter!r} is {sizes[letter]} before, and {size} in shape {list(shape)}"
                    raise LayerError(message, input=position)
        return sizes

    def output_shape(self, x: Shape, *more: Shape) -> Shape:
        sizes = self.sizes(x, *more)
        return tuple(sizes[letter] for letter in self.terms[1])

    def _numbers(self, letters: str, sizes: Mapping[str, int]) -> int:
        return prod(sizes[letter] for letter in letters)

    def _orders(self) -> list[tuple[list[str], str]]:
        """Return the terms and the result of the value, and those of each δ."""
        terms, out = self.terms
        return [(terms, out), *(([out, *terms[:k], *terms[k + 1 :]], term) for k, term in enumerate(terms))]

    def saved(self, x: Shape, *more: Shape) -> int:
        sizes = self.sizes(x, *more)
        results = [term for terms, out in self._orders() for _, term in contraction.steps(terms, out)]
        largest = max((self._numbers(term, sizes) for term in results), default=0)
        # In any equation: copies of two arrays in another order, and the results before and after.
        return 2 * largest + 2 * sum(map(prod, (x, *more))) + prod(self.output_shape(x, *more))

    def work(self, x: Shape, *more: Shape) -> Work:
        sizes = self.sizes(x, *more)
        products = [letters for letters, _ in contraction.steps(*self.terms)]
        return Work(
            sum(self._numbers(letters, sizes) for letters in products), once=8 * CALL * (1 + len(more))
        )

    def forward(self, params: Mapping[str, Array], x: Array, *more: Array) -> Activation:
        inputs = (x, *more)
        terms, out = self.terms

        def input_delta(k: int, delta: Array) -> Array:
            others = [place for place in range(len(inputs)) if place != k]
            known = set(out).union(*(terms[place] for place in others))
            kept = "".join(letter for letter in terms[k] if letter in known)
            factors = [delta, *(inputs[place] for place in others)]
            below = contraction.contract([out, *(terms[place] for place in others)], factors, kept)
            # Along a letter that stands in this term only, all places get the same δ.
            lone = tuple(place for place, letter in enumerate(terms[k], start=1) if letter not in known)
            return np.broadcast_to(np.expand_dims(below, lone), inputs[k].shape)

        return Activation(
            contraction.contract(terms, inputs, out),
            deltas=tuple(partial(input_delta, k) for k in range(len(inputs))),
        )

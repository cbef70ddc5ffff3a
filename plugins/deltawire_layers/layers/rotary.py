"""Rotary positions: every pair of numbers is turned by an angle that grows with its place."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np
from marshmallow import Schema, validate

from deltawire_layers.layer import Activation, Array, Formula, Layer, LayerError, Shape
from deltawire_plugins import config


class Rotary(Layer):
    """y = x (..., n, d) with pair i of place p turned by the angle p · base^(−2i / d).

    A pair is numbers i and i + d/2, as in Llama, or with `interleaved` 2i and 2i + 1, as in the paper. δ is
    turned back.

    Source: Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding", 2021,
    arXiv:2104.09864.
    """

    class Config(Schema):
        base = config.Number(
            load_default=10000.0,
            validate=validate.Range(min=0, min_inclusive=False),
            metadata={"description": "which makes the angles of later pairs smaller"},
        )
        interleaved = config.Flag(
            load_default=False, metadata={"description": "whether the numbers of a pair are neighbours"}
        )

    base: float
    interleaved: bool

    formula = Formula(r"R_p\,{x0}_p", (r"R_p^{\top} {delta}_p",))

    def output_shape(self, x: Shape) -> Shape:
        if len(x) < 2 or x[-1] % 2:
            raise LayerError(f"expected axes (..., n, d) with an even d, got shape {list(x)}", input=0)
        return x

    def saved(self, x: Shape) -> int:
        return prod(x)  # in either pass: the products of the pairs

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        n, d = x.shape[-2:]
        angles = np.arange(n)[:, None] * self.base ** (-np.arange(0, d, 2) / d)
        cos, sin = (function(angles).astype(x.real.dtype) for function in (np.cos, np.sin))
        first, second = (
            (slice(0, None, 2), slice(1, None, 2))
            if self.interleaved
            else (slice(0, d // 2), slice(d // 2, d))
        )

        def turned(array: Array, sin: Array) -> Array:
            result = np.empty_like(array)
            a, b = array[..., first], array[..., second]
            result[..., first] = a * cos - b * sin
            result[..., second] = b * cos + a * sin
            return result

        return Activation(turned(x, sin), deltas=(lambda delta: turned(delta, -sin),))

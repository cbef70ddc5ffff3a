"""Attention: every query takes a mean of the values, weighted by how well the keys fit it."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod, sqrt
from typing import NamedTuple

import numpy as np
from marshmallow import Schema, validate

from deltawire_layers.initializers import Scaled, Uniform, fan_in, scale_field, zeros
from deltawire_layers.layer import (
    CALL,
    NUMBER,
    Activation,
    Array,
    Formula,
    Layer,
    LayerError,
    Parameter,
    Shape,
    Work,
)
from deltawire_layers.numeric import analytic, kernels
from deltawire_layers.numeric.lengths import bounded
from deltawire_layers.numeric.products import matmul, outer, project
from deltawire_layers.numeric.sums import sum_rows
from deltawire_layers.shapes import shape_text
from deltawire_plugins import config


def check_shapes(query: Shape, key: Shape, value: Shape, mask: Shape | None) -> None:
    """Check that query, key, value and mask fit each other.

    Args:
        query: (..., n, d).
        key: (..., m, d), with the leading axes of the query.
        value: (..., m, c), with the leading axes of the key.
        mask: (n, m), or None.

    Raises:
        LayerError: a shape does not fit; the error names the input.
    """
    for position, shape in enumerate((query, key, value)):
        if len(shape) < 2:
            raise LayerError(f"expected at least two axes, got shape {list(shape)}", input=position)
    if (*key[:-2], key[-1]) != (*query[:-2], query[-1]):
        expected = shape_text(*query[:-2], "any", query[-1])
        raise LayerError(f"expected shape {expected} to fit the query, got {list(key)}", input=1)
    if value[:-1] != key[:-1]:
        expected = shape_text(*key[:-1], "any")
        raise LayerError(f"expected shape {expected}, a row for each key, got {list(value)}", input=2)
    pairs = (query[-2], key[-2])
    if mask not in (None, pairs):
        raise LayerError(
            f"expected shape {list(pairs)}, a number for each query and key, got {list(mask)}", input=3
        )


def visible(queries: int, keys: int, causal: bool, mask: Array | None) -> Array | None:
    """Return which keys each query sees.

    Args:
        queries: number of queries, n.
        keys: number of keys, m.
        causal: whether a query sees the keys up to its own place only.
        mask: (batch, n, m), where 0 hides a key; None hides none.

    Returns:
        Booleans (batch or 1, n, m); None when every query sees every key.
    """
    seen = np.tri(queries, keys, dtype=np.bool_)[None] if causal else None
    if mask is not None:
        seen = mask != 0 if seen is None else seen & (mask != 0)
    return seen


def attention_work(query: Shape, key: Shape, value: Shape, heads: int = 1) -> Work:
    """Return the work of `attend`: two products with the scores, and their softmax.

    Args:
        query: (..., n, d) of all heads together.
        key: (..., m, d).
        value: (..., m, c).
        heads: scores of every query and key.
    """
    pairs = prod(query[:-1]) * key[-2]
    return Work(each=pairs * (query[-1] + value[-1] + 8 * heads * NUMBER), once=12 * CALL)


class AttentionDeltas(NamedTuple):
    """The δs that the three equations share.

    value:  δ of the weighted mean of the values (batch, ..., n, c)
    scores: δ of q kᵀ, the scores of every query and key (batch, ..., n, m)
    """

    value: Array
    scores: Array


def attend(query: Array, key: Array, value: Array, seen: Array | None) -> Activation:
    """Compute y = p v with p = softmax(q kᵀ / √d) over the keys seen; a query that sees no key gets zeros.

    Args:
        query: (batch, ..., n, d).
        key: (batch, ..., m, d).
        value: (batch, ..., m, c).
        seen: keys each query sees, as `visible` returns them.

    Returns:
        The value (batch, ..., n, c) and one equation for each of query, key and value.
    """
    scale = 1 / sqrt(query.shape[-1])
    # Factors come after differences, so that rounding does not part equal scores.
    query_part, key_part, factor = bounded(query, key)
    p = matmul(query_part, key_part.swapaxes(-1, -2))
    # The greatest exponent becomes 0; a query that sees no key keeps −∞ everywhere.
    least = float(np.finfo(p.dtype).min)
    computed = isinstance(factor, float) and kernels.softmax(p, least, p, scale * factor, seen)
    if not computed:
        if seen is not None:
            np.copyto(p, -np.inf, where=~seen.reshape(len(seen), *(1,) * (p.ndim - 3), *seen.shape[1:]))
        p -= p.real.max(axis=-1, keepdims=True, initial=least)
        analytic.rescale(p, scale * factor)
        analytic.exp(p, out=p)
        total = p.sum(axis=-1, keepdims=True)
        p /= np.where(total.real == 0, 1, total)
    y = matmul(p, value)

    def signal(delta: Array) -> AttentionDeltas:
        scores = matmul(delta, value.swapaxes(-1, -2))
        analytic.softmax_delta(p, scores, out=scores, scale=scale)
        return AttentionDeltas(delta, scores)

    return Activation(
        y,
        deltas=(
            lambda signal: matmul(signal.scores, key),
            lambda signal: matmul(signal.scores.swapaxes(-1, -2), query),
            lambda signal: matmul(p.swapaxes(-1, -2), signal.value),
        ),
        signal=signal,
    )


class Attending(Layer):
    """y = for each query, a mean of the values, weighted by how well the keys fit it."""

    class Config(Schema):
        causal = config.Flag(
            load_default=False,
            metadata={"description": "whether a query sees the keys up to its own place only"},
        )

    causal: bool

    def integer_inputs(
        self, query: Shape, key: Shape, value: Shape, mask: Shape | None = None
    ) -> dict[int, range]:
        return {} if mask is None else {3: range(2)}


class Attention(Attending):
    """y = softmax(q kᵀ / √d) v with queries q (..., n, d), keys k (..., m, d), values v (..., m, c).

    The mask may be left out. It holds integers (n, m), and is often a shared input: 1 where a query sees a
    key, 0 where it does not: the opposite of torch's `key_padding_mask`. A query that sees no key gets zeros.

    Source: Vaswani et al., "Attention Is All You Need", 2017, arXiv:1706.03762.
    """

    formula = Formula(
        r"p\,{x2},\quad p = \operatorname{softmax}({x0}\,{x1}^{\top} / \sqrt{d})",
        (
            r"s\,{x1} / \sqrt{d},\quad"
            r" s = p \circ ({delta}\,{x2}^{\top} - \textstyle\sum_j {value}_j {delta}_j)",
            r"s^{\top} {x0} / \sqrt{d}",
            r"p^{\top} {delta}",
        ),
    )

    def output_shape(self, query: Shape, key: Shape, value: Shape, mask: Shape | None = None) -> Shape:
        check_shapes(query, key, value, mask)
        return (*query[:-1], value[-1])

    def saved(self, query: Shape, key: Shape, value: Shape, mask: Shape | None = None) -> int:
        # The weights, in the signal their δ, and half of one more: a mask, or the real parts of complex ones.
        return -(-5 * prod(query[:-1]) * key[-2] // 2)

    def work(self, query: Shape, key: Shape, value: Shape, mask: Shape | None = None) -> Work:
        return attention_work(query, key, value)

    def forward(
        self, params: Mapping[str, Array], query: Array, key: Array, value: Array, mask: Array | None = None
    ) -> Activation:
        attended = attend(query, key, value, visible(query.shape[-2], key.shape[-2], self.causal, mask))
        deltas = attended.deltas if mask is None else (*attended.deltas, None)
        return Activation(attended.value, deltas, signal=attended.signal)


class ProjectionDeltas(NamedTuple):
    """The δs that the equations of `multi_head_attention` share.

    delta:  δ of the layer's value
    inputs: δ of the projected query, key and value
    """

    delta: Array
    inputs: tuple[Array, ...]


class MultiHeadAttention(Attending):
    """y = [a₁, …] W_oᵀ + b_o, aᵢ = softmax(qᵢ kᵢᵀ / √d) vᵢ, with query (..., n, e), key, value (..., m, e).

    The head qᵢ (..., n, d) is one of the equal parts of query W_qᵀ + b_q, d = e / heads; kᵢ and vᵢ likewise.
    The parameters are laid out as in torch: in_proj_weight (3e, e) is W_q, W_k and W_v below each other,
    in_proj_bias (3e,) is b_q, b_k and b_v, out_proj_weight (e, e) is W_o, out_proj_bias (e,) is b_o. For
    self-attention, all three inputs are the same node.

    The mask may be left out. It holds integers (n, m), and is often a shared input: 1 where a query sees a
    key, 0 where it does not: the opposite of torch's `key_padding_mask`. A query that sees no key gets b_o.

    Source: Vaswani et al., "Attention Is All You Need", 2017, arXiv:1706.03762.
    """

    class Config(Attending.Config):
        heads = config.Integer(
            required=True, validate=validate.Range(min=1),
            metadata={"description": "number of heads; divides the width e"},
        )  # fmt: skip
        bias = config.Flag(
            load_default=True, metadata={"description": "whether the projections add a bias"},
        )  # fmt: skip
        init_scale = scale_field()

    heads: int
    bias: bool
    init_scale: float

    formula = Formula(
        r"[a_1, \dots, a_h]\,{out_proj_weight}^{\top} + {out_proj_bias},\quad"
        r" a_i = p_i v_i,\; p_i = \operatorname{softmax}(q_i k_i^{\top} / \sqrt{d}),\quad"
        r" q = {x0}\,W_q^{\top} + b_q,\; k = {x1}\,W_k^{\top} + b_k,\; v = {x2}\,W_v^{\top} + b_v,\quad"
        r" {in_proj_weight} = [W_q; W_k; W_v],\; {in_proj_bias} = [b_q; b_k; b_v]",
        (
            r"\delta_q W_q,\quad \delta_{q_i} = s_i k_i / \sqrt{d},\quad"
            r" s_i = p_i \circ (\delta_{a_i} v_i^{\top} - \textstyle\sum_j a_{ij} \delta_{a_{ij}}),\quad"
            r" \delta_a = {delta}\,{out_proj_weight}",
            r"\delta_k W_k,\quad \delta_{k_i} = s_i^{\top} q_i / \sqrt{d}",
            r"\delta_v W_v,\quad \delta_{v_i} = p_i^{\top} \delta_{a_i}",
        ),
        {
            "in_proj_weight": r"[\delta_q^{\top} {x0};\; \delta_k^{\top} {x1};\; \delta_v^{\top} {x2}]",
            "in_proj_bias": r"\textstyle\sum [\delta_q; \delta_k; \delta_v]",
            "out_proj_weight": r"{delta}^{\top} [a_1, \dots, a_h]",
            "out_proj_bias": r"\textstyle\sum {delta}",
        },
        {
            "in_proj_weight": "uniform within ±√(3 / (2 e))",
            "in_proj_bias": "0",
            "out_proj_weight": "uniform within ±1/√e",
            "out_proj_bias": "0",
        },
    )

    def output_shape(self, query: Shape, key: Shape, value: Shape, mask: Shape | None = None) -> Shape:
        check_shapes(query, key, value, mask)
        if query[-1] % self.heads:
            raise LayerError(f"a width of {query[-1]} cannot be divided into {self.heads} heads", input=0)
        if value != key:
            raise LayerError(f"expected the shape of the key, {list(key)}, got {list(value)}", input=2)
        return query

    def parameters(
        self, query: Shape, key: Shape, value: Shape, mask: Shape | None = None
    ) -> dict[str, Parameter]:
        width = query[-1]
        weights = {
            # As in torch: Xavier's bound √(6 / (rows + columns)), and that of a linear layer.
            "in_proj_weight": Parameter(
                (3 * width, width), Scaled(Uniform(sqrt(6 / (4 * width))), self.init_scale)
            ),
            "out_proj_weight": Parameter((width, width), Scaled(fan_in(width), self.init_scale)),
        }
        biases = {
            "in_proj_bias": Parameter((3 * width,), zeros),
            "out_proj_bias": Parameter((width,), zeros),
        }
        return weights | biases if self.bias else weights

    def saved(self, query: Shape, key: Shape, value: Shape, mask: Shape | None = None) -> int:
        projections = 3 * prod(query) + 4 * prod(key)  # q, k, v, the means; in the signal δ of q, k, v
        weights = 2 * self.heads * prod(query[:-1]) * key[-2]  # the weights, and in the signal their δ
        return projections + weights

    def work(self, query: Shape, key: Shape, value: Shape, mask: Shape | None = None) -> Work:
        attended = attention_work(query, key, value, self.heads)
        projections = 2 * query[-1] * (prod(query) + prod(key))
        return Work(attended.each + projections, 2 * attended.once)

    def forward(
        self, params: Mapping[str, Array], query: Array, key: Array, value: Array, mask: Array | None = None
    ) -> Activation:
        inputs = (query, key, value)
        W_in, W_out = np.split(params["in_proj_weight"], 3), params["out_proj_weight"]
        projected = [project(x, W.T) for x, W in zip(inputs, W_in, strict=True)]
        if self.bias:
            for x, b in zip(projected, np.split(params["in_proj_bias"], 3), strict=True):
                x += b
        seen = visible(query.shape[-2], key.shape[-2], self.causal, mask)
        q, k, v = map(self._split, projected)
        attended = attend(q, k, v, seen)
        y = project(self._join(attended.value), W_out.T)

        def signal(delta: Array) -> ProjectionDeltas:
            shared = attended.signal(self._split(project(delta, W_out)))
            return ProjectionDeltas(
                delta, tuple(self._join(equation(shared)) for equation in attended.deltas if equation)
            )

        def in_proj_weight(signal: ProjectionDeltas) -> Array:
            return np.concatenate([outer(d, x) for d, x in zip(signal.inputs, inputs, strict=True)])

        grads = {
            "in_proj_weight": in_proj_weight,
            "out_proj_weight": lambda signal: outer(signal.delta, self._join(attended.value)),
        }
        if self.bias:
            y += params["out_proj_bias"]
            grads["in_proj_bias"] = lambda signal: np.concatenate([sum_rows(d) for d in signal.inputs])
            grads["out_proj_bias"] = lambda signal: sum_rows(signal.delta)
        deltas = tuple(lambda signal, k=k: project(signal.inputs[k], W_in[k]) for k in range(3))
        return Activation(y, deltas if mask is None else (*deltas, None), grads, signal)

    def _split(self, x: Array) -> Array:
        """Return (..., n, e) as (..., heads, n, e / heads)."""
        return x.reshape(*x.shape[:-1], self.heads, -1).swapaxes(-2, -3)

    def _join(self, x: Array) -> Array:
        """Return (..., heads, n, e / heads) as (..., n, e)."""
        x = x.swapaxes(-2, -3)
        return x.reshape(*x.shape[:-2], -1)

"""Translate attention and recurrent layers to ONNX operators."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltawire.exporters.onnx_kinds import Place, Shape, kind
from deltawire.wire import Array


@kind("attention")
def attention(at: Place, causal: bool = False) -> None:
    if len(at.inputs) > 3:
        at.refuse("has a mask, which is not exported")
    rank = len(at.shape())
    query, key, value = (at.spread(which) for which in range(3))
    _attended(at, query, key, value, at.shape(0)[-1], (at.shape(0)[-2], at.shape(1)[-2]), rank, causal, True)


def _attended(
    at: Place,
    query: str,
    key: str,
    value: str,
    width: int,
    places: Shape,
    rank: int,
    causal: bool,
    last: bool,
) -> str:
    """Write softmax(q kᵀ / √width) v and return the name of its output.

    Args:
        at: The node being exported.
        query: The name of the queries, (batch, ..., n, width).
        key: The name of the keys, (batch, ..., m, width).
        value: The name of the values, (batch, ..., m, any width).
        width: The width of queries and keys.
        places: The number of queries and of keys: (n, m).
        rank: The number of axes of one example.
        causal: Hide the keys that come after a query.
        last: Give the output the name of the exported node.
    """
    order = [*range(rank - 1), rank, rank - 1]
    products = at.put("MatMul", query, at.put("Transpose", key, perm=order))
    scores = at.put("Div", products, at.constant(np.sqrt(width)))
    if causal:
        hidden = np.triu(np.full(places, -np.inf), 1)
        scores = at.put("Add", scores, at.constant(hidden))
    return at.put("MatMul", at.put("Softmax", scores, axis=-1), value, last=last)


@kind("multi_head_attention")
def multi_head_attention(at: Place, heads: int, causal: bool = False, bias: bool = True) -> None:
    if len(at.inputs) > 3 or len(at.shape()) != 2:
        at.refuse("has a mask, or more than one axis of places: that is not exported")
    width = at.shape()[-1]
    matrices = np.split(at.numbers("in_proj_weight"), 3)
    offsets = np.split(at.numbers("in_proj_bias"), 3) if bias else [None] * 3
    parts = []
    for which, (matrix, offset) in enumerate(zip(matrices, offsets, strict=True)):
        projected = at.put("MatMul", at.spread(which), at.constant(matrix.T))
        if offset is not None:
            projected = at.put("Add", projected, at.constant(offset))
        split = at.put("Reshape", projected, at.axes(0, -1, heads, width // heads))
        parts.append(at.put("Transpose", split, perm=[0, 2, 1, 3]))
    places = at.shape(0)[-2], at.shape(1)[-2]
    heard = _attended(at, parts[0], parts[1], parts[2], width // heads, places, 3, causal, False)
    joined = at.put("Reshape", at.put("Transpose", heard, perm=[0, 2, 1, 3]), at.axes(0, -1, width))
    turned = at.put("Transpose", at.param("out_proj_weight"), perm=[1, 0])
    if bias:
        at.end("Add", at.put("MatMul", joined, turned), at.param("out_proj_bias"))
    else:
        at.end("MatMul", joined, turned)


@kind("elman")
def elman(at: Place, units: int) -> None:
    _recurrent(at, "RNN", units, [0])


@kind("gru")
def gru(at: Place, units: int) -> None:
    _recurrent(at, "GRU", units, [1, 0, 2], linear_before_reset=1)  # ONNX: z, r, n


@kind("lstm")
def lstm(at: Place, units: int) -> None:
    _recurrent(at, "LSTM", units, [0, 3, 1, 2])  # ONNX: i, o, f, g


def _recurrent(at: Place, operator: str, units: int, order: list[int], **attributes: Any) -> None:
    """Write a recurrent layer.

    Args:
        at: The node being exported.
        operator: The ONNX operator: RNN, GRU or LSTM.
        units: The size of the hidden state.
        order: For each gate in ONNX's order, its index in our parameters.
        **attributes: Further attributes of the operator.
    """

    def parts(local: str) -> Array:
        array = at.numbers(local)
        return np.concatenate([np.split(array, len(order))[place] for place in order])[None]

    biases = np.concatenate([parts("bias_ih"), parts("bias_hh")], axis=1)
    given = [at.constant(array) for array in (parts("weight_ih"), parts("weight_hh"), biases)]
    steps_first = at.put("Transpose", at.spread(0), perm=[1, 0, 2])
    states = at.put(operator, steps_first, *given, hidden_size=units, **attributes)
    at.end("Transpose", at.put("Squeeze", states, at.axes(1)), perm=[1, 0, 2])

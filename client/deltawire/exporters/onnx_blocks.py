"""Translate attention and recurrent layers to ONNX operators."""

from __future__ import annotations

from string import ascii_letters
from typing import Any

import numpy as np
from onnx import helper

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
def elman(at: Place, units: int, nonlinearity: str = "tanh", **options: bool) -> None:
    _recurrent(at, "RNN", units, [0], activations=[nonlinearity.capitalize()], **options)


@kind("gru")
def gru(at: Place, units: int, **options: bool) -> None:
    _recurrent(at, "GRU", units, [1, 0, 2], linear_before_reset=1, **options)  # ONNX: z, r, n


@kind("lstm")
def lstm(at: Place, units: int, cells: bool = False, **options: bool) -> None:
    if cells and not options.get("last"):
        at.refuse("returns the cells of all steps: ONNX has that of the last one only")
    _recurrent(at, "LSTM", units, [0, 3, 1, 2], ended=2 if cells else 1, **options)  # ONNX: i, o, f, g


def _recurrent(
    at: Place, operator: str, units: int, order: list[int], bias: bool = True, reverse: bool = False,
    last: bool = False, ended: int = 1, **attributes: Any,
) -> None:  # fmt: skip
    """Write a recurrent layer.

    Args:
        at: The node being exported.
        operator: The ONNX operator: RNN, GRU or LSTM.
        units: The size of the hidden state.
        order: For each gate in ONNX's order, its index in our parameters.
        bias: Whether the layer has biases.
        reverse: Whether it goes from the last step to the first.
        last: Whether its value is the last state only.
        ended: Which of the outputs of the operator is that one.
        **attributes: Further attributes of the operator.
    """

    def parts(local: str) -> Array:
        array = at.numbers(local)
        return np.concatenate([np.split(array, len(order))[place] for place in order])[None]

    if at.shared.intersection(at.inputs[1:]):
        at.refuse("has a first state that examples share: in ONNX each has its own")
    weights = [at.constant(parts(local)) for local in ("weight_ih", "weight_hh")]
    biases = [at.constant(np.concatenate([parts("bias_ih"), parts("bias_hh")], axis=1))] if bias else [""]
    states = [at.put("Unsqueeze", at.spread(which), at.axes(0)) for which in range(1, len(at.inputs))]
    given = [*weights, *biases, *([""] if states else []), *states]
    steps_first = at.put("Transpose", at.spread(0), perm=[1, 0, 2])
    options = {"hidden_size": units, "direction": "reverse" if reverse else "forward", **attributes}
    if last:
        name = f"{at.name}.last"
        outputs = [*[""] * ended, name]
        at.graph.append(helper.make_node(operator, [steps_first, *given], outputs, name, **options))
        at.end("Squeeze", name, at.axes(0))
    else:
        run = at.put(operator, steps_first, *given, **options)
        at.end("Transpose", at.put("Squeeze", run, at.axes(1)), perm=[1, 0, 2])


@kind("rotary")
def rotary(at: Place, base: float = 10000.0, interleaved: bool = False) -> None:
    x, (*rest, n, d) = at.spread(0), at.shape()
    angles = np.arange(n)[:, None] * base ** (-np.arange(0, d, 2) / d)
    last = len(at.shape())
    if interleaved:  # pairs along an axis of their own, of two places
        x = at.put("Reshape", x, at.axes(0, *rest, n, d // 2, 2))
        angles, last = angles[..., None], last + 1
    half = 1 if interleaved else d // 2
    a, b = (at.put("Slice", x, at.axes(start), at.axes(start + half), at.axes(last)) for start in (0, half))
    cos, sin = at.constant(np.cos(angles)), at.constant(np.sin(angles))
    first = at.put("Sub", at.put("Mul", a, cos), at.put("Mul", b, sin))
    second = at.put("Add", at.put("Mul", b, cos), at.put("Mul", a, sin))
    turned = at.put("Concat", first, second, axis=last, last=not interleaved)
    if interleaved:
        at.end("Reshape", turned, at.axes(0, *rest, n, d))


@kind("einsum")
def einsum(at: Place, equation: str) -> None:
    before, _, out = equation.replace(" ", "").partition("->")
    batch = next(letter for letter in ascii_letters if letter not in equation)
    lone = at.shared.issuperset(at.inputs)  # no input has a batch axis: all get one
    names = [at.spread(which) if lone else name for which, name in enumerate(at.inputs)]
    terms = [
        term if name in at.shared and not lone else batch + term
        for term, name in zip(before.split(","), at.inputs, strict=True)
    ]
    if not lone and at.alike.intersection(at.inputs) - at.shared:
        at.refuse("has an input that is computed from shared ones alone: its batch is one in ONNX")
    at.end("Einsum", *names, equation=f"{','.join(terms)}->{batch}{out}")

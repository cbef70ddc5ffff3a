"""Sums of 200,000 terms in float32: at most four times as far from float64 as torch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from support.torch_layers import torch

from deltawire_layers import Layer, load_layers

pytestmark = pytest.mark.torch

LAYERS = load_layers()
TERMS = 200_000
ULP = float(np.finfo(np.float32).eps)


class Long(NamedTuple):
    """A layer with a long sum: its config, the shape of each input batch, and the same function of torch."""

    kind: str
    config: dict[str, Any]
    shapes: list[tuple[int, ...]]
    function: Callable[..., Any]


def functional() -> Any:
    return torch.nn.functional


def recurrent(name: str, gates: int) -> Long:
    def function(x: Any, **weights: Any) -> Any:
        module = getattr(torch.nn, name)(1, 2, batch_first=True, dtype=x.dtype)
        given = {f"{local}_l0": weight for local, weight in weights.items()}
        return torch.func.functional_call(module, given, (x,))[0]

    kind = {"RNN": "elman"}.get(name, name.lower())
    return Long(kind, {"units": 2}, [(TERMS // 4, 4, 1)], function)


LONG = [
    Long("sum", {}, [(2, TERMS)], lambda x: x.sum(1)),
    Long("sum", {"axes": [0]}, [(2, TERMS, 3)], lambda x: x.sum(1)),
    Long("sum", {"axes": [0, 2]}, [(2, 20_000, 3, 10)], lambda x: x.sum((1, 3))),
    Long("mean", {}, [(2, TERMS)], lambda x: x.mean(1)),
    Long("mean", {"axes": [0]}, [(2, TERMS, 3)], lambda x: x.mean(1)),
    Long("variance", {"axes": [0]}, [(2, TERMS, 3)], lambda x: x.var(1, correction=0)),
    Long("norm", {}, [(2, TERMS)], lambda x: torch.linalg.vector_norm(x, dim=1)),
    Long("norm", {"axes": [0], "order": 1}, [(2, TERMS, 3)], lambda x: x.abs().sum(1)),
    Long("logsumexp", {"axes": [0]}, [(2, TERMS, 3)], lambda x: torch.logsumexp(x, 1)),
    Long("cumsum", {"axis": 0}, [(2, TERMS, 3)], lambda x: x.cumsum(1)),
    Long("dot", {}, [(2, TERMS), (2, TERMS)], lambda a, b: (a * b).sum(1)),
    Long("einsum", {"equation": "ij->j"}, [(2, TERMS, 3)], lambda x: x.sum(1)),
    Long(
        "einsum", {"equation": "i,ij->j"}, [(2, TERMS), (2, TERMS, 3)],
        lambda a, b: (a[..., None] * b).sum(1),
    ),
    Long("softmax", {}, [(2, TERMS)], lambda x: x.softmax(-1)),
    Long("log_softmax", {}, [(2, TERMS)], lambda x: x.log_softmax(-1)),
    Long("cosine_distance", {}, [(2, TERMS), (2, TERMS)], lambda a, b: 1 - torch.cosine_similarity(a, b, -1)),
    Long("squared_error", {}, [(2, TERMS), (2, TERMS)], lambda a, b: ((a - b) ** 2).sum(1)),
    Long("expand", {"shape": [TERMS, 3]}, [(2, 1, 3)], lambda x: x.expand(2, TERMS, 3)),
    Long("adaptive_avg_pool1d", {"size": [1]}, [(2, TERMS)], lambda x: x.mean(1, keepdim=True)),
    Long("scale", {}, [(TERMS, 3)], lambda x, weight: x * weight),
    Long("shift", {}, [(TERMS, 3)], lambda x, bias: x + bias),
    Long("prelu", {}, [(TERMS, 3)], lambda x, weight: functional().prelu(x, weight)),
    Long("linear", {"units": 3}, [(TERMS, 4)], lambda x, weight, bias: functional().linear(x, weight, bias)),
    Long("linear", {"units": 1}, [(TERMS, 4)], lambda x, weight, bias: functional().linear(x, weight, bias)),
    Long("linear", {"units": 2}, [(TERMS, 1)], lambda x, weight, bias: functional().linear(x, weight, bias)),
    Long("linear", {"units": 1}, [(2, TERMS)], lambda x, weight, bias: functional().linear(x, weight, bias)),
    Long(
        "layer_norm", {}, [(TERMS, 3)],
        lambda x, weight, bias: functional().layer_norm(x, (3,), weight, bias),
    ),
    Long("layer_norm", {"affine": False}, [(2, TERMS)], lambda x: functional().layer_norm(x, (TERMS,))),
    Long("rms_norm", {}, [(TERMS, 3)], lambda x, weight: functional().rms_norm(x, (3,), weight, 1e-5)),
    Long(
        "group_norm", {"groups": 1}, [(50_000, 2, 4)],
        lambda x, weight, bias: functional().group_norm(x, 1, weight, bias),
    ),
    Long(
        "conv1d", {"channels": 2, "kernel": 2}, [(50_000, 1, 5)],
        lambda x, weight, bias: functional().conv1d(x, weight, bias),
    ),
    recurrent("RNN", 1),
    recurrent("GRU", 3),
    recurrent("LSTM", 4),
]  # fmt: skip


def ours(layer: Layer, params: Any, inputs: list[np.ndarray], delta: np.ndarray) -> dict[str, np.ndarray]:
    activation = layer.forward(params, *inputs)
    signal = activation.signal(delta)
    results = {"value": activation.value}
    results |= {f"δ of {i}": equation(signal) for i, equation in enumerate(activation.deltas) if equation}
    return results | {name: equation(signal) for name, equation in activation.grads.items()}


def theirs(function: Any, params: Any, inputs: list[np.ndarray], delta: np.ndarray) -> dict[str, np.ndarray]:
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    named = {name: torch.tensor(w, requires_grad=True) for name, w in params.items()}
    value = function(*tensors, **named)
    value.backward(torch.tensor(delta))
    results = {"value": value.detach()} | {f"δ of {i}": t.grad for i, t in enumerate(tensors)}
    return {name: t.numpy() for name, t in (results | {n: t.grad for n, t in named.items()}).items()}


def distances(single: dict[str, np.ndarray], double: dict[str, np.ndarray]) -> dict[str, float]:
    """Return how far results are from those in float64, relative to the greatest."""
    return {
        name: float(np.abs(array - double[name]).max() / np.abs(double[name]).max())
        for name, array in single.items()
    }


@pytest.mark.parametrize("case", LONG, ids=lambda case: f"{case.kind}-{case.config}-{case.shapes}")
def test_long_sums(case: Long) -> None:
    stream = np.random.default_rng(0)
    layer = LAYERS[case.kind](**case.config)
    inputs = [stream.random(shape, np.float32) for shape in case.shapes]
    shapes = [shape[1:] for shape in case.shapes]
    params = {
        name: stream.random(parameter.shape, np.float32)
        for name, parameter in layer.parameters(*shapes).items()
    }
    if case.kind == "prelu":
        inputs = [x - np.float32(0.5) for x in inputs]
    delta = stream.random((len(inputs[0]), *layer.output_shape(*shapes)), np.float32)
    wide = [{n: w.astype(np.float64) for n, w in params.items()}, [x.astype(np.float64) for x in inputs]]
    double = ours(layer, *wide, delta.astype(np.float64))
    right = distances(ours(layer, params, inputs, delta), double)
    torchs = distances(theirs(case.function, params, inputs, delta), double)
    for name, distance in right.items():
        assert distance <= max(4 * torchs[name], 2 * ULP), (name, distance, torchs[name])


def test_rows_looked_up_often() -> None:
    stream = np.random.default_rng(0)
    index, delta = np.zeros((TERMS, 1), np.int64), stream.random((TERMS, 1, 3), np.float32)
    layer = LAYERS["embedding"](rows=2, width=3)
    gradient = layer.forward({"weight": np.zeros((2, 3), np.float32)}, index).grads["weight"](delta)
    assert np.abs(gradient[0] / delta.astype(np.float64).sum(axis=(0, 1)) - 1).max() <= 2 * ULP
    assert not gradient[1].any()

"""The trace: the lecture's numbers on every edge, sums of edges against an outside oracle, bounds."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from support.layers import registry

from deltawire.errors import Refused
from deltawire_layers import Activation, Layer, load_layers
from deltawire_service.engine import compile_network
from deltawire_service.engine.execute import trace as trace_module
from deltawire_service.engine.execute.trace import SAMPLE, Trace
from deltawire_service.engine.plan import memory_plan

EXAMPLES = Path(__file__).parents[4] / "examples"


def traced(spec: dict[str, Any], params: dict[str, Any], data: dict[str, Any], **options: Any) -> Trace:
    network = compile_network(spec, load_layers())
    arrays = {
        name: np.array(number, "i8" if network.inputs[name].dtype == "int64" else "f8")
        for name, number in data.items()
    }
    params = {name: np.array(number, "f8") for name, number in params.items()}
    trace = network.gradients(params, arrays, trace=True, **options).trace
    assert trace is not None
    return trace


def example(name: str, **options: Any) -> Trace:
    request = json.loads((EXAMPLES / f"{name}.json").read_text())
    return traced(request["network"], request.get("params", {}), request["data"], **options)


def edges(trace: Trace) -> dict[tuple[str, str], tuple[float, float]]:
    """(node, source) -> (local gradient, delta sent), rounded as the lecture's slides are."""
    return {
        (node, sent.source): (round(float(sent.local.numbers[0]), 2), round(float(sent.delta.numbers[0]), 2))
        for node, returned in trace.backward.items()
        for sent in returned.sends
        if sent.local is not None
    }


def test_circuit() -> None:
    trace = example("circuit")
    assert list(trace.forward) == ["q", "f"] and list(trace.backward) == ["f", "q"]
    assert edges(trace) == {
        ("f", "q"): (-4, -4),
        ("f", "z"): (3, 3),
        ("q", "x"): (1, -4),
        ("q", "y"): (1, -4),
    }


def test_sigmoid_neuron() -> None:
    """The slide's rows, gate by gate: local gradient × upstream gradient, from the output on."""
    trace = example("sigmoid_neuron_gates")
    assert edges(trace) == {
        ("f", "below"): (-0.53, -0.53),
        ("below", "power"): (1, -0.53),
        ("below", "one"): (1, -0.53),
        ("power", "minus_s"): (0.37, -0.20),
        ("minus_s", "s"): (-1, 0.20),
        ("s", "p0"): (1, 0.20),
        ("s", "p1"): (1, 0.20),
        ("s", "w2"): (1, 0.20),
        ("p1", "w1"): (-2, -0.39),
        ("p1", "x1"): (-3, -0.59),
        ("p0", "w0"): (-1, -0.20),
        ("p0", "x0"): (2, 0.39),
    }


def test_what_edges_bring_adds_up_to_the_gradient() -> None:
    """f = Σ x·tanh(x) + x: three edges to x, their sum the derivative by HIPS autograd."""
    spec = {
        "inputs": {"x": {"shape": [3]}},
        "nodes": [
            {"name": "t", "kind": "tanh", "inputs": ["x"]},
            {"name": "p", "kind": "multiply", "inputs": ["x", "t"]},
            {"name": "y", "kind": "add", "inputs": ["p", "x"]},
            {"name": "f", "kind": "sum"},
        ],
    }
    x = np.array([[0.3, -1.2, 2.0], [0.0, 0.5, -0.1]])
    trace = traced(spec, {}, {"x": x}, reduction="sum")
    arriving = [
        (node, sent.delta.numbers)
        for node, returned in trace.backward.items()
        for sent in returned.sends
        if sent.source == "x"
    ]
    assert [node for node, _ in arriving] == ["y", "p", "t"]
    expected = grad(lambda x: anp.sum(x * anp.tanh(x) + x))(x)
    assert sum(delta for _, delta in arriving) == pytest.approx(expected, rel=1e-12)


def test_a_local_gradient_times_the_delta_is_what_is_sent() -> None:
    trace = example("flow_graph")
    for returned in trace.backward.values():
        for sent in returned.sends:
            if sent.local is not None:
                product = sent.local.numbers * returned.delta.numbers
                assert sent.delta.numbers == pytest.approx(product, rel=1e-12)
    assert trace.backward["a"].sends[0].local is not None  # sigmoid
    assert trace.backward["scores"].sends[0].local is None  # linear


def test_tied_nodes_show_what_each_gives() -> None:
    request = json.loads((EXAMPLES / "window_classifier.json").read_text())
    network = compile_network(request["network"] | {"regularization": {"l2": 0}}, load_layers())
    params = {name: np.array(number) for name, number in request["params"].items()}
    data = {name: np.array(number) for name, number in request["data"].items()}
    result = network.gradients(params, data, trace=True)
    assert result.trace is not None
    shares = [result.trace.backward[node].gradients["z1.weight"].numbers for node in ("z1", "z1_corrupt")]
    assert shares[0].any() and shares[1].any()
    assert sum(shares) == pytest.approx(result.params["z1.weight"], rel=1e-12)


def test_an_integer_input_is_sent_nothing() -> None:
    assert [sent.source for sent in example("flow_graph").backward["loss"].sends] == ["log_probs"]


def test_chunks_make_the_same_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = example("flow_graph")
    monkeypatch.setattr(memory_plan, "count_chunks", lambda network, batch, itemsize: batch)
    parts = example("flow_graph")
    assert list(parts.forward) == list(whole.forward) and list(parts.backward) == list(whole.backward)
    for name, value in whole.forward.items():
        assert parts.forward[name].numbers == pytest.approx(value.numbers, rel=1e-12)
        assert parts.forward[name].norm == pytest.approx(value.norm)
    for node, returned in whole.backward.items():
        assert parts.backward[node].delta.numbers == pytest.approx(returned.delta.numbers, rel=1e-12)
        for name, gradient in returned.gradients.items():
            assert parts.backward[node].gradients[name].numbers == pytest.approx(gradient.numbers, rel=1e-12)


@pytest.mark.parametrize("size", [1e-300, 5e-324, 1e-200, 1.0, 1e200, 1e300])
@pytest.mark.parametrize("chunks", [1, 3])
def test_a_norm_neither_underflows_nor_overflows(
    monkeypatch: pytest.MonkeyPatch, size: float, chunks: int
) -> None:
    monkeypatch.setattr(memory_plan, "count_chunks", lambda network, batch, itemsize: chunks)
    spec = {"inputs": {"x": {"shape": [2]}}, "nodes": [{"name": "t", "kind": "negate"}, {"kind": "sum"}]}
    x = np.array([[3.0, -4.0], [0.0, 12.0], [5.0, 0.0]]) * size
    expected = math.hypot(*x.reshape(-1))
    assert traced(spec, {}, {"x": x}).forward["t"].norm == pytest.approx(expected, rel=1e-14, abs=0)


def test_a_large_array_is_summarised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_module, "MOST_NUMBERS", 20)
    spec = {"inputs": {"x": {"shape": [8]}}, "nodes": [{"name": "t", "kind": "negate"}, {"kind": "sum"}]}
    x = np.arange(32.0).reshape(4, 8)
    for chunks in (1, 4, 2):
        monkeypatch.setattr(
            memory_plan, "count_chunks", lambda network, batch, itemsize, chunks=chunks: chunks
        )
        value = traced(spec, {}, {"x": x}).forward["t"]
        assert (value.shape, value.min, value.max) == ((4, 8), -31, 0)
        assert value.norm == pytest.approx(np.linalg.norm(x))
        assert not value.whole and len(value.numbers) == SAMPLE
        assert value.numbers[0] == 0 and value.numbers[-1] == -31 and (np.diff(value.numbers) < 0).all()


def test_many_arrays_share_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_module, "ALL_NUMBERS", 200)
    spec = {"inputs": {"x": {"shape": [40]}}, "nodes": [{"kind": "negate"}, {"kind": "sum"}]}
    trace = traced(spec, {}, {"x": np.ones((1, 40))})
    assert not trace.forward["negate1"].whole and trace.forward["sum1"].whole


def test_a_trace_follows_deltas_where_they_can_be_sent_and_no_further() -> None:

    class Half(Layer):
        """y = a + ⌊b⌋: nothing is sent to b."""

        def output_shape(self, a: Any, b: Any) -> Any:
            return a

        def forward(self, params: Any, a: Any, b: Any) -> Activation:
            return Activation(a + np.floor(b.real), deltas=(lambda delta: delta, None))

    layers = registry(half=Half)
    spec = {
        "inputs": {"a": {"shape": []}, "b": {"shape": []}},
        "nodes": [
            {"name": "low", "kind": "negate", "inputs": ["b"]},
            {"name": "f", "kind": "half", "inputs": ["a", "low"]},
        ],
    }
    network = compile_network(spec, layers)
    data = {"a": np.array([1.0]), "b": np.array([2.5])}
    trace = network.gradients({}, data, trace=True).trace
    assert trace is not None and list(trace.backward) == ["f"]
    assert [sent.source for sent in trace.backward["f"].sends] == ["a"]
    with pytest.raises(Refused) as refused:
        network.gradients({}, data, wrt_data=["b"], trace=True)
    assert refused.value.faults[0].code == "not_differentiable"

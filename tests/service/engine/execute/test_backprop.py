"""Each equation needed is called once and none that is not; deltas add; layers are held to their contract."""

from __future__ import annotations

import gc
import weakref
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from support.engine import compiled
from support.layers import counting, failing, registry

from deltawire.errors import Refused
from deltawire_layers import Activation, Layer
from deltawire_service.engine import Network, PluginError, compile_network

X = {"x": {"shape": [2]}}
BATCH = {"x": np.array([[1.0, -2.0], [3.0, 0.5]])}


def chain(calls: Counter[str]) -> Network:
    nodes = [{"kind": "counting"}, {"kind": "counting"}, {"kind": "sum"}]
    return compile_network({"inputs": X, "nodes": nodes}, registry(counting=counting(calls)))


W = {"counting1.w": np.ones(1), "counting2.w": np.ones(1)}


@pytest.mark.parametrize(
    "options, called",
    [
        ({}, {"forward": 2, "signal": 2, "gradient": 2, "delta": 1}),
        ({"wrt_data": True}, {"forward": 2, "signal": 2, "gradient": 2, "delta": 2}),
        ({"wrt_params": ["counting2.*"]}, {"forward": 2, "signal": 1, "gradient": 1}),
        ({"wrt_params": ["counting1.*"]}, {"forward": 2, "signal": 2, "gradient": 1, "delta": 1}),
        ({"wrt_params": False}, {"forward": 2}),
        ({"wrt_params": False, "deltas": ["counting2"]}, {"forward": 2}),
        ({"wrt_params": False, "deltas": ["counting1"]}, {"forward": 2, "signal": 1, "delta": 1}),
    ],
)
def test_only_what_is_asked_is_called_and_once(options: dict[str, Any], called: dict[str, int]) -> None:
    calls: Counter[str] = Counter()
    chain(calls).gradients(W, BATCH, **options)
    assert calls == called


def test_a_node_beside_the_loss_is_computed_only_when_asked_for() -> None:
    calls: Counter[str] = Counter()
    nodes = [{"name": "beside", "kind": "counting"}, {"name": "loss", "kind": "sum", "inputs": ["x"]}]
    network = compile_network({"inputs": X, "nodes": nodes}, registry(counting=counting(calls)))
    w = {"beside.w": np.ones(1)}
    result = network.gradients(w, BATCH, deltas=["beside"])
    assert not calls
    assert result.params["beside.w"].tolist() == [0.0]  # the loss does not depend on it
    assert result.deltas["beside"].tolist() == [[0, 0], [0, 0]]
    assert network.gradients(w, BATCH, values=["beside"]).values["beside"].tolist() == BATCH["x"].tolist()
    assert calls == {"forward": 1}


def test_two_to_the_512_paths_are_one_call_a_node() -> None:
    calls: Counter[str] = Counter()
    nodes: list[dict[str, Any]] = []
    for n in range(170):  # a diamond: two ways through the same two nodes
        nodes += [{"name": f"c{n}", "kind": "counting", "inputs": [f"h{n - 1}" if n else "x"]}]
        nodes += [{"name": f"t{n}", "kind": "tanh", "inputs": [f"c{n}"]}]
        nodes += [{"name": f"h{n}", "kind": "subtract", "inputs": [f"c{n}", f"t{n}"]}]
    network = compile_network(
        {"inputs": X, "nodes": [*nodes, {"kind": "sum"}]}, registry(counting=counting(calls))
    )
    network.gradients({name: np.ones(1) for name in network.parameters}, BATCH, wrt_data=True)
    assert calls == {"forward": 170, "signal": 170, "gradient": 170, "delta": 170}


def test_deltas_of_several_paths_add_also_where_layers_give_back_what_they_got() -> None:
    nodes = [
        {"name": "a", "kind": "identity", "inputs": ["x"]},
        {"name": "b", "kind": "add", "inputs": ["a", "a", "x"]},
        {"name": "c", "kind": "add", "inputs": ["b", "a"]},
        {"name": "d", "kind": "flatten", "inputs": ["c"]},
        {"name": "loss", "kind": "sum", "inputs": ["d"]},
    ]
    result = compiled({"inputs": X, "nodes": nodes}).gradients(
        {}, BATCH, wrt_data=True, reduction="sum", deltas=["a", "b", "c", "d"]
    )
    assert {name: delta.tolist() for name, delta in result.deltas.items()} == {
        "a": [[3, 3], [3, 3]], "b": [[1, 1], [1, 1]], "c": [[1, 1], [1, 1]], "d": [[1, 1], [1, 1]],
    }  # fmt: skip
    assert result.data["x"].tolist() == [[4, 4], [4, 4]]


def test_values_are_freed_as_soon_as_nobody_needs_them() -> None:
    alive: list[weakref.ref[np.ndarray]] = []
    most = 0

    class Watched(Layer):
        """y = x + 1, for x (...), counting the values still alive."""

        def output_shape(self, x: tuple[int, ...]) -> tuple[int, ...]:
            return x

        def forward(self, params: Mapping[str, np.ndarray], x: np.ndarray) -> Activation:
            nonlocal most
            y = x + 1
            alive.append(weakref.ref(y))
            most = max(most, sum(ref() is not None for ref in alive))
            return Activation(y, deltas=(lambda delta: delta,))

    nodes = [*[{"kind": "watched"}] * 20, {"kind": "sum"}]
    network = compile_network({"inputs": X, "nodes": nodes}, registry(watched=Watched))
    network.gradients({}, BATCH, values=["watched3"])
    assert most <= 4  # this one, the one before, the one asked for, the one just released
    gc.collect()
    network.gradients({}, BATCH, wrt_data=True)
    assert sum(ref() is not None for ref in alive) == 0


def test_an_input_without_a_derivative_is_refused_where_one_is_needed() -> None:
    class Step(Layer):
        """y = [x > 0], for x (...)."""

        def output_shape(self, x: tuple[int, ...]) -> tuple[int, ...]:
            return x

        def forward(self, params: Mapping[str, np.ndarray], x: np.ndarray) -> Activation:
            return Activation((x > 0).astype(x.dtype), deltas=(None,))

    network = compile_network(
        {"inputs": X, "nodes": [{"kind": "step"}, {"kind": "sum"}]}, registry(step=Step)
    )
    assert network.gradients({}, BATCH).loss == 1.5
    with pytest.raises(Refused) as caught:
        network.gradients({}, BATCH, wrt_data=True)
    assert (caught.value.pointer, caught.value.code) == ("/network/nodes/0/inputs/0", "not_differentiable")


def raises(array: np.ndarray) -> np.ndarray:
    raise ZeroDivisionError("secret")


def writes(array: np.ndarray) -> np.ndarray:
    array += 1
    return array


BROKEN = {
    "raises": raises,
    "exits": lambda array: exit(),
    "writes into its argument": writes,
    "gives None": lambda array: None,
    "gives a list": lambda array: array.tolist(),
    "gives a wrong shape": lambda array: array[..., :1],
    "gives another dtype": lambda array: array.astype(np.float32),
    "gives objects": lambda array: array.astype(object),
    "gives a number": lambda array: 1.0,
}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("phase", ["forward", "value", "delta", "signal"])
def test_a_layer_that_breaks_its_contract_is_named(phase: str, how: str) -> None:
    if phase == "signal" and how not in ("raises", "exits", "writes into its argument"):
        return  # a signal may be anything
    network = compile_network(
        {"inputs": X, "nodes": [{"name": "n", "kind": "bad"}, {"kind": "sum"}]},
        registry(bad=failing(phase, BROKEN[how])),
    )
    data = {"x": BATCH["x"].copy()}
    with pytest.raises(PluginError) as caught:
        network.gradients({}, data, wrt_data=True)
    assert (caught.value.node, caught.value.kind) == ("n", "bad")
    assert "secret" not in str(caught.value)
    assert np.array_equal(data["x"], BATCH["x"])


def test_too_few_equations_are_a_broken_contract() -> None:
    class Forgetful(Layer):
        """y = a + b, for a and b of one shape (...)."""

        def output_shape(self, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
            return a

        def forward(self, params: Mapping[str, np.ndarray], a: np.ndarray, b: np.ndarray) -> Activation:
            return Activation(a + b, deltas=(lambda delta: delta,))

    nodes = [{"kind": "forgetful", "inputs": ["x", "x"]}, {"kind": "sum"}]
    network = compile_network({"inputs": X, "nodes": nodes}, registry(forgetful=Forgetful))
    with pytest.raises(PluginError, match="1 delta equations for 2 inputs"):
        network.gradients({}, BATCH)

"""Gradients of each example: those it would have alone, by every layer's fast way or row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from support.engine import compiled
from support.layers import registry
from support.networks import Example, examples
from support.oracles import distance

from deltawire_layers import Layer, load_layers
from deltawire_service.engine import Network, PluginError, compile_network
from deltawire_service.engine.plan import memory_plan

IMAGES = {
    "inputs": {
        "x": {"shape": [2, 5, 5]},
        "w": {"shape": [3], "dtype": "int64"},
        "m": {"shape": [6], "shared": True},
    },
    "nodes": [
        {"name": "c", "kind": "conv2d", "inputs": ["x"], "config": {"channels": 4, "kernel": 3, "groups": 2}},
        {"name": "g", "kind": "group_norm", "config": {"groups": 2}},
        {"name": "f", "kind": "flatten"},
        {"name": "l", "kind": "linear", "config": {"units": 6}},
        {"name": "n", "kind": "layer_norm"},
        {"name": "e", "kind": "embedding", "inputs": ["w"], "config": {"rows": 4, "width": 6}},
        {"name": "r", "kind": "gru", "inputs": ["e"], "config": {"units": 6}},
        {"name": "s", "kind": "sum", "config": {"axes": [0]}},
        {"name": "z", "kind": "multiply", "inputs": ["n", "m"]},
        {"name": "d", "kind": "dot", "inputs": ["z", "s"]},
    ],
    "regularization": {"l2": 0.5},
}  # fmt: skip


def alone(network: Network, params: Any, data: Any, row: int) -> Any:
    one = {
        name: array if network.inputs[name].shared else array[row : row + 1] for name, array in data.items()
    }
    return network.gradients(params, one, wrt_data=True, deltas=network.nodes)


@given(examples())
def test_each_row_is_what_the_example_gives_alone(example: Example) -> None:
    spec = {key: value for key, value in example.spec.items() if key != "regularization"}
    network, whole = compiled(spec), compiled(example.spec)
    found = whole.gradients(
        example.params, example.data, wrt_data=True, per_example=True, deltas=whole.nodes,
        reduction=example.reduction,
    )  # fmt: skip
    usual = whole.gradients(example.params, example.data, reduction=example.reduction)
    assert found.loss == usual.loss
    np.testing.assert_array_equal(found.losses, usual.losses)
    for row in range(len(found.losses)):
        single = alone(network, example.params, example.data, row)
        for name, array in single.params.items():
            assert distance(found.params[name][row], array) <= 1e-12, name
        for name, array in single.data.items():
            shared = network.inputs[name].shared
            assert distance(found.data[name][row], array if shared else array[0]) <= 1e-12, name
        for name, array in single.deltas.items():
            assert distance(found.deltas[name][row], array[0]) <= 1e-12, name


@pytest.mark.parametrize("chunked", [False, True])
def test_every_fast_way_and_the_slow_one(chunked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if chunked:
        monkeypatch.setattr(memory_plan, "count_chunks", lambda network, batch, itemsize: batch)
    network, rng = compiled(IMAGES), np.random.default_rng(0)
    bare = compiled({**IMAGES, "regularization": {"l2": 0}})
    params = network.init(0)
    data = {
        "x": rng.standard_normal((4, 2, 5, 5)),
        "w": rng.integers(0, 4, (4, 3)),
        "m": rng.standard_normal(6),
    }
    found = network.gradients(params, data, wrt_data=True, per_example=True)
    assert found.params.keys() == params.keys()
    for row in range(4):
        single = alone(bare, params, data, row)
        for name in params:
            assert distance(found.params[name][row], single.params[name]) <= 1e-13, name


def test_the_layers_that_have_a_way_of_their_own() -> None:
    fast = {kind for kind, layer in load_layers().items() if layer.per_example is not Layer.per_example}
    assert fast >= {
        "linear",
        "embedding",
        "conv1d",
        "conv2d",
        "layer_norm",
        "rms_norm",
        "group_norm",
        "batch_norm",
    }
    assert "gru" not in fast


def test_a_way_that_gives_a_wrong_shape_is_the_layers_fault() -> None:
    linear = load_layers()["linear"]

    class Wrong(linear):  # type: ignore[misc, valid-type]
        """z = W x + b."""

        def per_example(self, params: Any, delta: Any, x: Any) -> Any:
            return {name: array[:1] for name, array in super().per_example(params, delta, x).items()}

    spec = {
        "inputs": {"x": {"shape": [2]}},
        "nodes": [{"name": "w", "kind": "wrong", "config": {"units": 1}}, {"kind": "sum"}],
    }
    network = compile_network(spec, registry(wrong=Wrong))
    with pytest.raises(PluginError, match="per example"):
        network.gradients(network.init(0), {"x": np.ones((3, 2))}, per_example=True)

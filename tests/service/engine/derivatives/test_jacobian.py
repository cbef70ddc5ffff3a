"""Jacobians of each example: both modes agree, the cheaper is taken, and large ones are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from support.engine import compiled
from support.functions import Flat, outputs_of
from support.networks import Example, examples
from support.oracles import distance

from deltawire.errors import Refused
from deltawire_service.engine import Direction
from deltawire_service.engine.plan import memory_plan


@settings(max_examples=50)
@given(examples(most_nodes=12))
def test_both_modes_agree_with_each_other_and_with_products(example: Example) -> None:
    network, flat, rng = compiled(example.spec), Flat(example), np.random.default_rng(0)
    outputs = outputs_of(example, rng, 2)
    reverse, forward = (
        network.jacobian(example.params, example.data, outputs, wrt_data=True, mode=mode)
        for mode in ("reverse", "forward")
    )
    assert (reverse.mode, forward.mode) == ("reverse", "forward")
    tangents = flat.drawn(rng)
    moved = network.jvp(example.params, example.data, Direction.from_flat(tangents), outputs)
    for name in outputs:
        ours, product = reverse.outputs[name].flat(), np.zeros_like(moved.tangents[name])
        for place, array in forward.outputs[name].flat().items():
            assert distance(ours[place], array) <= 1e-12, place
            kind, _, label = place.partition("/")
            apart = kind == "data" and not network.inputs[label].shared
            for row in range(flat.rows):
                along = tangents[place][row] if apart else tangents[place]
                product[row] += np.tensordot(array[row], along, along.ndim)
        assert distance(product, moved.tangents[name]) <= 1e-12


WIDE = {
    "inputs": {"x": {"shape": [50]}},
    "nodes": [{"name": "o", "kind": "linear", "config": {"units": 2}}, {"name": "t", "kind": "tanh"}],
}


def test_the_cheaper_mode_is_taken() -> None:
    network = compiled(WIDE)
    params, data = network.init(0), {"x": np.ones((3, 50))}
    assert network.jacobian(params, data, ["t"]).mode == "reverse"
    assert network.jacobian(params, data, ["t"], wrt_params=["o.bias"]).mode == "reverse"
    tall = compiled(
        {
            "inputs": {"x": {"shape": [2]}},
            "nodes": [{"name": "o", "kind": "linear", "config": {"units": 50}}],
        }
    )
    jacobian = tall.jacobian(tall.init(0), {"x": np.ones((3, 2))}, ["o"], wrt_params=False, wrt_data=True)
    assert jacobian.mode == "forward"
    np.testing.assert_allclose(
        jacobian.outputs["o"].data["x"], np.broadcast_to(tall.init(0)["o.weight"], (3, 50, 2))
    )


def test_chunks_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    network = compiled(WIDE)
    params, data = network.init(0), {"x": np.random.default_rng(0).standard_normal((4, 50))}
    whole = network.jacobian(params, data, ["t"], wrt_data=True)
    monkeypatch.setattr(memory_plan, "count_chunks", lambda network, batch, itemsize: batch)
    chunked = compiled(WIDE).jacobian(params, data, ["t"], wrt_data=True)
    for place, array in chunked.outputs["t"].flat().items():
        np.testing.assert_allclose(array, whole.outputs["t"].flat()[place], atol=1e-15)


@pytest.mark.parametrize(
    "outputs, wrt_data, pointer, code",
    [
        ([], True, "/outputs", "field_invalid"),
        (["s"], True, "/outputs/0", "unknown_name"),
        (["t"], ["z"], "/wrt/data/0", "unknown_name"),
    ],
)
def test_what_is_refused(outputs: list[str], wrt_data: bool | list[str], pointer: str, code: str) -> None:
    network = compiled(WIDE)
    with pytest.raises(Refused) as refused:
        network.jacobian(network.init(0), {"x": np.ones((3, 50))}, outputs, wrt_data=wrt_data)
    assert (refused.value.pointer, refused.value.code) == (pointer, code)


def test_a_large_one_is_refused_before_it_is_computed() -> None:
    nodes = [{"name": "o", "kind": "linear", "config": {"units": 1000}}]
    network = compiled({"inputs": {"x": {"shape": [1000]}}, "nodes": nodes})
    with pytest.raises(Refused) as refused:
        network.jacobian(network.init(0), {"x": np.ones((1, 1000))}, ["o"])
    assert refused.value.code == "memory_plan_exceeded"


def test_what_is_not_finite_names_its_node() -> None:
    nodes = [{"name": "o", "kind": "reciprocal"}]
    network = compiled({"inputs": {"x": {"shape": [2]}}, "nodes": nodes})
    for mode in ("reverse", "forward"):
        with pytest.raises(Refused) as refused:
            network.jacobian({}, {"x": np.zeros((3, 2))}, ["o"], wrt_data=True, mode=mode)
        assert (refused.value.pointer, refused.value.code) == ("/network/nodes/0", "non_finite")

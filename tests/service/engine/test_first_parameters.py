"""First parameters come from seed and name alone."""

from __future__ import annotations

import numpy as np
from support.engine import compiled

from deltawire_service.engine.first_parameters import draw_parameters
from deltawire_service.engine.plan.memory_plan import make_drawing_plan

SPEC = {
    "inputs": {
        "x": {"shape": [2]},
        "y": {"shape": [], "dtype": "int64"},
        "m": {"shape": [3], "shared": True},
    },
    "nodes": [
        {"name": "h", "kind": "linear", "inputs": ["x"], "config": {"units": 3}},
        {"name": "hm", "kind": "multiply", "inputs": ["h", "m"]},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["hm", "y"]},
        {"name": "probs", "kind": "softmax", "inputs": ["hm"]},
    ],
    "loss": "loss",
}


FIRST = [0.47457611950170664, 0.16810226100551212, 0.6322261190694685]


def test_first_numbers_come_from_seed_and_name_alone() -> None:
    network = compiled(SPEC)
    drawn = network.init(7)
    assert drawn["h.bias"].tolist() == FIRST  # literal numbers: the promise is that every machine draws these
    assert network.init(7)["h.bias"].tolist() == FIRST
    assert network.init(8)["h.bias"].tolist() != FIRST
    assert drawn["h.weight"].shape == (3, 2) and abs(drawn["h.weight"]).max() <= 0.5**0.5
    assert network.init(7, np.float32)["h.bias"].tolist() == np.float32(FIRST).tolist()
    alone = compiled(
        {"inputs": {"x": {"shape": [2]}}, "nodes": [{"name": "h", "kind": "linear", "config": {"units": 3}}]}
    )
    assert alone.init(7)["h.weight"].tolist() == drawn["h.weight"].tolist()


def test_parameters_are_drawn_into_arrays_of_the_caller() -> None:
    network = compiled(
        {"inputs": {"x": {"shape": [2]}}, "nodes": [{"name": "h", "kind": "linear", "config": {"units": 3}}]}
    )
    expected = network.init(7, np.float32)
    out = {name: np.full_like(array, 9) for name, array in expected.items()}
    assert all(array is out[name] for name, array in network.init(7, np.float32, out=out).items())
    assert all((out[name] == array).all() for name, array in expected.items())
    in_place, apart = (make_drawing_plan(network, 4, in_place=each) for each in (True, False))
    assert (in_place.answered_bytes, apart.answered_bytes) == (0, 36)
    assert (in_place.work_bytes, apart.work_bytes) == (6 * (8 + 8), 6 * (8 + 8 - 4))


def test_tied_nodes_draw_their_parameters_once() -> None:
    nodes = [
        {"name": "a", "kind": "linear", "config": {"units": 2}},
        {"name": "b", "kind": "linear", "config": {"units": 2}, "tied_to": "a"},
    ]
    network = compiled({"inputs": {"x": {"shape": [2]}}, "nodes": nodes})
    drawn = draw_parameters(network, 3, "float32")
    assert list(drawn) == ["a.weight", "a.bias"]
    assert {array.dtype.name for array in drawn.values()} == {"float32"}
    assert (drawn["a.weight"] == network.init(3)["a.weight"].astype("float32")).all()

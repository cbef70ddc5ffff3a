"""First parameters come from seed and name alone."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from support.engine import compiled

from deltawire_service.engine.plan.memory_plan import make_drawing_plan
from deltawire_service.engine.random_streams import draw_parameters, stream

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


@given(st.integers(0, 2**63), st.text(max_size=20))
def test_a_stream_is_pcg64_keyed_by_seed_and_name(seed: int, name: str) -> None:
    digest = sha256(name.encode()).digest()
    key = tuple(int.from_bytes(digest[at : at + 4], "little") for at in range(0, 32, 4))
    expected = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
    assert (stream(seed, name).random(3) == expected.random(3)).all()


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

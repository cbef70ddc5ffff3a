"""Directions: their names and shapes, and how several lie in one array."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.engine import compiled

from deltawire.errors import Refused
from deltawire_service.engine import Direction
from deltawire_service.engine.derivatives import directions

NETWORK = compiled(
    {
        "inputs": {
            "x": {"shape": [3]},
            "y": {"shape": [], "dtype": "int64"},
            "s": {"shape": [2], "shared": True},
        },
        "nodes": [
            {"name": "h", "kind": "linear", "inputs": ["x"], "config": {"units": 2}},
            {"name": "m", "kind": "multiply", "inputs": ["h", "s"]},
            {"name": "loss", "kind": "softmax_nll", "inputs": ["m", "y"]},
        ],
    }
)
FLOAT64 = np.dtype(np.float64)
BOTH = Direction({"h.bias": np.ones(2)}, {"x": np.ones((5, 3)), "s": np.ones(2)})


def test_places_and_back() -> None:
    assert BOTH.flat().keys() == {"params/h.bias", "data/x", "data/s"}
    back = Direction.from_flat(BOTH.flat())
    assert back.params.keys() == {"h.bias"} and back.data["x"] is BOTH.data["x"]


def test_shapes_are_those_of_what_is_named() -> None:
    assert directions.shapes_of(NETWORK, 5, BOTH) == {
        "params/h.bias": (2,), "data/x": (5, 3), "data/s": (2,),
    }  # fmt: skip


@pytest.mark.parametrize(
    "direction, pointer, code",
    [
        (Direction(), "/vectors", "field_invalid"),
        (Direction({"h.bais": np.ones(2)}), "/vectors/params/h.bais", "unknown_parameter"),
        (Direction(data={"z": np.ones(2)}), "/vectors/data/z", "unknown_data"),
        (Direction(data={"y": np.ones(5)}), "/vectors/data/y", "not_differentiable"),
        (Direction({"a/b~": np.ones(1)}), "/vectors/params/a~1b~0", "unknown_parameter"),
    ],
)
def test_wrong_names_are_refused_where_they_came(direction: Direction, pointer: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        directions.check_direction(NETWORK, "vectors", direction)
    assert (refused.value.pointer, refused.value.code) == (pointer, code)


def test_cotangents_are_for_nodes() -> None:
    assert directions.check_outputs(NETWORK, {"m": None, "h": None}) == ("h", "m")
    with pytest.raises(Refused, match="an input, and cotangents are for nodes"):
        directions.check_outputs(NETWORK, {"x": None})
    with pytest.raises(Refused, match="at least one node"):
        directions.check_outputs(NETWORK, {})


@given(st.one_of(st.none(), st.integers(1, 4)), st.integers(0, 2**32))
def test_several_are_taken_apart_and_put_together(count: int | None, seed: int) -> None:
    rng = np.random.default_rng(seed)
    leading = () if count is None else (count,)
    several = Direction(
        {"h.bias": rng.standard_normal((*leading, 2))}, {"x": rng.standard_normal((*leading, 5, 3))}
    )
    shapes = directions.shapes_of(NETWORK, 5, several)
    assert directions.count("vectors", several.flat(), shapes, FLOAT64) == count
    each = list(directions.each_direction(several, count))
    assert len(each) == (count or 1)
    assert all(one.flat()[place].shape == shape for one in each for place, shape in shapes.items())
    again = directions.stack((one.flat() for one in each), count)
    assert all((again[place] == array).all() for place, array in several.flat().items())


@pytest.mark.parametrize(
    "arrays, pointer, code",
    [
        ({"a": np.ones(3)}, "/t/a", "shape_mismatch"),
        ({"a": np.ones((0, 2))}, "/t/a", "shape_mismatch"),
        ({"a": np.ones((1, 1, 2))}, "/t/a", "shape_mismatch"),
        ({"a": np.ones(2, np.float32)}, "/t/a", "dtype_mismatch"),
        ({"a": np.ones((2, 2)), "b": np.ones(())}, "/t/b", "shape_mismatch"),
        ({"a": np.ones((2, 2)), "b": np.ones(3)}, "/t/b", "shape_mismatch"),
    ],
)
def test_arrays_must_hold_the_same_number(arrays: dict[str, Any], pointer: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        directions.count("t", arrays, {"a": (2,), "b": ()}, FLOAT64)
    assert (refused.value.pointer, refused.value.code) == (pointer, code)

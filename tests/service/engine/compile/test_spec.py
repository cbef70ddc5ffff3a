"""Reading a spec, which needs no layers: defaults, names, and what is wrong with it by itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from deltawire.errors import Refused
from deltawire_service.engine import Limits
from deltawire_service.engine.compile.spec import LossField, ShapeField, read_spec, valid_name

X = {"x": {"shape": [2]}}


def read(nodes: list[dict[str, Any]], inputs: Any = X, limits: Limits | None = None, **more: Any) -> Any:
    return read_spec({"inputs": inputs, "nodes": nodes, **more}, limits or Limits())


def test_defaults_are_filled_in() -> None:
    spec = read([{"kind": "tanh"}])
    assert spec["version"] == 1
    assert spec["inputs"] == {"x": {"shape": [2], "dtype": "float", "shared": False}}
    assert spec["nodes"] == [{"kind": "tanh", "name": "tanh1", "config": {}, "transpose": False}]


@given(st.lists(st.sampled_from(["tanh", "tanh1", "sum"]), min_size=1, max_size=8))
def test_every_node_gets_a_name_of_its_own(kinds: list[str]) -> None:
    nodes = [{"kind": kind} for kind in kinds] + [{"kind": "sum", "name": "tanh2"}]
    names = [node["name"] for node in read(nodes, {"tanh1": {"shape": []}})["nodes"]]
    assert len({*names, "tanh1"}) == len(names) + 1 and names[-1] == "tanh2"


@given(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,63}", fullmatch=True))
def test_names_of_letters_digits_and_underscores_are_valid(name: str) -> None:
    if name not in ("params", "data"):
        valid_name(name)


@pytest.mark.parametrize(
    "name, code",
    [
        ("", "name_invalid"),
        ("1a", "name_invalid"),
        ("a.b", "name_invalid"),
        ("a" * 65, "name_invalid"),
        ("é", "name_invalid"),
        ("a\n", "name_invalid"),
        ("params", "name_reserved"),
        ("data", "name_reserved"),
    ],
)
def test_other_names_are_not(name: str, code: str) -> None:
    with pytest.raises(ValidationError) as error:
        valid_name(name)
    assert error.value.messages[0].code == code  # type: ignore[union-attr]


@pytest.mark.parametrize("shape", [None, 3, [0], [-1], [1.0], [True], ["1"], [[1]], (1,)])
def test_a_shape_is_a_list_of_whole_numbers(shape: Any) -> None:
    with pytest.raises(ValidationError):
        ShapeField().deserialize(shape)
    assert ShapeField().deserialize([2, 3]) == [2, 3] and ShapeField().deserialize([]) == []


@pytest.mark.parametrize("loss", [None, 1, [], {}, {"a": "1"}, {"a": float("nan")}, {"a": True}, ["a"]])
def test_a_loss_is_a_name_or_names_with_weights(loss: Any) -> None:
    with pytest.raises(ValidationError):
        LossField().deserialize(loss)
    assert LossField().deserialize("a") == {"a": 1.0}
    assert LossField().deserialize({"a": 2, "b": -0.5}) == {"a": 2.0, "b": -0.5}


@pytest.mark.parametrize(
    "spec, pointer, code",
    [
        ([], "", "field_invalid"),
        ({"inputs": X}, "/nodes", "field_missing"),
        ({"inputs": X, "nodes": []}, "/nodes", "field_invalid"),
        ({"inputs": X, "nodes": [{"kind": "a"}] * 4}, "/nodes", "too_many_nodes"),
        ({"inputs": dict.fromkeys("abcd", {"shape": []}), "nodes": [{}]}, "/inputs", "too_many_nodes"),
        (
            {"inputs": {"x": {"shape": [1] * 8}}, "nodes": [{"kind": "a"}]},
            "/inputs/x/shape",
            "shape_too_large",
        ),
        (
            {"inputs": {"x": {"shape": [2**27]}}, "nodes": [{"kind": "a"}]},
            "/inputs/x/shape",
            "shape_too_large",
        ),
        ({"inputs": X, "nodes": [{"kind": "a", "name": "x"}]}, "/nodes/0/name", "duplicate_name"),
        ({"inputs": X, "nodes": [{"kind": "a", "nmae": "x"}]}, "/nodes/0/nmae", "field_unknown"),
    ],
)
def test_what_is_wrong_by_itself(spec: Any, pointer: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read_spec(spec, Limits(nodes=3))
    assert (refused.value.pointer, refused.value.code) == (pointer, code)

"""Every tensor is read with the dtype that its place needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.posting import good

from deltawire import wire
from deltawire.errors import Refused
from deltawire_layers import load_layers
from deltawire_service.engine import BodyCost, compile_network
from deltawire_service.networks.request_tensors import RequestTensors, read_request_tensors
from deltawire_service.schemas.request_reader import RequestParts

NETWORK = compile_network(good()["network"], load_layers())
COST = BodyCost()


def read(dtype: str = "float64", **changes: Any) -> RequestTensors:
    rest: dict[str, Any] = {"cotangents": {}, "directions": {}, "gradients": {}, "noise_seed": None}
    request = good() | rest | changes
    parts = RequestParts(*(request[name] for name in RequestParts._fields))
    return read_request_tensors(NETWORK, parts, dtype, wire.DEFAULT, COST)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_are_of_the_request_and_labels_are_integers(dtype: str) -> None:
    tensors = read(dtype)
    assert {name: array.dtype.name for name, array in (tensors.params | tensors.data).items()} == {
        "scores.weight": dtype, "scores.bias": dtype, "x": dtype, "y": "int64",
    }  # fmt: skip
    np.testing.assert_array_equal(tensors.params["scores.bias"], [0, 0.5, -0.5])
    np.testing.assert_array_equal(tensors.data["y"], [0, 2, 1])
    assert tensors.body_cost is COST


def test_cotangents_and_directions_are_of_the_request_too() -> None:
    tangents = {"params": {"scores.bias": [1, 2, 3]}, "data": {"x": [[1, 2]]}}
    tensors = read("float32", cotangents={"scores": [[1, 2, 3]]}, directions={"tangents": tangents})
    assert tensors.cotangents["scores"].dtype == np.float32
    direction = tensors.directions["tangents"]
    assert {a.dtype for a in (direction.params["scores.bias"], direction.data["x"])} == {np.dtype("f4")}


def test_nothing_can_write_to_the_arrays() -> None:
    tensors = read(cotangents={"scores": [[1, 2, 3]]})
    for array in (*tensors.params.values(), *tensors.data.values(), *tensors.cotangents.values()):
        assert not array.flags.writeable


def test_tensors_are_taken_out_of_the_document() -> None:
    """Lists take far more memory than arrays: they must be gone when it is computed."""
    request = good()
    read(params=request["params"], data=request["data"])
    assert request["params"] == request["data"] == {}


def test_a_tensor_of_an_unknown_name_is_left_to_the_engine() -> None:
    """It would be read with a wrong dtype; the engine says that there is no such name."""
    labels = np.array([1, 2])
    tensors = read(params=good()["params"] | {"scores.wait": None}, data={"Y": labels})
    assert tensors.params["scores.wait"] is None and tensors.data["Y"] is labels
    with pytest.raises(Refused) as refused:
        NETWORK.gradients(tensors.params, tensors.data)
    assert {fault.code for fault in refused.value.faults} == {
        "unknown_parameter", "unknown_data", "missing_data",
    }  # fmt: skip


def test_faults_of_parameters_and_data_are_found_together() -> None:
    with pytest.raises(Refused) as refused:
        read(params={"scores.bias": ["a"]}, data={"x": None, "y": [1.5]})
    assert [fault.pointer for fault in refused.value.faults] == [
        "/params/scores.bias/0", "/data/x", "/data/y/0",
    ]  # fmt: skip
    assert [fault.detail for fault in refused.value.faults] == [
        "expected a number, got a string",
        "expected a number, got null",
        "expected an integer, got 1.5 in example 0",
    ]


@pytest.mark.parametrize("place", ["params", "data", "cotangents"])
def test_the_number_of_tensors_is_checked_before_any_is_read(place: str) -> None:
    with pytest.raises(Refused) as refused:
        read(**{place: dict.fromkeys(map(str, range(1001)))})
    assert (refused.value.code, refused.value.pointer) == ("too_many_tensors", f"/{place}")


def test_the_number_of_tensors_of_a_direction_is_checked() -> None:
    many = {"params": {}, "data": dict.fromkeys(map(str, range(1001)))}
    with pytest.raises(Refused) as refused:
        read(directions={"vectors": many})
    assert (refused.value.code, refused.value.pointer) == ("too_many_tensors", "/vectors/data")

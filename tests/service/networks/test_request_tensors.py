"""Every tensor is read with the dtype its place needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.posting import good

from deltawire.errors import Refused
from deltawire_layers import load_layers
from deltawire_service.engine import compile_network
from deltawire_service.networks.request_tensors import read_values
from deltawire_service.settings import Settings


def read(dtype: str, **changes: Any) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    request = good() | changes
    network = compile_network(request["network"], load_layers())
    return read_values(network, request | {"dtype": dtype}, Settings())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_are_of_the_request_and_labels_are_integers(dtype: str) -> None:
    params, data = read(dtype)
    assert {name: array.dtype.name for name, array in (params | data).items()} == {
        "scores.weight": dtype, "scores.bias": dtype, "x": dtype, "y": "int64",
    }  # fmt: skip
    np.testing.assert_array_equal(params["scores.bias"], [0, 0.5, -0.5])
    np.testing.assert_array_equal(data["y"], [0, 2, 1])


def test_names_are_checked_before_any_tensor_is_read() -> None:
    with pytest.raises(Refused) as refused:
        read("float64", params={"scores.wait": None}, data={"x": None, "y": None})
    assert {fault.code for fault in refused.value.faults} == {"unknown_parameter", "missing_parameter"}


def test_the_number_of_tensors_is_checked_before_their_names() -> None:
    for place in ("params", "data"):
        with pytest.raises(Refused) as refused:
            read("float64", **{place: dict.fromkeys(map(str, range(1001)))})
        assert (refused.value.code, refused.value.pointer) == ("too_many_tensors", f"/{place}")

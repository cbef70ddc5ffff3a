"""Arrays as Tesseract's clients write them, and as they read them."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

from deltawire import wire
from deltawire.errors import Refused
from deltawire_service.protocols.tesseract.arrays import read_abstract, read_array, write_array

ARRAYS = [np.arange(6.0).reshape(2, 3), np.array(1.5), np.zeros((0, 2)), np.array([-0.0, 5e-324])]


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("encoding", ["base64", "json"])
def test_what_is_written_can_be_read(array: np.ndarray, encoding: str) -> None:
    leaf = json.loads(wire.encode(write_array(array, encoding), wire.JSON))
    assert leaf["object_type"] == "array"
    if array.size or encoding == "base64":  # JSON has no shape for what is empty
        again = read_array(leaf, "float64", "/x", wire.DEFAULT)
        assert again.shape == array.shape and again.tobytes() == array.tobytes()


@pytest.mark.parametrize("name", ["int32", "int16", "int8", "uint8"])
def test_smaller_integers_become_int64(name: str) -> None:
    array = np.array([1, 2, 100], name)
    data = {"encoding": "base64", "buffer": base64.b64encode(array.tobytes()).decode()}
    leaf = {"shape": [3], "dtype": name, "data": data}
    read = read_array(leaf, "int64", "/x", wire.DEFAULT)
    assert read.dtype == np.int64 and read.tolist() == [1, 2, 100]
    assert read_abstract({"shape": [3], "dtype": name}, "int64", "/x", wire.DEFAULT).dtype == np.int64
    with pytest.raises(Refused):
        read_array(leaf, "float64", "/x", wire.DEFAULT)


@pytest.mark.parametrize(
    "leaf, code",
    [
        ({"shape": [1], "dtype": "float64"}, "tensor_invalid"),
        ({"shape": [1], "dtype": "float64", "data": {"encoding": "zip", "buffer": ""}}, "tensor_invalid"),
        ({"shape": [-1], "dtype": "float64", "data": {"encoding": "base64", "buffer": ""}}, "shape_invalid"),
        ({"shape": [1], "dtype": "int8", "data": {"encoding": "base64", "buffer": "AA="}}, "tensor_invalid"),
        ({"shape": [2], "dtype": "int8", "data": {"encoding": "base64", "buffer": "AA=="}}, "tensor_invalid"),
    ],
)
def test_wrong_leaves(leaf: Any, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read_array(leaf, "int64", "/x", wire.DEFAULT)
    assert refused.value.code == code


def test_an_abstract_array_takes_no_memory() -> None:
    array = read_abstract({"shape": [2**20, 8], "dtype": "float64"}, "float64", "/x", wire.DEFAULT)
    assert array.shape == (2**20, 8) and array.strides == (0, 0)

"""Arrays as Tesseract writes them, and the paths it names them by."""

from __future__ import annotations

import base64
from math import prod
from typing import Any

import numpy as np

from deltawire import wire
from deltawire.wire import Array
from deltawire.wire.tensors import check_shape
from deltawire_plugins.shown import shown
from deltawire_service.protocols.context import refusal

SMALLER: dict[str, np.dtype[Any]] = {
    "int32": np.dtype("<i4"),
    "int16": np.dtype("<i2"),
    "int8": np.dtype("i1"),
    "uint8": np.dtype("u1"),
}
"""Integers that an int64 holds; jax has no others by default."""


def dtype_of(leaf: Any) -> str | None:
    """Return the dtype that an encoded array says it has."""
    return leaf["dtype"] if isinstance(leaf, dict) and isinstance(leaf.get("dtype"), str) else None


def read_array(leaf: Any, dtype: str, pointer: str, limits: wire.Limits) -> Array:
    """Return the array at a leaf of a request: encoded, or numbers in lists.

    Args:
        leaf: the leaf.
        dtype: the dtype that the array must have.
        pointer: JSON pointer to the leaf.
        limits: bounds on tensors.

    Raises:
        Refused: the leaf is no such array.
    """
    if not isinstance(leaf, dict):
        return wire.read_tensor(leaf, dtype, pointer, limits)
    data = leaf.get("data")
    if not leaf.keys() <= {"object_type", "shape", "dtype", "data"} or not isinstance(data, dict):
        detail = "expected an encoded array, with shape, dtype and data, or lists of numbers"
        raise refusal("tensor_invalid", detail, pointer)
    shape: Any = leaf.get("shape")
    name, buffer = leaf.get("dtype"), data.get("buffer")
    check_shape(shape, f"{pointer}/shape", limits)
    encoding = data.get("encoding")
    if encoding == "base64":
        small = SMALLER.get(name) if dtype == "int64" and isinstance(name, str) else None
        if small is not None and isinstance(buffer, str):
            return _widened(buffer, small, shape, pointer)
        return wire.read_tensor({"dtype": name, "shape": shape, "base64": buffer}, dtype, pointer, limits)
    if encoding in ("json", "raw"):
        array = wire.read_tensor(buffer, dtype, f"{pointer}/data/buffer", limits)
        if array.shape != tuple(shape):
            detail = f"expected shape {shape}, got {list(array.shape)}"
            raise refusal("shape_mismatch", detail, f"{pointer}/data/buffer")
        return array
    raise refusal("tensor_invalid", f"expected the encoding base64 or json, got {shown(encoding)}", pointer)


def _widened(buffer: str, dtype: np.dtype[Any], shape: list[int], pointer: str) -> Array:
    try:
        raw = base64.b64decode(buffer, validate=True)
    except ValueError as error:
        raise refusal("tensor_invalid", f"not base64: {error}", pointer) from None
    if len(raw) != prod(shape) * dtype.itemsize:
        raise refusal("tensor_invalid", f"{len(raw)} bytes are not an array {shape} of {dtype}", pointer)
    return np.frombuffer(raw, dtype).reshape(shape).astype(np.int64)


def read_abstract(leaf: Any, dtype: str, pointer: str, limits: wire.Limits) -> Array:
    """Return zeros of the shape and dtype that a leaf has, which take no memory.

    Args:
        leaf: the leaf: a shape and a dtype, or numbers in lists.
        dtype: the dtype that it must have.
        pointer: JSON pointer to the leaf.
        limits: bounds on tensors.

    Raises:
        Refused: the leaf has another dtype, or is no array.
    """
    if not isinstance(leaf, dict):
        return np.zeros_like(wire.read_tensor(leaf, dtype, pointer, limits))
    shape: Any = leaf.get("shape")
    name = leaf.get("dtype")
    check_shape(shape, f"{pointer}/shape", limits)
    if name != dtype and not (dtype == "int64" and isinstance(name, str) and name in SMALLER):
        raise refusal("dtype_mismatch", f"expected {dtype}, got {shown(name)}", f"{pointer}/dtype")
    return np.broadcast_to(np.zeros((), dtype), tuple(shape))


def write_array(array: Array, encoding: str) -> dict[str, Any]:
    """Return an array as answers have it. Without `object_type`, clients would take it for a dictionary."""
    buffer = wire.Base64(array) if encoding == "base64" else array
    return {
        "object_type": "array",
        "shape": list(array.shape),
        "dtype": array.dtype.name,
        "data": {"buffer": buffer, "encoding": encoding},
    }

"""Arrays as Tesseract writes them, and the paths it names them by."""

from __future__ import annotations

import base64
from math import prod
from typing import Any

import numpy as np

from deltawire import wire
from deltawire.wire import Array
from deltawire.wire.tensors import check_shape
from deltawire_service.faults import shown
from deltawire_service.protocols.protocol import refusal

SMALLER: dict[str, np.dtype[Any]] = {
    "int32": np.dtype("<i4"),
    "int16": np.dtype("<i2"),
    "int8": np.dtype("i1"),
    "uint8": np.dtype("u1"),
}
"""Integers that an int64 holds: jax has no others unless it is told to."""


def dtype_of(leaf: Any) -> str | None:
    """The dtype an encoded array says it has."""
    return leaf["dtype"] if isinstance(leaf, dict) and isinstance(leaf.get("dtype"), str) else None


def read_array(leaf: Any, dtype: str, pointer: str, limits: wire.Limits) -> Array:
    """The array at a leaf: encoded, or bare numbers in lists. Raises Refused unless it has this dtype."""
    if not isinstance(leaf, dict):
        return wire.read_tensor(leaf, dtype, pointer, limits)
    data = leaf.get("data")
    if not leaf.keys() <= {"object_type", "shape", "dtype", "data"} or not isinstance(data, dict):
        detail = "expected an encoded array, with shape, dtype and data, or lists of numbers"
        raise refusal("tensor_invalid", detail, pointer)
    shape: Any = leaf.get("shape")
    given, buffer = leaf.get("dtype"), data.get("buffer")
    check_shape(shape, f"{pointer}/shape", limits)
    encoding = data.get("encoding")
    if encoding == "base64":
        small = SMALLER.get(given) if dtype == "int64" and isinstance(given, str) else None
        if small is not None and isinstance(buffer, str):
            return _widened(buffer, small, shape, pointer)
        return wire.read_tensor({"dtype": given, "shape": shape, "base64": buffer}, dtype, pointer, limits)
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
    """An array of zeros that takes no memory, of the shape and dtype a leaf has."""
    if not isinstance(leaf, dict):
        return np.zeros_like(wire.read_tensor(leaf, dtype, pointer, limits))
    shape: Any = leaf.get("shape")
    given = leaf.get("dtype")
    check_shape(shape, f"{pointer}/shape", limits)
    if given != dtype and not (dtype == "int64" and isinstance(given, str) and given in SMALLER):
        raise refusal("dtype_mismatch", f"expected {dtype}, got {shown(given)}", f"{pointer}/dtype")
    return np.broadcast_to(np.zeros((), dtype), tuple(shape))


def write_array(array: Array, encoding: str) -> dict[str, Any]:
    """An array as answers have it. Without `object_type`, clients would take it for a dictionary."""
    buffer: Any = array
    if encoding == "base64":
        buffer = base64.b64encode(array.astype(wire.DTYPES[array.dtype.name], copy=False).tobytes()).decode()
    return {
        "object_type": "array",
        "shape": list(array.shape),
        "dtype": array.dtype.name,
        "data": {"buffer": buffer, "encoding": encoding},
    }

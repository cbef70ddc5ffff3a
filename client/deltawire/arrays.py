"""Between what callers hold, whatever numpy takes for an array, and arrays of one dtype, as bodies carry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire.wire import Array


def to_arrays(tensors: dict[str, Any], dtype: str, limits: wire.Limits) -> dict[str, Array]:
    """Arrays of an answer, copied where they are read-only: parameters are to be stepped in place."""
    read = wire.read_tensors(tensors, dict.fromkeys(tensors, dtype), limits=limits)
    return {name: array if array.flags.writeable else array.copy() for name, array in read.items()}


def to_trace(traced: Any, dtype: str, limits: wire.Limits) -> Any:
    """The trace of an answer with arrays in place of its tensors, which are whole, or a sample."""
    if isinstance(traced, list):
        return [to_trace(part, dtype, limits) for part in traced]
    if not isinstance(traced, dict):
        return traced
    return {
        key: wire.read_tensor(part, dtype, limits=limits).copy()
        if key in ("numbers", "sample") and "norm" in traced
        else to_trace(part, dtype, limits)
        for key, part in traced.items()
    }


def common_dtype(values: Iterable[Any], default: str = "float64") -> str:
    """The dtype of the floating-point arrays. Raises Refused unless it is one, float32 or float64.

    default: where there is no such array.
    """
    arrays = (value for value in values if isinstance(value, np.ndarray))
    found = sorted({array.dtype.name for array in arrays if array.dtype.kind == "f"})
    if len(found) > 1 or not {"float32", "float64"}.issuperset(found):
        got = " and ".join(found)
        detail = f"expected arrays of one dtype, float32 or float64, got {got}: convert them with astype"
        raise Refused([Fault("", "dtype_mismatch", detail)])
    return found[0] if found else default


def input_dtype(spec: Mapping[str, Any], name: str, dtype: str) -> str:
    """The dtype an input takes: int64 when the spec says so, else that of the request."""
    inputs = spec.get("inputs")
    slot = inputs.get(name) if isinstance(inputs, Mapping) else None
    return "int64" if isinstance(slot, Mapping) and slot.get("dtype") == "int64" else dtype


def to_tensor(value: ArrayLike, dtype: str, pointer: str) -> Array:
    """A value as an array of the dtype its place takes, as exact as the service reads numbers.

    Raises Refused when it is no array of numbers, or the dtype cannot hold them.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise Refused([Fault(pointer, "tensor_invalid", f"no array: {error}")]) from None
    if array.dtype.name == dtype:
        return array
    if array.dtype.kind in "iu" and array.itemsize < 8 and np.can_cast(array.dtype, dtype, "safe"):
        return array.astype(dtype)  # every one of them is held exactly
    return wire.read_tensor(array.tolist(), dtype, pointer)

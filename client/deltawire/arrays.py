"""Between what callers hold, whatever numpy takes for an array, and arrays of one dtype, as bodies carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire.wire import Array

FLOATS = ("float32", "float64")


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


def common_dtype(arrays: Mapping[str, Any], default: str = "float64", owner: str = "") -> str:
    """The one dtype of the floating-point arrays, by their places, float32 or float64.

    default: where there is no such array. owner: what has the default, so that all arrays must have it.
    Raises Refused with a fault for every array of another dtype than the first.
    """
    held = {place: array for place, array in arrays.items() if isinstance(array, np.ndarray)}
    found = {place: _name(array.dtype) for place, array in held.items() if array.dtype.kind == "f"}
    first = "" if owner else next((place for place, name in found.items() if name in FLOATS), "")
    dtype = found.get(first, default)
    like = f", as {owner or first} is" if owner or first else " or float32"
    faults = [
        Fault(
            place,
            "dtype_mismatch" if name in FLOATS else "dtype_unsupported",
            f'expected {dtype}{like}, got {name}: convert it with .astype("{dtype}")',
        )
        for place, name in found.items()
        if name != dtype
    ]
    if faults:
        raise Refused(faults)
    return dtype


def _name(dtype: np.dtype[Any]) -> str:
    """The name of a dtype; numpy makes it anew each time, in 1 µs."""
    return _NAMES.get(dtype) or dtype.name


_NAMES = {dtype: name for name, dtype in wire.DTYPES.items()}


def to_tensor(value: ArrayLike, dtype: str, pointer: str) -> Array:
    """A value as an array of the dtype its place takes, as exact as the service reads numbers.

    Raises Refused when it is no array of numbers, or the dtype cannot hold them.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise Refused([Fault(pointer, "tensor_invalid", f"no array: {error}")]) from None
    if _name(array.dtype) == dtype:
        return array
    if dtype == "int64" and array.dtype.kind == "f" and array.size:
        raise _fractions(array, pointer)
    if array.dtype.kind in "iu" and array.itemsize < 8 and np.can_cast(array.dtype, dtype, "safe"):
        return array.astype(dtype)  # every one of them is held exactly
    return wire.read_tensor(array.tolist(), dtype, pointer)


def _fractions(array: Array, pointer: str) -> Refused:
    """The refusal of floating-point numbers where integers belong: of the first that is none, if any."""
    with np.errstate(invalid="ignore"):
        others = np.argwhere(~(array % 1 == 0))
    place = tuple(others[0]) if len(others) else (0,) * array.ndim
    got = f"got {array[place]}{f' in row {place[0]}' if place else ''}"
    fit = not len(others) and np.abs(array).max() < 2**63
    mend = ": convert them with .astype(int)" if fit else ""
    at = "/".join([pointer, *map(str, place)])
    return Refused([Fault(at, "dtype_mismatch", f"expected an integer, {got}{mend}")])

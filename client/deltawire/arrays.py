"""Callers' arrays, of whatever numpy takes for one, as arrays of the one dtype that a request has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire.wire import Array

FLOATS = ("float32", "float64")


def common_dtype(arrays: Mapping[str, Any], default: str = "float64", fixed_by: str = "") -> str:
    """Return the one dtype of the floating-point arrays, float32 or float64.

    Args:
        arrays: By their places in the request; other values than numpy arrays have no dtype.
        default: Where no array has a dtype.
        fixed_by: What has the default dtype, so that every array must have it; for the message.

    Raises:
        Refused: With a fault for every array of another dtype than the first.
    """
    numpy_arrays = {place: array for place, array in arrays.items() if isinstance(array, np.ndarray)}
    dtypes = {place: _name(array.dtype) for place, array in numpy_arrays.items() if array.dtype.kind == "f"}
    first = "" if fixed_by else next((place for place, name in dtypes.items() if name in FLOATS), "")
    dtype = dtypes.get(first, default)
    like = f", as {fixed_by or first} is" if fixed_by or first else " or float32"
    faults = [
        Fault(
            place,
            "dtype_mismatch" if name in FLOATS else "dtype_unsupported",
            f'expected {dtype}{like}, got {name}: convert it with .astype("{dtype}")',
        )
        for place, name in dtypes.items()
        if name != dtype
    ]
    if faults:
        raise Refused(faults)
    return dtype


def _name(dtype: np.dtype[Any]) -> str:
    """Return the name of a dtype; numpy makes it anew each time, in 1 µs."""
    return _NAMES.get(dtype) or dtype.name


_NAMES = {dtype: name for name, dtype in wire.DTYPES.items()}


def to_tensor(value: ArrayLike, dtype: str, pointer: str) -> Array:
    """Return a value as an array of the dtype its place takes, as exact as the service reads numbers.

    Args:
        value: Whatever numpy takes for an array.
        dtype: float32, float64 or int64.
        pointer: The place of the value in the request.

    Raises:
        Refused: It is not an array of numbers, or the dtype cannot hold them.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise Refused([Fault(pointer, "tensor_invalid", f"not an array: {error}")]) from None
    if _name(array.dtype) == dtype:
        return array
    if dtype == "int64" and array.dtype.kind == "f" and array.size:
        raise _not_integers(array, pointer)
    if array.dtype.kind in "iu" and array.itemsize < 8 and np.can_cast(array.dtype, dtype, "safe"):
        return array.astype(dtype)  # which holds every one of them exactly
    return wire.read_tensor(array.tolist(), dtype, pointer)


def _not_integers(array: Array, pointer: str) -> Refused:
    """Return the refusal of floating-point numbers where integers belong, at the first fraction if any."""
    with np.errstate(invalid="ignore"):
        fractions = np.argwhere(~(array % 1 == 0))
    place = tuple(fractions[0]) if len(fractions) else (0,) * array.ndim
    got = f"got {array[place]}{f' in row {place[0]}' if place else ''}"
    convertible = not len(fractions) and np.abs(array).max() < 2**63
    mend = ": convert them with .astype(int)" if convertible else ""
    at = "/".join([pointer, *map(str, place)])
    return Refused([Fault(at, "dtype_mismatch", f"expected an integer, {got}{mend}")])

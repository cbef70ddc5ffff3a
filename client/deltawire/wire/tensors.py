"""Tensors at the leaves of a document: what they may be, and how JSON writes them.

In JSON a tensor is nested lists of numbers, or `{"dtype", "shape", "base64"}` with the bytes of the array in
C order, little endian. Binary bodies hold arrays already; only their dtypes are checked here.

A number in a list is read alike however it is spelled. Where floating-point numbers belong, it becomes the
nearest float64, and from there the nearest float32; a number out of range is refused. Where integers belong,
it must be an integer that int64 holds.
"""

from __future__ import annotations

import base64
from collections.abc import Container, Iterator, Mapping
from itertools import chain
from json import dumps
from math import isfinite
from reprlib import repr as shown
from time import sleep
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltawire.errors import Fault, Refused
from deltawire.wire.limits import DEFAULT, Limits

Array = NDArray[Any]

DTYPES: Mapping[str, np.dtype[Any]] = {
    "float32": np.dtype("<f4"),
    "float64": np.dtype("<f8"),
    "int64": np.dtype("<i8"),
}
"""The dtypes of tensors, as bodies hold them. No other string from outside ever becomes a dtype."""

_NATIVE = {name: dtype.newbyteorder("=") for name, dtype in DTYPES.items()}


LARGEST = 2**59
"""Numbers in any array: numpy counts its bytes in 63 bits."""

PIECE_NUMBERS = 3 * 2**15
"""Numbers that are converted at once. Their bytes are a multiple of 3, as base64 needs it."""


def let_others_run() -> None:
    """Let other threads have the interpreter: numpy gives it up too briefly for one of them to wake."""
    sleep(1e-6)


def read_tensors(
    leaves: dict[str, Any],
    dtypes: Mapping[str, str],
    pointer: str = "",
    limits: Limits = DEFAULT,
    batched: Container[str] = (),
) -> dict[str, Array]:
    """Read the arrays of an object of tensors.

    Args:
        leaves: the tensors of a document by name. Each is removed as it is read, because lists take far more
            memory than arrays.
        dtypes: the dtype that each name needs, a key of DTYPES.
        pointer: the place of the object in its document, as a JSON pointer.
        limits: bounds on the tensors.
        batched: the names whose first axis is that of a batch.

    Returns:
        The arrays by name.

    Raises:
        Refused: a tensor cannot be read; there is a fault for each one.
    """
    arrays: dict[str, Array] = {}
    faults: list[Fault] = []
    for name in list(leaves):
        try:
            arrays[name] = read_tensor(
                leaves.pop(name), dtypes[name], f"{pointer}/{name}", limits, batched=name in batched
            )
        except Refused as refused:
            faults += refused.faults
    if faults:
        raise Refused(faults)
    return arrays


def read_tensor(
    leaf: Any, dtype: str, pointer: str = "", limits: Limits = DEFAULT, *, batched: bool = False
) -> Array:
    """Read the array at a leaf of a document.

    Args:
        leaf: an array of a binary body, an object with base64, or nested lists of numbers.
        dtype: the dtype that the place needs, a key of DTYPES. Numbers in lists are read in it; the others
            must have it.
        pointer: the place of the leaf in its document, as a JSON pointer.
        limits: bounds on the tensor.
        batched: whether the first axis is that of a batch, so that a refused number belongs to an example.

    Returns:
        The array; it may be read-only.

    Raises:
        Refused: the tensor cannot be read. Its code is tensor_invalid, shape_invalid, shape_too_large,
            dtype_unsupported or dtype_mismatch, and its pointer leads to the number at fault.
    """
    if isinstance(leaf, np.ndarray):
        if leaf.dtype != _NATIVE[dtype]:
            raise refusal(pointer, "dtype_mismatch", _mismatch(dtype, leaf.dtype.name))
        return leaf
    if isinstance(leaf, dict):
        return _from_base64(leaf, dtype, pointer, limits)
    return _from_lists(leaf, dtype, pointer, limits, batched)


def refusal(pointer: str, code: str, detail: str) -> Refused:
    """Return an error with one fault.

    Args:
        pointer: the place at fault, as a JSON pointer.
        code: the code of the problem.
        detail: a sentence that says what was expected and what came.
    """
    return Refused([Fault(pointer, code, detail)])


# Nested lists are read level by level, so that no Python code runs for single numbers when all are right.


def _from_lists(leaf: Any, dtype: str, pointer: str, limits: Limits, batched: bool) -> Array:
    if type(leaf) is list and len(leaf) <= limits.elements and _are_few(leaf, dtype):
        return np.array(leaf, _NATIVE[dtype])  # most lists that come alone
    shape: list[int] = []
    numbers: list[Any] = [leaf]
    while numbers and type(numbers[0]) is list:
        _check_types(numbers, {list}, dtype, pointer, shape, batched)
        sizes = set(map(len, numbers))
        if len(sizes) > 1:
            first = len(numbers[0])
            row = next(i for i, part in enumerate(numbers) if len(part) != first)
            detail = f"expected a list of {first}, like the first one, got one of {len(numbers[row])}"
            raise refusal(_place(pointer, row, shape), "tensor_invalid", detail)
        shape += sizes
        if len(shape) > limits.rank:
            raise refusal(pointer, "shape_invalid", f"more than {limits.rank} axes{limits.setting('rank')}")
        numbers = numbers[0] if len(numbers) == 1 else _concatenated(numbers, *sizes)
        if len(numbers) > limits.elements:
            detail = f"more than {limits.elements} numbers{limits.setting('elements')}"
            raise refusal(pointer, "shape_too_large", detail)
    if not _are_few(numbers, dtype):
        _check_types(numbers, _NUMBERS[dtype], dtype, pointer, shape, batched)
    try:
        array = _converted(numbers, _NATIVE[dtype])
        suspects = [] if dtype == "int64" else np.flatnonzero(~np.isfinite(array)).tolist()
    except OverflowError:  # an integer over 64 bits, or over the largest float64
        suspects = list(range(len(numbers)))
    for i in suspects:
        if not _holds(numbers[i], dtype):
            detail = f"{_brief(numbers[i])} is out of the range of {dtype}{_example(i, shape, batched)}"
            raise refusal(_place(pointer, i, shape), "tensor_invalid", detail)
    return array.reshape(shape)


def _concatenated(lists: list[list[Any]], size: int) -> list[Any]:
    """Return the members of lists of one size, joined in pieces: other threads run in between."""
    at_once = max(1, PIECE_NUMBERS // max(1, size))
    members: list[Any] = []
    for start in range(0, len(lists), at_once):
        if start:
            let_others_run()
        members += chain.from_iterable(lists[start : start + at_once])
    return members


def _converted(numbers: list[Any], dtype: np.dtype[Any]) -> Array:
    """Return numbers as an array, converted in pieces: other threads run in between."""
    array = np.empty(len(numbers), dtype)
    with np.errstate(over="ignore"):
        for start in range(0, len(numbers), PIECE_NUMBERS):
            if start:
                let_others_run()
            array[start : start + PIECE_NUMBERS] = np.array(numbers[start : start + PIECE_NUMBERS], dtype)
    return array


_IN_RANGE = {"float32": 2.0**127, "float64": 2.0**1023, "int64": 2**63}
"""Every number of a smaller magnitude is in the range of its dtype."""

_NUMBERS: Mapping[str, set[type]] = {"float32": {int, float}, "float64": {int, float}, "int64": {int}}

_FEW = 64


def _are_few(leaves: list[Any], dtype: str) -> bool:
    """Return whether these are few numbers, all in range. Looking at each is faster than at an array."""
    most = _IN_RANGE[dtype]
    return (
        0 < len(leaves) <= _FEW
        and _NUMBERS[dtype].issuperset(map(type, leaves))
        and -most < min(leaves)
        and max(leaves) < most
    )


def _holds(number: float, dtype: str) -> bool:
    """Return whether a number is in the range of a dtype; infinities, which JSON does not have, are."""
    if dtype == "int64":
        return -(2**63) <= number < 2**63
    try:
        with np.errstate(over="ignore"):
            return isfinite(DTYPES[dtype].type(float(number))) or not isfinite(number)
    except OverflowError:
        return False


def _brief(number: float) -> str:
    try:
        return shown(number)
    except ValueError:
        return "an integer of thousands of digits"


_TYPE_NAMES = {bool: "a boolean", str: "a string", dict: "an object", list: "a list", type(None): "null"}
_TYPE_NAMES |= {int: "a number", float: "a number", complex: "a complex number"}


def _check_types(
    leaves: list[Any], expected: set[type], dtype: str, pointer: str, shape: list[int], batched: bool
) -> None:
    """Raise Refused at the first leaf of another type than expected."""
    for start in range(0, len(leaves), _PIECE):
        piece = leaves[start : start + _PIECE]
        if not expected.issuperset(map(type, piece)):
            index = start + next(i for i, leaf in enumerate(piece) if type(leaf) not in expected)
            raise _wrong_type(leaves[index], index, expected, dtype, pointer, shape, batched)


MASK = ": the numbers of a mask are 0 and 1"

_PIECE = 2**12
"""Leaves examined at once; the wrong one among so few is located quickly."""


def _wrong_type(
    leaf: Any, index: int, expected: set[type], dtype: str, pointer: str, shape: list[int], batched: bool
) -> Refused:
    place, example = _place(pointer, index, shape), _example(index, shape, batched)
    if dtype == "int64" and type(leaf) in (float, bool):
        mend = MASK if type(leaf) is bool else ""
        return refusal(place, "dtype_mismatch", f"expected an integer, got {dumps(leaf)}{example}{mend}")
    number = "an integer" if dtype == "int64" else "a number"
    what = "a list" if expected == {list} else number
    got = _TYPE_NAMES.get(type(leaf), f"a {type(leaf).__name__}")
    mend = MASK if type(leaf) is bool and expected != {list} else ""
    return refusal(place, "tensor_invalid", f"expected {what}, got {got}{example}{mend}")


def _place(pointer: str, index: int, shape: list[int]) -> str:
    """Return the pointer to one element, from its index in C order."""
    return "/".join([pointer, *map(str, np.unravel_index(index, shape))])


def _example(index: int, shape: list[int], batched: bool) -> str:
    """Return the part of a message that says which example of a batch an element belongs to."""
    return f" in example {np.unravel_index(index, shape)[0]}" if batched and shape else ""


# Tensors as base64.


def _from_base64(leaf: dict[str, Any], dtype: str, pointer: str, limits: Limits) -> Array:
    if leaf.keys() != {"dtype", "shape", "base64"}:
        detail = "expected nested lists of numbers, or the keys dtype, shape and base64"
        raise refusal(pointer, "tensor_invalid", detail)
    name, shape, text = leaf["dtype"], leaf["shape"], leaf["base64"]
    if not isinstance(name, str) or name not in DTYPES:
        detail = f"expected one of {', '.join(DTYPES)}, got {shown(name)}"
        raise refusal(f"{pointer}/dtype", "dtype_unsupported", detail)
    if name != dtype:
        raise refusal(f"{pointer}/dtype", "dtype_mismatch", _mismatch(dtype, name))
    size = check_shape(shape, f"{pointer}/shape", limits) * DTYPES[name].itemsize
    try:
        if not isinstance(text, str):
            raise ValueError("expected a string")
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise refusal(f"{pointer}/base64", "tensor_invalid", f"not base64: {error}") from None
    if len(raw) != size:
        detail = f"expected {size} bytes, for shape {shape} of {name}, got {len(raw)}"
        raise refusal(f"{pointer}/base64", "tensor_invalid", detail)
    array: Array = np.frombuffer(raw, DTYPES[name]).reshape(shape)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _mismatch(expected: str, got: str) -> str:
    if expected == "int64":
        return f"this input takes integers: expected int64, got {got}"
    if got == "int64":
        return f"expected {expected}, got int64: send floating-point numbers"
    mend = f'send {expected}, or set "dtype" of the request to "{got}" where it has one'
    return f"expected {expected}, got {got}: {mend}"


def check_shape(shape: Any, pointer: str, limits: Limits) -> int:
    """Check a shape, and return its count of numbers.

    Args:
        shape: the JSON value in the place of a shape.
        pointer: its place in the document, as a JSON pointer.
        limits: bounds on the tensor.

    Raises:
        Refused: it is not a shape, or is too large.
    """
    if type(shape) is not list or len(shape) > limits.rank:
        most = f"a list of at most {limits.rank} sizes{limits.setting('rank')}"
        detail = f"expected {most}, got {shown(shape)}"
        raise refusal(pointer, "shape_invalid", detail)
    numbers, largest = 1, min(limits.elements, LARGEST)
    for axis, size in enumerate(shape):
        if type(size) is not int or size < 0:  # True and 1.0 are not sizes
            detail = f"expected a whole number of at least 0, got {shown(size)}"
            raise refusal(f"{pointer}/{axis}", "shape_invalid", detail)
        numbers *= size or 1  # the axes of [0, 2**62] count: it has no numbers, and numpy cannot make it
    if numbers > largest:
        setting = limits.setting("elements") if largest == limits.elements else ""
        raise refusal(pointer, "shape_too_large", f"{shape} is more than {largest} numbers{setting}")
    return 0 if 0 in shape else numbers


def raw_pieces(array: Array) -> Iterator[bytes | memoryview]:
    """Yield the bytes of an array in C order, little endian: views of it where it has them so."""
    dtype, numbers = DTYPES[array.dtype.name], array.reshape(-1) if array.flags.c_contiguous else array.flat
    for start in range(0, array.size, PIECE_NUMBERS):
        yield numbers[start : start + PIECE_NUMBERS].astype(dtype, copy=False).view(np.uint8).data

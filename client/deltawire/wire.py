"""The body format, both directions: service and client share it.

A body holds a document: objects, lists, strings and numbers, with tensors at some of its leaves. `decode` and
`encode` go between the bytes of a media type and a document; `read_tensor` goes from a leaf to an array, once
it is known which dtype its place needs. In JSON a tensor is nested lists of numbers, or
`{"dtype", "shape", "base64"}` with the bytes of the array in C order, little endian.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from math import inf, isfinite, isnan, prod
from reprlib import repr as shown
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from deltawire.errors import Fault, Refused

Array = NDArray[Any]

JSON = "application/json"
TENSORS = ("lists", "base64")
"""The ways a JSON body writes a tensor."""

DTYPES: Mapping[str, np.dtype[Any]] = {
    "float32": np.dtype("<f4"),
    "float64": np.dtype("<f8"),
    "int64": np.dtype("<i8"),
}
"""The dtypes a tensor may have, as they lie in a body. No other string from outside ever becomes a dtype."""


@dataclass(frozen=True)
class Limits:
    """Bounds on what a body may hold, checked before it costs anything to hold it."""

    depth: int = 32
    """Objects and lists inside each other."""

    members: int = 20_000
    """Objects and keys in one document. A tensor in lists has none, a long list of nodes has many."""

    rank: int = 8
    """Axes of a tensor."""

    elements: int = 2**26
    """Numbers in a tensor, and the largest size of an axis."""


DEFAULT = Limits()


def decode(body: bytes, media_type: str, limits: Limits = DEFAULT) -> Any:
    """The document in a body. Of duplicate keys the last one counts.

    media_type: one of MEDIA_TYPES.
    Raises Refused: json_too_deep, json_too_many_members, or json_invalid for all but strict JSON in UTF-8.
    """
    return _CODECS[media_type][0](body, limits)


def encode(document: Any, media_type: str, tensors: str = "lists") -> bytes:
    """The body of a document whose tensors are arrays, written in JSON as `lists` or as `base64`.

    A number that is not finite is written as the string "NaN", "Infinity" or "-Infinity"; in base64 as bytes.
    """
    return _CODECS[media_type][1](document, tensors)


def read_tensors(
    leaves: Mapping[str, Any], dtypes: Mapping[str, str], pointer: str = "", limits: Limits = DEFAULT
) -> dict[str, Array]:
    """The arrays in an object of tensors, each read with the dtype given for its name.

    Raises Refused with a fault for every tensor that cannot be read.
    """
    arrays: dict[str, Array] = {}
    faults: list[Fault] = []
    for name, leaf in leaves.items():
        try:
            arrays[name] = read_tensor(leaf, dtypes[name], f"{pointer}/{name}", limits)
        except Refused as refused:
            faults += refused.faults
    if faults:
        raise Refused(faults)
    return arrays


def read_tensor(leaf: Any, dtype: str, pointer: str = "", limits: Limits = DEFAULT) -> Array:
    """The array at a leaf of a document; it may be read-only.

    dtype: what its place needs, a key of DTYPES. Numbers in lists are read as it; base64 must have it.
    Raises Refused, with a pointer to the very number: tensor_invalid, shape_invalid, shape_too_large,
    dtype_unsupported, dtype_mismatch.
    """
    if isinstance(leaf, dict):
        return _from_base64(leaf, dtype, pointer, limits)
    return _from_lists(leaf, dtype, pointer, limits)


def _refusal(pointer: str, code: str, detail: str) -> Refused:
    return Refused([Fault(pointer, code, detail)])


# JSON.


def _decode_json(body: bytes, limits: Limits) -> Any:
    _prescan(body, limits)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _refusal("", "json_invalid", f"not strict JSON in UTF-8: {error}") from None


_QUOTE, _COLON, _OBJECT = b'":{'
_TEXT = bytes(set(range(256)) - set(b'"[]{}:'))
_STEP = np.zeros(256, np.int8)
_STEP[list(b"[{")] = 1
_STEP[list(b"]}")] = -1
_PIECE = 2**20  # bytes looked at together: bounds the memory, and refuses a hostile body at its first piece


def _prescan(body: bytes, limits: Limits) -> None:
    """Raises Refused for a body that goes too deep or holds too much. A parser would find out too late."""
    if b"\\" in body:  # an escaped quote ends no string
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    depth = members = quotes = 0
    for start in range(0, len(body), _PIECE):
        marks = np.frombuffer(body[start : start + _PIECE].translate(None, _TEXT), np.uint8)
        is_quote = marks == _QUOTE
        in_string = (
            np.cumsum(is_quote, dtype=np.uint8) + np.uint8(quotes)
        ) & 1  # the parity survives the overflow
        structure = marks[(in_string == 0) & ~is_quote]
        members += int(np.count_nonzero((structure == _OBJECT) | (structure == _COLON)))
        if members > limits.members:
            detail = f"more than {limits.members} objects and keys; write many numbers as one tensor"
            raise _refusal("", "json_too_many_members", detail)
        depths = np.cumsum(_STEP[structure], dtype=np.int32) + depth
        if depths.max(initial=0) > limits.depth:
            raise _refusal("", "json_too_deep", f"lists and objects go more than {limits.depth} deep")
        depth = int(depths[-1]) if len(depths) else depth
        quotes = (quotes + int(np.count_nonzero(is_quote))) % 2


def _encode_json(document: Any, tensors: str) -> bytes:
    write = {"lists": _to_lists, "base64": _to_base64}[tensors]
    return orjson.dumps(_strict(document, write), option=orjson.OPT_SERIALIZE_NUMPY)


def _strict(document: Any, write: Callable[[Array], Any]) -> Any:
    """The document with its arrays written, and without the numbers that JSON cannot say."""
    if isinstance(document, Mapping):
        return {key: _strict(value, write) for key, value in document.items()}
    if isinstance(document, (list, tuple)):
        return [_strict(value, write) for value in document]
    if isinstance(document, np.ndarray):
        return write(document)
    if isinstance(document, float) and not isfinite(document):
        return "NaN" if isnan(document) else "Infinity" if document > 0 else "-Infinity"
    return document


_CODECS: Mapping[str, tuple[Callable[[bytes, Limits], Any], Callable[[Any, str], bytes]]] = {
    JSON: (_decode_json, _encode_json),
}
MEDIA_TYPES = tuple(_CODECS)
"""The media types a body may have."""


# A tensor as nested lists: read level by level, so that no Python runs for single numbers when all are right.


def _from_lists(leaf: Any, dtype: str, pointer: str, limits: Limits) -> Array:
    shape: list[int] = []
    numbers: list[Any] = [leaf]
    while (kinds := set(map(type, numbers))) == {list}:
        sizes = set(map(len, numbers))
        if len(sizes) > 1:
            first = len(numbers[0])
            row = next(i for i, part in enumerate(numbers) if len(part) != first)
            detail = f"expected a list of {first}, like the first one, got one of {len(numbers[row])}"
            raise _refusal(_place(pointer, row, shape), "tensor_invalid", detail)
        shape += sizes
        if len(shape) > limits.rank:
            raise _refusal(pointer, "shape_invalid", f"more than {limits.rank} axes")
        numbers = list(chain.from_iterable(numbers))
        if len(numbers) > limits.elements:
            raise _refusal(pointer, "shape_too_large", f"more than {limits.elements} numbers")
    if not kinds <= _number_types(dtype):
        raise _wrong_kind(numbers, dtype, pointer, shape)
    try:
        with np.errstate(over="ignore"):
            array = np.array(numbers, DTYPES[dtype].newbyteorder("="))
        suspects = np.flatnonzero(~(np.abs(array) < _EXACT[dtype])).tolist() if dtype in _EXACT else []
    except OverflowError:
        suspects = list(range(len(numbers)))
    for i in suspects:
        if not _holds(numbers[i], dtype):
            detail = f"{numbers[i]} cannot be held by {dtype}"
            raise _refusal(_place(pointer, i, shape), "tensor_invalid", detail)
    return array.reshape(shape)


_EXACT = {"float32": 2.0**24, "float64": 2.0**53}  # below, every integer is representable


def _holds(number: float, dtype: str) -> bool:
    """Whether a dtype holds a number: an integer exactly, any other rounded but still finite."""
    if dtype == "int64":
        return -(2**63) <= number < 2**63
    with np.errstate(over="ignore"):
        held = float(DTYPES[dtype].type(number))
    return isfinite(held) and (type(number) is float or held == number)


def _number_types(dtype: str) -> set[type]:
    return {int} if dtype == "int64" else {int, float}


_NAMES = {bool: "a boolean", str: "a string", dict: "an object", list: "a list", type(None): "null"}


def _wrong_kind(numbers: list[Any], dtype: str, pointer: str, shape: list[int]) -> Refused:
    """What to say of the first leaf that is not what the first one promises."""
    expected = {list} if type(numbers[0]) is list else _number_types(dtype)
    index = next(i for i, number in enumerate(numbers) if type(number) not in expected)
    place, wrong = _place(pointer, index, shape), numbers[index]
    if dtype == "int64" and type(wrong) in (float, bool):
        row = f" in row {np.unravel_index(index, shape)[0]}" if shape else ""
        detail = f"expected an integer, got {orjson.dumps(wrong).decode()}{row}"
        return _refusal(place, "dtype_mismatch", detail)
    what = "a list" if expected == {list} else "a number"
    return _refusal(place, "tensor_invalid", f"expected {what}, got {_NAMES.get(type(wrong), 'a number')}")


def _place(pointer: str, index: int, shape: list[int]) -> str:
    """The pointer to one element, given its index in C order."""
    return "/".join([pointer, *map(str, np.unravel_index(index, shape))])


def _to_lists(array: Array) -> Any:
    if np.isfinite(array).all():
        return np.ascontiguousarray(array) if array.ndim else array[()]
    spelled = array.astype(object)  # orjson would write null
    spelled[np.isnan(array)] = "NaN"
    spelled[array == inf] = "Infinity"
    spelled[array == -inf] = "-Infinity"
    return spelled.tolist()


# A tensor as base64.


def _from_base64(leaf: dict[str, Any], dtype: str, pointer: str, limits: Limits) -> Array:
    if leaf.keys() != {"dtype", "shape", "base64"}:
        detail = "expected nested lists of numbers, or the keys dtype, shape and base64"
        raise _refusal(pointer, "tensor_invalid", detail)
    name, shape, text = leaf["dtype"], leaf["shape"], leaf["base64"]
    if not isinstance(name, str) or name not in DTYPES:
        detail = f"expected one of {', '.join(DTYPES)}, got {shown(name)}"
        raise _refusal(f"{pointer}/dtype", "dtype_unsupported", detail)
    if name != dtype:
        raise _refusal(f"{pointer}/dtype", "dtype_mismatch", _mismatch(dtype, name))
    _check_shape(shape, f"{pointer}/shape", limits)
    size = prod(shape) * DTYPES[name].itemsize
    try:
        if not isinstance(text, str):
            raise ValueError("expected a string")
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise _refusal(f"{pointer}/base64", "tensor_invalid", f"not base64: {error}") from None
    if len(raw) != size:
        detail = f"expected {size} bytes, for shape {shape} of {name}, got {len(raw)}"
        raise _refusal(f"{pointer}/base64", "tensor_invalid", detail)
    array: Array = np.frombuffer(raw, DTYPES[name]).reshape(shape)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _mismatch(expected: str, got: str) -> str:
    if expected == "int64":
        return f"this input takes integers: expected int64, got {got}"
    if got == "int64":
        return f"expected {expected}, got int64: send floating-point numbers"
    return f'expected {expected}, got {got}: set "dtype" of the request to "{got}", or send {expected}'


def _check_shape(shape: Any, pointer: str, limits: Limits) -> None:
    if not isinstance(shape, list) or len(shape) > limits.rank:
        detail = f"expected a list of at most {limits.rank} sizes, got {shown(shape)}"
        raise _refusal(pointer, "shape_invalid", detail)
    for axis, size in enumerate(shape):
        if type(size) is not int or size < 0:  # True and 1.0 are no sizes
            detail = f"expected a whole number of at least 0, got {shown(size)}"
            raise _refusal(f"{pointer}/{axis}", "shape_invalid", detail)
    # [0, 2**62] holds no number, and still is no shape to compute with.
    if prod(shape) > limits.elements or max(shape, default=0) > limits.elements:
        raise _refusal(pointer, "shape_too_large", f"{shape} is more than {limits.elements} numbers")


def _to_base64(array: Array) -> dict[str, Any]:
    name = array.dtype.name
    raw = array.astype(DTYPES[name], copy=False).tobytes()
    return {"dtype": name, "shape": list(array.shape), "base64": base64.b64encode(raw).decode("ascii")}

"""Documents as safetensors files: tensors named by their place, the rest as JSON text in the metadata.

    8 bytes   n, the length of the header, an unsigned integer, little endian
    n bytes   the header, JSON: {"__metadata__": {"request": "{…}"}, "data/x": {"dtype", "shape", "data_offsets"}, …}
    the rest  the numbers of all tensors, one after the other, without holes

Reading is strict: a body that any reader could take for another document is refused. The arrays are
views of the body, unless they lie where the machine cannot compute with them.
"""  # noqa: E501

from __future__ import annotations

import json as stdlib_json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from reprlib import repr as shown
from struct import Struct
from typing import Any

import numpy as np
import orjson

from deltawire.errors import Fault, Refused
from deltawire.wire import json
from deltawire.wire.limits import DEFAULT, Limits
from deltawire.wire.tensors import DTYPES, Array, check_shape, raw_pieces, refusal

MEDIA_TYPE = "application/vnd.safetensors"

Body = bytes | bytearray | memoryview
"""A body as it arrived, or a file as it was read."""

_DTYPES = {"F64": DTYPES["float64"], "I64": DTYPES["int64"], "F32": DTYPES["float32"]}
_CODES = {dtype: code for code, dtype in _DTYPES.items()} | {
    dtype.newbyteorder(): code for code, dtype in _DTYPES.items()
}
_METADATA = "__metadata__"
_SIZE = Struct("<Q")
HEADER_LENGTH_BYTES = _SIZE.size
"""Bytes at the beginning of a body that say how long its header is."""
_NATIVE = sys.byteorder == "little"
_PLACES = {
    "request": re.compile(
        r"(?:(?:params|data|gradients|cotangents|(?:tangents|vectors)/(?:params|data))/)?[\w.-]{1,256}",
        re.ASCII,
    ).fullmatch,
    "response": re.compile(
        r"losses|quadratic|(?:params|data|state|values|deltas|tangents"
        r"|(?:gradients|products|diagonal|jacobian/\w{1,64})/(?:params|data))/[\w.-]{1,256}",
        re.ASCII,
    ).fullmatch,
    "checkpoint": re.compile(".*", re.DOTALL).fullmatch,
}


Tensor = tuple[int, int, str, np.dtype[Any], list[int]]
"""Start and end of a tensor's numbers, counted from the end of the header; its place, dtype, shape."""


def decode(body: Body, limits: Limits, part: str, align: bool = True) -> Any:
    """Return the document in a body, whose metadata has its JSON under `part`.

    In a request, a tensor whose name has no slash is a parameter: so a checkpoint is nearly a request. The
    arrays can be written to where the body can.

    Args:
        body: The whole body.
        limits: Bounds on what it may hold.
        part: `request`, `response` or `checkpoint`.
        align: Whether arrays are copied where they are not aligned.

    Raises:
        Refused: As `wire.decode` describes.
    """
    text = _header(body, limits)
    header = _parsed(text)
    metadata = header.pop(_METADATA, {})
    for value in metadata.values() if type(metadata) is dict else [None]:
        if type(value) is not str:
            raise _invalid(f"{_METADATA} must be an object of strings")
    if part not in metadata:
        raise _invalid(f"{_METADATA}.{part} is missing: the rest of the document, as JSON text")
    _check_count(header, limits)
    begin = 8 + len(text)
    tensors = _tensors(header, part, limits, len(body) - begin)
    document = json.decode(memoryview(metadata[part].encode()), limits)
    for start, _, place, dtype, shape in tensors:
        *path, last = place.split("/")
        node = document
        for key in path:
            node = node.setdefault(key, {}) if type(node) is dict else None
        if type(node) is not dict or last in node:
            raise _invalid(f"tensor {shown(place)} has no place of its own in the document")
        node[last] = _array(body, begin + start, dtype, shape, align)
    return document


def is_response(body: Body, limits: Limits = DEFAULT) -> bool:
    """Return whether the document in a body is an answer. Raises Refused where there is no header."""
    metadata = _parsed(_header(body, limits)).get(_METADATA)
    return type(metadata) is dict and "response" in metadata


def header_bytes(begin: bytes) -> int:
    """Return the length that a body announces for its header; 0 when too few of its first bytes are given."""
    return int(_SIZE.unpack_from(begin)[0]) if len(begin) >= HEADER_LENGTH_BYTES else 0


def read_checkpoint(body: Body, limits: Limits = DEFAULT, align: bool = True) -> dict[str, Array]:
    """Return the arrays of a file that holds no document, by name; its metadata is ignored.

    Args:
        body: The whole file.
        limits: Bounds on what it may hold.
        align: Whether arrays are copied where they are not aligned; else all are views.

    Raises:
        Refused: As `wire.decode` describes.
    """
    text = _header(body, limits)
    header = _parsed(text)
    header.pop(_METADATA, None)
    _check_count(header, limits)
    begin = 8 + len(text)
    tensors = _tensors(header, "checkpoint", limits, len(body) - begin)
    return {
        name: _array(body, begin + start, dtype, shape, align) for start, _, name, dtype, shape in tensors
    }


def encode(document: Any, part: str) -> list[bytes | memoryview]:
    """Return the body of a document in pieces, its JSON in the metadata under `part`.

    Contiguous arrays are pieces as they are; all others are copied once, in several pieces.
    """
    head, arrays = _head(document, part)
    parts: list[bytes | memoryview] = [head]
    for array in arrays:
        parts += _numbers(array)
    return parts


def stream(document: Any, part: str) -> tuple[bytes, int, Iterator[bytes | memoryview]]:
    """Return the beginning of the body of `encode`, then the length of the numbers, and their pieces."""
    head, arrays = _head(document, part)
    return head, sum(array.nbytes for array in arrays), chain.from_iterable(map(_numbers, arrays))


def _head(document: Any, part: str) -> tuple[bytes, list[Array]]:
    """Return all that comes before the numbers of a document, and its arrays in their order."""
    arrays: dict[str, Array] = {}
    text = json.encode(_without(document, "", arrays)).decode()
    header: dict[str, Any] = {_METADATA: {part: text}}
    ordered, end = list[Array](), 0
    # The widest dtype first, so that all numbers are aligned.
    for name, array in sorted(arrays.items(), key=_width) if len(arrays) > 1 else arrays.items():
        start, end = end, end + array.nbytes
        header[name] = {"dtype": _CODES[array.dtype], "shape": array.shape, "data_offsets": (start, end)}
        ordered.append(array)
    written = orjson.dumps(header)
    padding = -len(written) % 8
    return _SIZE.pack(len(written) + padding) + written + b" " * padding, ordered


def _numbers(array: Array) -> Iterable[bytes | memoryview]:
    """Return the bytes of an array in C order, little endian: one view of it where it has them so."""
    if array.dtype is _DTYPES[_CODES[array.dtype]] and array.flags.c_contiguous and array.size:
        return (array.data.cast("B"),)
    return raw_pieces(array)


def _width(named: tuple[str, Array]) -> int:
    return -named[1].itemsize


def _without(node: Mapping[str, Any], place: str, arrays: dict[str, Array]) -> dict[str, Any]:
    """Return the document without the arrays in its objects; put those into `arrays` by their places."""
    rest = {}
    for key, value in node.items():
        if isinstance(value, np.ndarray):
            arrays[place + key] = value
        elif type(value) is dict or isinstance(value, Mapping):
            rest[key] = _without(value, f"{place}{key}/", arrays)
        else:
            rest[key] = value
    return rest


def _header(body: Body, limits: Limits) -> bytes:
    """Return the text of the header."""
    if len(body) < 8:
        raise _invalid(f"a body has at least 8 bytes, got {len(body)}")
    (size,) = _SIZE.unpack_from(body)
    if size > len(body) - 8:
        raise _invalid(f"the header claims {size} bytes, {len(body) - 8} follow")
    if size > limits.tensor_header_bytes:
        detail = (
            f"the network and the names of its arrays take a header of {size} bytes, "
            f"at most {limits.tensor_header_bytes} are read{limits.setting('tensor_header_bytes')}; "
            "JSON has no header"
        )
        raise refusal("", "tensor_header_too_large", detail)
    return bytes(body[8 : 8 + size])


def _parsed(text: bytes) -> dict[str, Any]:
    """Parse the header: strict JSON in UTF-8, without NaN and lone surrogates, with each key once."""
    try:
        header: dict[str, Any] = orjson.loads(text)
        # A header that orjson writes the same way has no duplicate keys and no unusual spellings.
        if type(header) is not dict or orjson.dumps(header) != text.rstrip():
            if not text.startswith(b"{"):
                raise ValueError("it must begin with {")
            stdlib_json.loads(text, object_pairs_hook=_object, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise _invalid(f"the header is not strict JSON with each key once: {error}") from None
    return header


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a key comes twice")
    return members


def _integer(text: str) -> int:
    if text == "-0":  # an integer to some readers, a float to others
        raise ValueError("-0 is no integer")
    return int(text)


def _check_count(header: Mapping[str, Any], limits: Limits) -> None:
    if len(header) > limits.tensors:
        detail = f"{len(header)} tensors, at most {limits.tensors} are allowed{limits.setting('tensors')}"
        raise refusal("", "too_many_tensors", detail)


def _tensors(header: Mapping[str, Any], part: str, limits: Limits, size: int) -> list[Tensor]:
    """Return the tensors in the order of their numbers, which fill the `size` bytes after the header."""
    tensors = []
    faults: list[Fault] = []
    is_place = _PLACES[part]
    for name, entry in header.items():
        if is_place(name) is None:
            known = (
                "params/…, data/… or another place of tensors"
                if part == "request"
                else "a place in an answer"
            )
            raise _invalid(f"the tensor name {shown(name)} is not {known}, of letters, digits and _ . -")
        try:
            code, shape, (start, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
            described = len(entry) == 3 and type(start) is type(end) is int
        except (KeyError, TypeError, ValueError):
            described = False
        if not described:
            what = "must have dtype, shape and data_offsets, two integers, and nothing else"
            raise _invalid(f"tensor {shown(name)} {what}")
        place = f"params/{name}" if part == "request" and "/" not in name else name
        try:
            dtype, numbers = _dtype(code, place), check_shape(shape, f"/{place}", limits)
        except Refused as refused:
            faults += refused.faults
            continue
        if not 0 <= start <= end <= size:
            raise _invalid(
                f"the data_offsets of {shown(name)} are out of range: {size} bytes of numbers came"
            )
        expected = numbers * dtype.itemsize
        if end - start != expected:
            raise _invalid(f"tensor {shown(name)} has {end - start} bytes, its shape needs {expected}")
        tensors.append((start, end, place, dtype, shape))
    if faults:
        raise Refused(faults)
    if len(tensors) > 1:
        tensors.sort(key=_span)
    filled = 0
    for start, end, place, _, _ in tensors:
        if start != filled:
            what = "overlaps another" if start < filled else "leaves a hole before it"
            raise _invalid(f"tensor {shown(place)} {what}")
        filled = end
    if filled != size:
        raise _invalid(f"{size - filled} bytes after the last tensor")
    return tensors


def _span(tensor: Tensor) -> tuple[int, int]:
    return tensor[:2]


def _dtype(code: Any, place: str) -> np.dtype[Any]:
    if type(code) is not str or code not in _DTYPES:
        detail = f"expected one of {', '.join(_DTYPES)}, got {shown(code)}"
        raise refusal(f"/{place}", "dtype_unsupported", detail)
    return _DTYPES[code]


def _array(body: Body, start: int, dtype: np.dtype[Any], shape: list[int], align: bool = True) -> Array:
    array: Array = np.ndarray(shape, dtype, body, start)
    if not (_NATIVE and (array.flags.aligned or not align)):
        writeable = array.flags.writeable
        array = array.astype(dtype.newbyteorder("="))
        array.flags.writeable = writeable
    return array


def _invalid(detail: str) -> Refused:
    return refusal("", "tensor_body_invalid", detail)

"""Documents as safetensors files: tensors named by their place, the rest as JSON text in the metadata.

    8 bytes   n, the length of the header, an unsigned integer, little endian
    n bytes   the header, JSON: {"__metadata__": {"request": "{…}"}, "data/x": {"dtype", "shape", "data_offsets"}, …}
    the rest  the numbers of all tensors, one after the other, without holes

Reading is strict: a body that any reader could take for another document is refused. The arrays are read-only
views of the body, unless they lie where the machine cannot compute with them.
"""  # noqa: E501

from __future__ import annotations

import json as stdlib_json
import re
from collections.abc import Iterable, Mapping
from math import prod
from mmap import mmap
from reprlib import repr as shown
from typing import Any

import numpy as np
import orjson

from deltawire.errors import Fault, Refused
from deltawire.wire import json
from deltawire.wire.tensors import DEFAULT, DTYPES, Array, Limits, check_shape, refusal

MEDIA_TYPE = "application/vnd.safetensors"

Body = bytes | mmap
"""A body as it arrived, or a file as it lies."""

_NAMES = {"F64": "float64", "I64": "int64", "F32": "float32"}
_CODES = {name: code for code, name in _NAMES.items()}
_METADATA = "__metadata__"
_KEYS = {"dtype", "shape", "data_offsets"}
_PLACES = {
    "request": re.compile(
        r"(?:(params|data|cotangents|(?:tangents|vectors)/(?:params|data))/)?([\w.-]{1,256})", re.ASCII
    ),
    "response": re.compile(
        r"losses|quadratic|(params|values|deltas|tangents"
        r"|(?:gradients|products|diagonal|jacobian/\w{1,64})/(?:params|data))/([\w.-]{1,256})",
        re.ASCII,
    ),
}


def decode(body: Body, limits: Limits, part: str) -> Any:
    """The document in a body, whose metadata has its JSON under `part`: `request` or `response`.

    In a request, a tensor whose name has no slash is a parameter: so a checkpoint is nearly a request.
    """
    header, start = _header(body, limits)
    metadata = header.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise _invalid(f"{_METADATA} must be an object of strings")
    if part not in metadata:
        raise _invalid(f"{_METADATA}.{part} is missing: the rest of the document, as JSON text")
    _check_count(header, limits)
    places = {name: _place(name, part) for name in header}
    _check(header, places, limits, len(body) - start)
    document = json.decode(metadata[part], limits)
    for name, entry in header.items():
        *path, last = places[name]
        node = document
        for key in path:
            node = node.setdefault(key, {}) if isinstance(node, dict) else None
        if not isinstance(node, dict) or last in node:
            raise _invalid(f"tensor {shown(name)} has no place of its own in the document")
        node[last] = _array(body, start, entry)
    return document


def read_checkpoint(body: Body, limits: Limits = DEFAULT) -> dict[str, Array]:
    """The arrays in a file that is no document, by their names; its metadata is not looked at."""
    header, start = _header(body, limits)
    header.pop(_METADATA, None)
    _check_count(header, limits)
    _check(header, {name: [name] for name in header}, limits, len(body) - start)
    return {name: _array(body, start, entry) for name, entry in header.items()}


def encode(document: Any, part: str) -> list[bytes | memoryview]:
    """The body of a document in parts, its JSON in the metadata under `part`.

    Contiguous arrays are parts as they are, all others are copied once.
    """
    arrays: dict[str, Array] = {}
    text = json.encode(_without(document, "", arrays)).decode()
    header: dict[str, Any] = {_METADATA: {part: text}}
    buffers: list[bytes | memoryview] = []
    end = 0
    for name in sorted(arrays, key=lambda name: -arrays[name].itemsize):  # so all numbers lie aligned
        array = arrays[name]
        dtype = array.dtype.name
        header[name] = {
            "dtype": _CODES[dtype],
            "shape": array.shape,
            "data_offsets": (end, end + array.nbytes),
        }
        buffers.append(_numbers(array.astype(DTYPES[dtype], copy=False)))
        end += array.nbytes
    written = orjson.dumps(header)
    written += b" " * (-len(written) % 8)
    return [len(written).to_bytes(8, "little") + written, *buffers]


def _numbers(array: Array) -> bytes | memoryview:
    """The numbers of an array in C order: a view of it where they lie so."""
    return array.reshape(-1).view(np.uint8).data if array.flags.c_contiguous else array.tobytes()


def _without(node: Any, place: str, arrays: dict[str, Array]) -> Any:
    """The document without the arrays in its objects, which are put into `arrays` by their places."""
    if not isinstance(node, Mapping):
        return node
    rest = {}
    for key, value in node.items():
        below = f"{place}/{key}" if place else str(key)
        if isinstance(value, np.ndarray):
            arrays[below] = value
        else:
            rest[key] = _without(value, below, arrays)
    return rest


def _header(body: Body, limits: Limits) -> tuple[dict[str, Any], int]:
    """The header, and where the numbers begin."""
    size = int.from_bytes(body[:8], "little")
    if len(body) < 8:
        raise _invalid(f"a body has at least 8 bytes, got {len(body)}")
    if size > len(body) - 8:
        raise _invalid(f"the header is said to have {size} bytes, {len(body) - 8} follow")
    if size > limits.tensor_header_bytes:
        detail = (
            f"a header of {size} bytes, at most {limits.tensor_header_bytes} are read; JSON has no header"
        )
        raise refusal("", "tensor_header_too_large", detail)
    text = body[8 : 8 + size]
    if not text.startswith(b"{"):
        raise _invalid("the header must begin with {")
    try:
        orjson.loads(text)  # strict: UTF-8, no NaN, no half characters
        header = stdlib_json.loads(text, object_pairs_hook=_object, parse_int=_integer)  # each key once
    except (ValueError, RecursionError) as error:
        raise _invalid(f"the header is not strict JSON with each key once: {error}") from None
    return header, 8 + size


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
        detail = f"{len(header)} tensors, at most {limits.tensors} are allowed"
        raise refusal("", "too_many_tensors", detail)


def _place(name: str, part: str) -> list[str]:
    """The keys that lead to a tensor."""
    found = _PLACES[part].fullmatch(name)
    if found is None:
        names = (
            "params/…, data/… or another place of tensors" if part == "request" else "a place in an answer"
        )
        raise _invalid(f"the tensor name {shown(name)} is not {names}, of letters, digits and _ . -")
    return name.split("/") if "/" in name or part == "response" else ["params", name]


def _check(header: Mapping[str, Any], places: Mapping[str, list[str]], limits: Limits, size: int) -> None:
    """Raises Refused unless all tensors are well described, and fill the `size` bytes after the header."""
    spans = []
    faults = list[Fault]()
    for name, entry in header.items():
        if not isinstance(entry, dict) or entry.keys() != _KEYS:
            raise _invalid(f"tensor {shown(name)} must have dtype, shape and data_offsets, and nothing else")
        try:
            _describe(entry, "/" + "/".join(places[name]), limits)
        except Refused as refused:
            faults += refused.faults
            continue
        offsets = entry["data_offsets"]
        if not isinstance(offsets, list) or [type(offset) for offset in offsets] != [int, int]:
            raise _invalid(f"the data_offsets of {shown(name)} must be two whole numbers")
        start, end = offsets
        if not 0 <= start <= end <= size:
            raise _invalid(
                f"the data_offsets of {shown(name)} are out of range: {size} bytes of numbers came"
            )
        expected = prod(entry["shape"]) * DTYPES[_NAMES[entry["dtype"]]].itemsize
        if end - start != expected:
            raise _invalid(f"tensor {shown(name)} has {end - start} bytes, its shape needs {expected}")
        spans.append((start, end, name))
    if faults:
        raise Refused(faults)
    _check_spans(sorted(spans), size)


def _describe(entry: Mapping[str, Any], pointer: str, limits: Limits) -> None:
    dtype = entry["dtype"]
    if not isinstance(dtype, str) or dtype not in _NAMES:
        detail = f"expected one of {', '.join(_NAMES)}, got {shown(dtype)}"
        raise refusal(pointer, "dtype_unsupported", detail)
    check_shape(entry["shape"], pointer, limits)


def _check_spans(spans: Iterable[tuple[int, int, str]], size: int) -> None:
    filled = 0
    for start, end, name in spans:
        if start != filled:
            what = "overlaps another" if start < filled else "leaves a hole before it"
            raise _invalid(f"tensor {shown(name)} {what}")
        filled = end
    if filled != size:
        raise _invalid(f"{size - filled} bytes after the last tensor")


def _array(body: Body, start: int, entry: Mapping[str, Any]) -> Array:
    dtype = DTYPES[_NAMES[entry["dtype"]]]
    array: Array = np.ndarray(entry["shape"], dtype, body, start + entry["data_offsets"][0])
    if not array.flags.aligned or not dtype.isnative:
        array = array.astype(dtype.newbyteorder("="))
        array.flags.writeable = False
    return array


def _invalid(detail: str) -> Refused:
    return refusal("", "tensor_body_invalid", detail)

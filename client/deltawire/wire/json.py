"""Documents as JSON, read strictly and within limits."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import isfinite, isnan
from typing import Any

import numpy as np
import orjson

from deltawire.wire.limits import Limits
from deltawire.wire.tensors import PIECE_NUMBERS, Array, let_others_run, raw_pieces, refusal

MEDIA_TYPE = "application/json"
TENSORS = ("lists", "base64")
"""How a JSON body may write a tensor."""


def decode(body: memoryview, limits: Limits) -> Any:
    """Return the document in a JSON text. The last of duplicate keys counts."""
    if not body:
        raise refusal("", "json_invalid", "the body is empty: expected a JSON document")
    _prescan(body, limits)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        odd = error.doc[error.pos : error.pos + 8]
        why = ": JSON has no NaN and no Infinity" if odd.startswith(("NaN", "Infinity")) else ""
        raise refusal("", "json_invalid", f"not strict JSON in UTF-8: {error}{why}") from None


def encode(document: Any, tensors: str = "lists") -> bytes:
    """Return the JSON text of a document, its arrays written as `lists` or as `base64`."""
    return b"".join(encode_in_parts(document, tensors))


def encode_in_parts(document: Any, tensors: str = "lists") -> list[bytes]:
    """Return the text of `encode` in pieces; a document of few numbers is one.

    Writing a piece takes a few milliseconds, after which other threads run.
    """
    default, option = _WRITERS[tensors]
    if _count_numbers(document) <= PIECE_NUMBERS:
        text = orjson.dumps(document, default, option)
        if b"null" not in text:  # which orjson writes for numbers that are not finite
            return [text]
    arrays = list[Array | Base64]()
    rest = orjson.dumps(_without_arrays(document, tensors, arrays), default, option)
    return _joined(_pieces(rest.split(_PLACE), arrays))


class Base64:
    """A leaf of a document that JSON has as a string: the bytes of an array in base64, little endian."""

    __slots__ = ("array",)

    def __init__(self, array: Array):
        self.array = array

    def pieces(self) -> Iterator[bytes]:
        """Yield the text of the string."""
        yield b'"'
        yield from map(base64.b64encode, raw_pieces(self.array))
        yield b'"'


def _as_lists(value: Any) -> Any:
    """Return something that orjson can write in place of what it cannot."""
    if isinstance(value, np.ndarray):  # not contiguous, or of no axes
        return np.ascontiguousarray(value) if value.ndim else value[()]
    return _plain(value)


def _as_base64(value: Any) -> Any:
    return _base64_tensor(value) if isinstance(value, np.ndarray) else _plain(value)


def _base64_tensor(array: Array) -> dict[str, Any]:
    return {"dtype": array.dtype.name, "shape": array.shape, "base64": Base64(array)}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Base64):
        return orjson.Fragment(b"".join(value.pieces()))
    raise TypeError(f"JSON has no {type(value).__name__}")


_WRITERS: Mapping[str, tuple[Callable[[Any], Any], int]] = {
    "lists": (_as_lists, orjson.OPT_SERIALIZE_NUMPY),
    "base64": (_as_base64, 0),
}

_SCALARS = {str, int, float, bool, type(None)}


def _count_numbers(value: Any) -> int:
    """Return how many numbers the arrays of a document have."""
    waiting, count = [value], 0
    for each in waiting:  # which grows meanwhile
        kind = type(each)
        if kind is np.ndarray:
            count += each.size
        elif kind is Base64:
            count += each.array.size
        elif kind is list or kind is tuple:
            waiting += [value for value in each if type(value) not in _SCALARS]
        elif kind is dict or isinstance(each, Mapping):
            waiting += [value for value in each.values() if type(value) not in _SCALARS]
    return count


_PLACE = b"\0"
"""Stands for an array in the text of the rest: JSON writes this byte of a string as an escape."""


def _without_arrays(value: Any, tensors: str, arrays: list[Array | Base64]) -> Any:
    """Return a document without its arrays, which `arrays` gets, and without numbers that JSON lacks."""
    if isinstance(value, np.ndarray) and tensors == "base64":
        value = _base64_tensor(value)
    if isinstance(value, Mapping):
        return {key: _without_arrays(each, tensors, arrays) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_arrays(each, tensors, arrays) for each in value]
    if isinstance(value, np.ndarray | Base64):
        arrays.append(value)
        return orjson.Fragment(_PLACE)
    if isinstance(value, float | np.floating) and not isfinite(value):
        return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _pieces(rest: list[bytes], arrays: Iterable[Array | Base64]) -> Iterator[bytes]:
    """Yield the text of a document: that of each array stands between two parts of the rest."""
    yield rest[0]
    for array, text in zip(arrays, rest[1:], strict=True):
        yield from array.pieces() if isinstance(array, Base64) else _list_pieces(array)
        yield text


JOINED_BYTES = 2**18
"""Pieces are joined until they have so many bytes: to send each by itself would take longer."""


def _joined(pieces: Iterable[bytes]) -> list[bytes]:
    """Return the same bytes in fewer pieces."""
    joined, small, size = list[bytes](), list[bytes](), 0
    for piece in pieces:
        small.append(piece)
        size += len(piece)
        if size >= JOINED_BYTES:
            joined.append(b"".join(small))
            small, size = [], 0
            let_others_run()
    return [*joined, b"".join(small)]


def _list_pieces(array: Array) -> Iterator[bytes]:
    """Yield the text of an array as nested lists of numbers."""
    if array.size <= PIECE_NUMBERS:
        yield _numbers(array)
        return
    rows = PIECE_NUMBERS // (array.size // len(array))
    yield b"["
    for start in range(0, len(array), max(1, rows)):
        if start:
            yield b","
        if rows:
            yield _numbers(array[start : start + rows])[1:-1]
        else:
            yield from _list_pieces(array[start])
    yield b"]"


_SPELLED = np.array([b'"NaN"', b'"Infinity"', b'"-Infinity"'], object)
"""The strings that stand for numbers that are not finite."""


def _numbers(array: Array) -> bytes:
    """Return the text of an array, with strings in place of the numbers that JSON does not have."""
    text = orjson.dumps(array, _as_lists, orjson.OPT_SERIALIZE_NUMPY)
    if b"null" not in text:
        return text
    finite = text.split(b"null")
    pieces = [b""] * (2 * len(finite) - 1)
    pieces[::2] = finite
    odd = array[~np.isfinite(array)]
    pieces[1::2] = _SPELLED[np.where(np.isnan(odd), 0, np.where(odd > 0, 1, 2))]
    return b"".join(pieces)


_QUOTE, _COLON, _OBJECT, _LIST = b'":{['
_TEXT = bytes(set(range(256)) - set(b'"[]{}:'))
_STEP = np.zeros(256, np.int8)
_STEP[list(b"[{")] = 1
_STEP[list(b"]}")] = -1
SCANNED_BYTES = 2**20
"""Bytes examined at once: bounds the memory, and refuses a hostile body at its first piece."""


def _prescan(body: memoryview, limits: Limits) -> None:
    """Raise Refused for a body that nests too deep or holds too much; a parser would notice too late."""
    if len(body) <= min(limits.depth, limits.lists, limits.members):
        return  # too short to break a limit
    opened = sum(piece.count(b"[") + piece.count(b"{") for piece in _text_pieces(body))
    if opened <= min(limits.depth, limits.lists):
        if opened + sum(piece.count(b":") for piece in _text_pieces(body)) <= limits.members:
            return  # too few brackets and colons to break a limit, wherever they stand
    depth = members = lists = quotes = 0
    for piece in _text_pieces(body):
        if b"\\" in piece:  # an escaped quote ends no string
            piece = piece.replace(b"\\\\", b"").replace(b'\\"', b"")
        marks = np.frombuffer(piece.translate(None, _TEXT), np.uint8)
        is_quote = marks == _QUOTE
        in_string = (
            np.cumsum(is_quote, dtype=np.uint8) + np.uint8(quotes)
        ) & 1  # the parity survives the overflow
        structure = marks[(in_string == 0) & ~is_quote]
        members += int(np.count_nonzero((structure == _OBJECT) | (structure == _COLON)))
        if members > limits.members:
            most = f"{limits.members} objects and keys{limits.setting('members')}"
            detail = f"more than {most}; write many numbers as one tensor"
            raise refusal("", "json_too_many_members", detail)
        lists += int(np.count_nonzero(structure == _LIST))
        if lists > limits.lists:
            most = f"{limits.lists} lists{limits.setting('lists')}"
            detail = f"more than {most}; write large tensors as base64, or in safetensors"
            raise refusal("", "json_too_many_members", detail)
        depths = np.cumsum(_STEP[structure], dtype=np.int32) + depth
        if depths.max(initial=0) > limits.depth:
            most = f"{limits.depth} deep{limits.setting('depth')}"
            raise refusal("", "json_too_deep", f"lists and objects are nested more than {most}")
        depth = int(depths[-1]) if len(depths) else depth
        quotes = (quotes + int(np.count_nonzero(is_quote))) % 2


def _text_pieces(body: memoryview) -> Iterator[bytes]:
    """Yield a text in pieces, none of which ends between a backslash and the character that it escapes."""
    start = 0
    while start < len(body):
        piece = bytes(body[start : start + SCANNED_BYTES])
        slashes = len(piece) - len(piece.rstrip(b"\\"))
        if slashes % 2 and len(piece) > 1:
            piece = piece[:-1]
        yield piece
        start += len(piece)

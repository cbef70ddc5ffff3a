"""Documents as JSON, read strictly and within limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite, isnan
from typing import Any

import numpy as np
import orjson

from deltawire.wire.tensors import Limits, refusal, spelled, to_base64

MEDIA_TYPE = "application/json"
TENSORS = ("lists", "base64")
"""How a JSON body may write a tensor."""


def decode(body: bytes | str, limits: Limits) -> Any:
    """Return the document in a JSON text. The last of duplicate keys counts."""
    body = body.encode() if isinstance(body, str) else body
    _prescan(body, limits)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        odd = error.doc[error.pos : error.pos + 8]
        why = ": JSON has no NaN and no Infinity" if odd.startswith(("NaN", "Infinity")) else ""
        raise refusal("", "json_invalid", f"not strict JSON in UTF-8: {error}{why}") from None


def encode(document: Any, tensors: str = "lists") -> bytes:
    """Return the JSON text of a document, its arrays written as `lists` or as `base64`."""
    default, option = _WRITERS[tensors]
    text = orjson.dumps(document, default, option)
    # orjson writes null for what is not finite. Few documents have any, so they are searched for only then.
    return orjson.dumps(_finite(document, tensors), default, option) if b"null" in text else text


def _as_lists(value: Any) -> Any:
    """Return something that orjson can write in place of what it cannot."""
    if isinstance(value, np.ndarray):  # not contiguous, or of no axes
        return np.ascontiguousarray(value) if value.ndim else value[()]
    return _plain(value)


def _as_base64(value: Any) -> Any:
    return to_base64(value) if isinstance(value, np.ndarray) else _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"JSON has no {type(value).__name__}")


_WRITERS: Mapping[str, tuple[Callable[[Any], Any], int]] = {
    "lists": (_as_lists, orjson.OPT_SERIALIZE_NUMPY),
    "base64": (_as_base64, 0),
}


_QUOTE, _COLON, _OBJECT, _LIST = b'":{['
_TEXT = bytes(set(range(256)) - set(b'"[]{}:'))
_STEP = np.zeros(256, np.int8)
_STEP[list(b"[{")] = 1
_STEP[list(b"]}")] = -1
_PIECE = 2**20  # bytes examined at once: bounds the memory, and refuses a hostile body at its first piece


def _prescan(body: bytes, limits: Limits) -> None:
    """Raise Refused for a body that nests too deep or holds too much; a parser would notice too late."""
    if len(body) <= min(limits.depth, limits.lists, limits.members):
        return  # too short to break a limit
    opened = body.count(b"[") + body.count(b"{")
    if opened <= min(limits.depth, limits.lists) and opened + body.count(b":") <= limits.members:
        return  # too few brackets and colons to break a limit, wherever they stand
    if b"\\" in body:  # an escaped quote ends no string
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    depth = members = lists = quotes = 0
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
            raise refusal("", "json_too_many_members", detail)
        lists += int(np.count_nonzero(structure == _LIST))
        if lists > limits.lists:
            detail = f"more than {limits.lists} lists; write large tensors as base64, or send a binary body"
            raise refusal("", "json_too_many_members", detail)
        depths = np.cumsum(_STEP[structure], dtype=np.int32) + depth
        if depths.max(initial=0) > limits.depth:
            raise refusal("", "json_too_deep", f"lists and objects are nested more than {limits.depth} deep")
        depth = int(depths[-1]) if len(depths) else depth
        quotes = (quotes + int(np.count_nonzero(is_quote))) % 2


def _finite(document: Any, tensors: str) -> Any:
    """Return the document with strings in place of the numbers that JSON does not have."""
    if isinstance(document, Mapping):
        return {key: _finite(value, tensors) for key, value in document.items()}
    if isinstance(document, (list, tuple)):
        return [_finite(value, tensors) for value in document]
    if isinstance(document, np.ndarray):
        return spelled(document) if tensors == "lists" else document
    if isinstance(document, float | np.floating) and not isfinite(document):
        return "NaN" if isnan(document) else "Infinity" if document > 0 else "-Infinity"
    return document

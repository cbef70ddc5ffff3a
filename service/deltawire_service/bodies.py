"""Bodies over HTTP: which ones are read at all, and how a document becomes an answer."""

from __future__ import annotations

from typing import Any

import numpy as np
from flask import Response, g, request
from werkzeug.exceptions import ClientDisconnected

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire_service.engine import Carriage
from deltawire_service.engine.validation import shown
from deltawire_service.settings import Settings


def negotiate() -> None:
    """Settle the media type of the answer.

    Raises Refused when the client could not read it, or the body is compressed.
    """
    offered = _offered()
    g.answered = request.accept_mimetypes.best_match(offered) if request.accept_mimetypes else offered[0]
    if g.answered is None:
        raise _refusal("not_acceptable", f"answers are {' or '.join(offered)}")
    # A compressed body hides its size until it is too late.
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise _refusal("content_encoding_unsupported", "send the body as it is, without Content-Encoding")


def read(settings: Settings) -> Any:
    """The document in the body of this request.

    Raises Refused before reading a body of another media type, without a Content-Length, or over the limit,
    and ClientDisconnected when less comes than was announced.
    """
    if request.mimetype not in wire.MEDIA_TYPES:
        expected = " or ".join(wire.MEDIA_TYPES)
        got = shown(request.mimetype) if request.mimetype else "none"
        raise _refusal("media_type_unsupported", f"expected Content-Type {expected}, got {got}")
    if request.content_length is None:
        raise _refusal("length_required", "send a Content-Length; chunked bodies are not read")
    most = settings.json_body_bytes if request.mimetype == wire.JSON else settings.binary_body_bytes
    if request.content_length > most:
        detail = f"{request.content_length} bytes of {request.mimetype}, at most {most} are read"
        raise _refusal("body_too_large", detail)
    try:
        body = request.get_data(cache=False)
    except OSError:  # the connection was reset
        raise ClientDisconnected() from None
    if len(body) < request.content_length:  # some servers raise this themselves, gunicorn's stream just ends
        raise ClientDisconnected()
    document = wire.decode(body, request.mimetype, settings.wire_limits)
    if isinstance(document, dict) and (dtype := _float_dtype(document)):
        document.setdefault("dtype", dtype)
    return document


JOINED_BYTES = 2**16
"""An answer up to here is sent in one part."""

JSON_TEXT = 25
"""Bytes of a float64 at its longest in JSON, with its comma."""

JSON_NUMBER, JSON_LIST = 32, 88
"""Bytes of a number in a list, and of the list itself, as CPython keeps them: with the pointer to each."""


def carriage(dtype: str, read: str | None = None, written: str | None = None) -> Carriage:
    """What bodies of these media types take for numbers of a dtype; without them, those of this request.

    A body is held twice for a moment, as it arrives; lists are forgotten as they become arrays.
    """
    itemsize = wire.DTYPES[dtype].itemsize
    lists = (read or request.mimetype) == wire.JSON
    return Carriage(
        read_number=2 * JSON_TEXT + JSON_NUMBER if lists else itemsize,
        read_list=JSON_LIST if lists else 0,
        written_number=JSON_TEXT if (written or answered_as()) == wire.JSON else itemsize,
    )


def answer(document: Any, tensors: str = "lists") -> Response:
    """The answer with this document, in the media type the client accepts best.

    tensors: how JSON writes them, `lists` or `base64`.
    """
    media_type = answered_as()
    parts = wire.encode_in_parts(document, media_type, tensors, "response")
    # A server takes nothing but bytes: this is the one copy of an array. Small ones travel better together.
    small = sum(map(len, parts)) <= JOINED_BYTES
    return Response([b"".join(parts)] if small else list(map(bytes, parts)), mimetype=media_type)


def answered_as() -> str:
    """The media type of the answer to this request."""
    return str(g.get("answered", wire.JSON))  # outside /v1 there is nothing to settle


def _offered() -> tuple[str, ...]:
    """The media types an answer may have, the one taken without a preference first."""
    if request.method != "POST":
        return (wire.JSON,)
    return tuple(sorted(wire.MEDIA_TYPES, key=lambda media_type: media_type != request.mimetype))


def _float_dtype(document: dict[str, Any]) -> str | None:
    """The dtype of the first floating-point array in a binary body: what it is computed in."""
    places = (document.get(place) for place in ("params", "data"))
    leaves = (leaf for place in places if isinstance(place, dict) for leaf in place.values())
    arrays = (leaf for leaf in leaves if isinstance(leaf, np.ndarray))
    return next((array.dtype.name for array in arrays if array.dtype.kind == "f"), None)


def _refusal(code: str, detail: str) -> Refused:
    return Refused([Fault("", code, detail)])

"""Bodies over HTTP: which ones are read at all, and how a document becomes an answer."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from flask import Response
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header, parse_options_header

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire_service.engine import BodyCost
from deltawire_service.faults import shown
from deltawire_service.http.header_cache import header_cache
from deltawire_service.http.request_context import RequestContext
from deltawire_service.server import body_reader
from deltawire_service.settings import Settings


def negotiate(context: RequestContext) -> None:
    """Settle the media type of the answer.

    Raises:
        Refused: the client could not read it, or the body is compressed.
    """
    environ = context.environ
    offered = _offered(context.method, environ.get("CONTENT_TYPE", ""))
    context.response_media_type = _acceptable(environ.get("HTTP_ACCEPT", ""), offered)
    if context.response_media_type is None:
        raise _refusal("not_acceptable", f"answers are {' or '.join(offered)}")
    # A compressed body hides its size until it is too late.
    if environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("", "identity"):
        raise _refusal("content_encoding_unsupported", "send the body as it is, without Content-Encoding")


@header_cache
def media_type(content_type: str) -> str:
    """Return a Content-Type without its parameters."""
    return parse_options_header(content_type)[0].lower()


@header_cache
def _offered(method: str, content_type: str) -> tuple[str, ...]:
    """Return the media types an answer may have, the default first."""
    if method != "POST":
        return (wire.JSON,)
    sent = media_type(content_type)
    return tuple(sorted(wire.MEDIA_TYPES, key=lambda offered: offered != sent))


@header_cache
def _acceptable(accept: str, offered: tuple[str, ...]) -> str | None:
    """Return the media type, of those offered, that a client prefers."""
    accepted = parse_accept_header(accept, MIMEAccept)
    return accepted.best_match(offered) if accepted else offered[0]


def request_media_type(context: RequestContext) -> str:
    """Return the media type of the request's body."""
    return media_type(context.environ.get("CONTENT_TYPE", ""))


def response_media_type(context: RequestContext) -> str:
    """Return the media type of the answer: JSON outside /v1, where none is negotiated."""
    return context.response_media_type or wire.JSON


def read(context: RequestContext, settings: Settings) -> Any:
    """Return the document in the body of a request.

    Raises:
        Refused: the body has another media type, no Content-Length, or is over the limit. It is not read.
        BodyTruncated: fewer bytes come than were announced.
    """
    sent = request_media_type(context)
    if sent not in wire.MEDIA_TYPES:
        expected = " or ".join(wire.MEDIA_TYPES)
        got = shown(sent) if sent else "none"
        raise _refusal("media_type_unsupported", f"expected Content-Type {expected}, got {got}")
    most = settings.json_body_bytes if sent == wire.JSON else settings.binary_body_bytes
    length = _announced(context, most, f" of {sent}")
    document = wire.decode(_receive(context, length), sent, settings.wire_limits)
    if isinstance(document, dict) and sent == wire.SAFETENSORS and (dtype := float_dtype(document)):
        document.setdefault("dtype", dtype)
    return document


def received(context: RequestContext, most: int) -> bytes:
    """Return the body of a request, of at most so many bytes.

    Raises:
        Refused, BodyTruncated: as `read` does.
    """
    return bytes(_receive(context, _announced(context, most)))


def _announced(context: RequestContext, most: int, kind: str = "") -> int:
    length = context.content_length
    if length is None:
        raise _refusal("length_required", "send a Content-Length; chunked bodies are not read")
    if length > most:
        raise _refusal("body_too_large", f"{length} bytes{kind}, at most {most} are read")
    return length


def _receive(context: RequestContext, length: int) -> bytes | memoryview:
    try:
        return body_reader.received(context.environ, length)
    except OSError:  # the connection was reset
        raise body_reader.BodyTruncated from None


JSON_TEXT = 25
"""Bytes of a float64 at its longest in JSON, with its comma."""

JSON_NUMBER, JSON_LIST = 32, 88
"""Bytes of a number in a list, and of the list itself, as CPython keeps them: with the pointer to each."""


@lru_cache(64)
def body_cost(dtype: str, read: str, written: str, with_parameters: bool = True) -> BodyCost:
    """Return the memory that bodies take.

    A body is held twice for a moment, as it arrives; lists are dropped as they become arrays.

    Args:
        dtype: of the numbers in them.
        read: media type of the request's body.
        written: media type of the answer's body.
        with_parameters: the request brings its parameters; published ones are in no body.
    """
    itemsize = wire.DTYPES[dtype].itemsize
    lists = read == wire.JSON
    return BodyCost(
        with_parameters=with_parameters,
        read_number=2 * JSON_TEXT + JSON_NUMBER if lists else itemsize,
        read_list=JSON_LIST if lists else 0,
        written_number=JSON_TEXT if written == wire.JSON else itemsize,
    )


def respond(context: RequestContext, document: Any, tensors: str = "lists") -> Response:
    """Return the answer with a document, in the media type the client accepts best.

    Args:
        context: the request.
        document: the document; its tensors are arrays.
        tensors: how JSON writes them, `lists` or `base64`.
    """
    written = response_media_type(context)
    return Response(wire.encode(document, written, tensors, "response"), content_type=written)


def float_dtype(document: dict[str, Any]) -> str | None:
    """Return the dtype of the first floating-point array in a binary body; it is computed in that dtype."""
    places = (document.get(place) for place in ("params", "data"))
    leaves = (leaf for place in places if isinstance(place, dict) for leaf in place.values())
    arrays = (leaf for leaf in leaves if isinstance(leaf, np.ndarray))
    return next((array.dtype.name for array in arrays if array.dtype.kind == "f"), None)


def _refusal(code: str, detail: str) -> Refused:
    return Refused([Fault("", code, detail)])

"""Bodies over HTTP: which ones are read at all, and how a document becomes an answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from flask import Response
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header, parse_options_header

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire_service.engine import BodyCost
from deltawire_service.faults import shown
from deltawire_service.http.request_context import current
from deltawire_service.server import body_reader
from deltawire_service.settings import Settings

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

B = TypeVar("B")


def negotiate() -> None:
    """Settle the media type of the answer.

    Raises Refused when the client could not read it, or the body is compressed.
    """
    context = current()
    environ = context.environ
    offered = _offered(context.method, environ.get("CONTENT_TYPE", ""))
    context.answered_as = _acceptable(environ.get("HTTP_ACCEPT", ""), offered)
    if context.answered_as is None:
        raise _refusal("not_acceptable", f"answers are {' or '.join(offered)}")
    # A compressed body hides its size until it is too late.
    if environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("", "identity"):
        raise _refusal("content_encoding_unsupported", "send the body as it is, without Content-Encoding")


# Clients say the same at every request: what it means is worked out once. Headers are bounded by the server.


@lru_cache(64)
def _media_type(content_type: str) -> str:
    """What a Content-Type is without its parameters."""
    return parse_options_header(content_type)[0].lower()


@lru_cache(64)
def _offered(method: str, content_type: str) -> tuple[str, ...]:
    """The media types an answer may have, the one taken without a preference first."""
    if method != "POST":
        return (wire.JSON,)
    sent = _media_type(content_type)
    return tuple(sorted(wire.MEDIA_TYPES, key=lambda media_type: media_type != sent))


@lru_cache(64)
def _acceptable(accept: str, offered: tuple[str, ...]) -> str | None:
    """The one of those offered that a client accepts best."""
    accepted = parse_accept_header(accept, MIMEAccept)
    return accepted.best_match(offered) if accepted else offered[0]


def read(settings: Settings) -> Any:
    """The document in the body of this request.

    Raises Refused before reading a body of another media type, without a Content-Length, or over the limit,
    and BodyTruncated when less comes than was announced.
    """
    media_type = sent_as()
    if media_type not in wire.MEDIA_TYPES:
        expected = " or ".join(wire.MEDIA_TYPES)
        got = shown(media_type) if media_type else "none"
        raise _refusal("media_type_unsupported", f"expected Content-Type {expected}, got {got}")
    most = settings.json_body_bytes if media_type == wire.JSON else settings.binary_body_bytes
    length = _announced(most, f" of {media_type}")
    receive = body_reader.received if media_type == wire.JSON else body_reader.received_in_place
    document = wire.decode(_from(receive, length), media_type, settings.wire_limits)
    if isinstance(document, dict) and media_type == wire.SAFETENSORS and (dtype := float_dtype(document)):
        document.setdefault("dtype", dtype)
    return document


def received(most: int) -> bytes:
    """The body of this request, all of it. Raises as `read` does, when it has more bytes than `most` too."""
    return _from(body_reader.received, _announced(most))


def _announced(most: int, kind: str = "") -> int:
    length = current().length
    if length is None:
        raise _refusal("length_required", "send a Content-Length; chunked bodies are not read")
    if length > most:
        raise _refusal("body_too_large", f"{length} bytes{kind}, at most {most} are read")
    return length


def _from(receive: Callable[[WSGIEnvironment, int], B], length: int) -> B:
    try:
        return receive(current().environ, length)
    except OSError:  # the connection was reset
        raise body_reader.BodyTruncated from None


JSON_TEXT = 25
"""Bytes of a float64 at its longest in JSON, with its comma."""

JSON_NUMBER, JSON_LIST = 32, 88
"""Bytes of a number in a list, and of the list itself, as CPython keeps them: with the pointer to each."""


def body_cost(dtype: str, read: str | None = None, written: str | None = None) -> BodyCost:
    """What bodies of these media types take for numbers of a dtype; without them, those of this request.

    A body is held twice for a moment, as it arrives; lists are forgotten as they become arrays.
    """
    itemsize = wire.DTYPES[dtype].itemsize
    lists = (read or sent_as()) == wire.JSON
    return BodyCost(
        with_parameters=current().params_id is None,
        read_number=2 * JSON_TEXT + JSON_NUMBER if lists else itemsize,
        read_list=JSON_LIST if lists else 0,
        written_number=JSON_TEXT if (written or answered_as()) == wire.JSON else itemsize,
    )


def answer(document: Any, tensors: str = "lists") -> Response:
    """The answer with this document, in the media type the client accepts best.

    tensors: how JSON writes them, `lists` or `base64`.
    """
    media_type = answered_as()
    return Response(wire.encode(document, media_type, tensors, "response"), content_type=media_type)


def sent_as() -> str:
    """The media type of the body of this request."""
    return _media_type(current().environ.get("CONTENT_TYPE", ""))


def answered_as() -> str:
    """The media type of the answer to this request."""
    return current().answered_as or wire.JSON  # outside /v1 there is nothing to settle


def float_dtype(document: dict[str, Any]) -> str | None:
    """The dtype of the first floating-point array in a binary body: what it is computed in."""
    places = (document.get(place) for place in ("params", "data"))
    leaves = (leaf for place in places if isinstance(place, dict) for leaf in place.values())
    arrays = (leaf for leaf in leaves if isinstance(leaf, np.ndarray))
    return next((array.dtype.name for array in arrays if array.dtype.kind == "f"), None)


def _refusal(code: str, detail: str) -> Refused:
    return Refused([Fault("", code, detail)])

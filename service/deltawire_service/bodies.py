"""Bodies over HTTP: which ones are read at all, and how a document becomes an answer."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from werkzeug.exceptions import ClientDisconnected

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire_service.engine.validation import shown
from deltawire_service.settings import Settings


def negotiate() -> None:
    """Raises Refused when the answer could not be read by the client, or the body not by us."""
    if request.accept_mimetypes and not request.accept_mimetypes.best_match(wire.MEDIA_TYPES):
        raise _refusal("not_acceptable", f"answers are {' or '.join(wire.MEDIA_TYPES)}")
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
    if request.content_length > settings.json_body_bytes:
        detail = f"{request.content_length} bytes, at most {settings.json_body_bytes} are read"
        raise _refusal("body_too_large", detail)
    body = request.get_data(cache=False)
    if len(body) < request.content_length:  # some servers raise this themselves, gunicorn's stream just ends
        raise ClientDisconnected()
    return wire.decode(body, request.mimetype, settings.wire_limits)


def answer(document: Any, tensors: str = "lists") -> Response:
    """The answer with this document, its tensors written as `lists` or `base64`."""
    return Response(wire.encode(document, wire.JSON, tensors), mimetype=wire.JSON)


def _refusal(code: str, detail: str) -> Refused:
    return Refused([Fault("", code, detail)])

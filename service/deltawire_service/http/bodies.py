"""Bodies over HTTP: which ones are read at all, and how a document becomes an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from flask import Response, current_app, request
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire_service.engine import BodyCost, check_deadline
from deltawire_service.environment import variable
from deltawire_service.http.flask_app import WholeResponse
from deltawire_service.http.header_cache import header_cache
from deltawire_service.http.parsing import parse
from deltawire_service.http.request_context import RequestContext
from deltawire_service.server.bodies import body_reader
from deltawire_service.settings import Settings

V = TypeVar("V", bound=Callable[..., Any])


def negotiate(context: RequestContext) -> None:
    """Note the view of a request below /v1, and settle the media type of its answer.

    Raises:
        Refused: the client could not read it, or the body is compressed.
    """
    environ = context.environ
    if endpoint := request.endpoint:
        context.view = current_app.view_functions[endpoint]
    offered = getattr(context.view, "media_types", None) or _offered(context.method, context.media_type)
    accepted = _acceptable(environ.get("HTTP_ACCEPT", ""), offered)
    if accepted is None:
        raise _refusal("not_acceptable", f"answers are {' or '.join(offered)}")
    context.response_media_type = accepted
    # A compressed body hides its size until it is too late.
    if environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("", "identity"):
        raise _refusal("content_encoding_unsupported", "send the body as it is, without Content-Encoding")


def answers_in(*media_types: str) -> Callable[[V], V]:
    """Mark a view with the media types that its answer may have, the default first."""

    def mark(view: V) -> V:
        view.media_types = media_types  # type: ignore[attr-defined]
        return view

    return mark


@header_cache
def _offered(method: str, sent: str) -> tuple[str, ...]:
    """Return the media types that an answer may have, the default first."""
    if method != "POST":
        return (wire.JSON,)
    return tuple(sorted(wire.MEDIA_TYPES, key=lambda offered: offered != sent))


@header_cache
def _acceptable(accept: str, offered: tuple[str, ...]) -> str | None:
    """Return the media type, of those offered, that a client prefers."""
    accepted = parse_accept_header(accept, MIMEAccept)
    return accepted.best_match(offered) if accepted else offered[0]


PARSED = 16
"""Bytes of Python objects for each byte of JSON, at most: short numbers with a comma."""

UNCOUNTED = 2**12
"""Bytes of JSON that are parsed whatever else is in memory: all threads together fill a megabyte so."""


def json_bytes(context: RequestContext) -> int:
    """Return the bytes of JSON in a request, at most: the header of safetensors, all of any other body."""
    length = context.content_length or 0
    if context.media_type == wire.SAFETENSORS:
        return min(length, wire.header_bytes(body_reader.peek(context.environ, wire.HEADER_LENGTH_BYTES)))
    return length


def read(context: RequestContext, settings: Settings) -> Any:
    """Return the document in the body of a request. Raises as `receive` and `decode` do."""
    document = decode(context, receive(context, settings), settings.wire_limits)
    if isinstance(document, dict) and context.media_type == wire.SAFETENSORS:
        add_dtype(document)
    return document


def add_dtype(document: dict[str, Any]) -> None:
    """Give the document of a binary body the dtype of its first floating-point array, unless it names one."""
    if dtype := float_dtype(document):
        document.setdefault("dtype", dtype)


def receive(context: RequestContext, settings: Settings, also: Sequence[str] = ()) -> bytes | memoryview:
    """Return the body of a request, in JSON or binary.

    Args:
        context: the request.
        settings: the settings of the service.
        also: the media types that its route takes in files, for the message.

    Raises:
        Refused: the body has another media type, no Content-Length, or is over the limit. It is not read.
        BodyTruncated: fewer bytes come than were announced.
    """
    sent = context.media_type
    if sent not in wire.MEDIA_TYPES:
        expected = " or ".join(dict.fromkeys((*also, *wire.MEDIA_TYPES)))
        whole = context.environ.get("CONTENT_TYPE", "")
        got = f"'{whole}'" if whole else "none"
        raise _refusal("media_type_unsupported", f"expected Content-Type {expected}, got {got}")
    bound = "json_body_bytes" if sent == wire.JSON else "binary_body_bytes"
    return received(context, settings, bound)


def decode(context: RequestContext, body: bytes | memoryview, limits: wire.Limits, align: bool = True) -> Any:
    """Return the document in a body.

    Args:
        context: the request that the body belongs to.
        body: the whole body.
        limits: bounds on what it may hold.
        align: whether arrays are copied where they are not aligned.

    Raises:
        Refused: the body is not well formed, or breaks a limit.
        DeadlineExceeded: the body has come, and too late.
    """
    check_deadline()  # now: who stopped sending is told so, and not that it is late
    return parse(body, context.media_type, limits, align)


def received(
    context: RequestContext, settings: Settings, bound: str, folder: Path | None = None
) -> bytes | memoryview:
    """Return the body of a request.

    Args:
        context: the request.
        settings: the settings of the service.
        bound: name of the setting that says how many bytes are read at most.
        folder: the folder in which a large body is a file; None for one that is always in memory.

    Raises:
        Refused, BodyTruncated: as `read` does.
        StoreFull, StoreUnavailable: the disk has no room for the file, or fails.
    """
    length = context.content_length
    if length is None:
        raise _refusal("length_required", "send a Content-Length; chunked bodies are not read")
    if length > getattr(settings, bound):
        raise too_large(length, settings, bound)
    try:
        return body_reader.received(context.environ, length, folder, settings.free_bytes)
    except OSError:  # the connection was reset
        raise body_reader.BodyTruncated from None


def too_large(length: int, settings: Settings, bound: str) -> Refused:
    """Return the refusal of a body.

    Args:
        length: bytes of the body.
        settings: the settings of the service.
        bound: name of the setting that says how many bytes are read at most.
    """
    most = f"at most {getattr(settings, bound)} are read ({variable(bound)})"
    return _refusal("body_too_large", f"the request takes {length} bytes with its arrays, {most}")


LONGEST_TEXT = 25
"""Bytes of a number in JSON, with its comma, when a client writes all digits of a float64."""

JSON_TEXT: Mapping[str, int] = {"float32": 18, "float64": 25}
"""Bytes of a number at its longest in the JSON of an answer, with its comma."""

JSON_LIST_TEXT = 3
"""Bytes of a list's brackets and its comma."""

JSON_NUMBER, JSON_LIST = 48, 104
"""Bytes of a number in a list, and of the list itself, while they are parsed: as CPython keeps them, with the
pointer to each, and 16 in the parser."""


@lru_cache(64)
def body_cost(
    dtype: str,
    read: str,
    written: str,
    tensors: str = "lists",
    with_parameters: bool = True,
    with_data: bool = True,
) -> BodyCost:
    """Return the memory that bodies take.

    The parser of JSON copies a body; lists are dropped as they become arrays. An answer is held beside its
    arrays: all of it, in case the client reads none of it before it is written.

    Args:
        dtype: of the numbers in them.
        read: media type of the request's body.
        written: media type of the answer's body.
        tensors: how JSON writes the tensors of the answer, `lists` or `base64`.
        with_parameters: the request brings its parameters; published ones are in no body.
        with_data: the request brings its data; rows of a dataset are in no body.
    """
    itemsize, lists = wire.DTYPES[dtype].itemsize, written == wire.JSON and tensors == "lists"
    raw = itemsize if written == wire.SAFETENSORS else -(-4 * itemsize // 3)
    return BodyCost(
        with_parameters=with_parameters,
        with_data=with_data,
        read_number=2 * LONGEST_TEXT + JSON_NUMBER if read == wire.JSON else itemsize,
        read_list=JSON_LIST if read == wire.JSON else 0,
        written_number=JSON_TEXT[dtype] if lists else raw,
        written_list=JSON_LIST_TEXT if lists else 0,
    )


PIECE_BYTES = 2**22
"""Bytes of an answer that are copied, and handed to the server, at once."""


def respond(context: RequestContext, document: Any, tensors: str = "lists", status: int = 200) -> Response:
    """Return the answer with a document, in the media type the client accepts best.

    Args:
        context: the request.
        document: the document; its tensors are arrays.
        tensors: how JSON writes them, `lists` or `base64`.
        status: the status of the answer.
    """
    written = context.response_media_type
    return response_of(wire.encode_in_parts(document, written, tensors, "response"), written, status)


def response_of(parts: Sequence[bytes | memoryview], content_type: str, status: int = 200) -> Response:
    """Return an answer. A large one goes to the server in pieces, each of which is freed once it is sent.

    Args:
        parts: the body.
        content_type: its media type.
        status: the status of the answer.
    """
    length = sum(map(len, parts))
    if length <= PIECE_BYTES:
        return WholeResponse(b"".join(parts), status, content_type=content_type)
    pieces = iter(list(pieces_of(parts)))
    return WholeResponse(pieces, status, {"Content-Length": str(length)}, content_type=content_type)


def pieces_of(parts: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Yield the same bytes with copies in place of views: a piece has as many views as it has room for."""
    views, size = list[memoryview](), 0
    for part in parts:
        if isinstance(part, bytes):
            yield from filter(None, (b"".join(views), part))
            views, size = [], 0
            continue
        for start in range(0, len(part), PIECE_BYTES):
            view = part[start : start + PIECE_BYTES]
            if size + len(view) > PIECE_BYTES:
                yield b"".join(views)
                views, size = [], 0
            views.append(view)
            size += len(view)
    yield from filter(None, (b"".join(views),))


def float_dtype(document: dict[str, Any]) -> str | None:
    """Return the dtype of the first floating-point array in a binary body; it is computed in that dtype."""
    for place in ("params", "data"):
        if isinstance(leaves := document.get(place), dict):
            for leaf in leaves.values():
                if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f":
                    return str(leaf.dtype.name)
    return None


def _refusal(code: str, detail: str) -> Refused:
    return Refused([Fault("", code, detail)])

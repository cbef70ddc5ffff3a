"""Answers larger than memory should hold: sent as they are read from mapped files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from flask import Response

from deltawire import wire
from deltawire_service.http.request_context import RequestContext
from deltawire_service.mapped_pages import released_pieces

PIECE_BYTES = 2**18
"""Bytes of an answer that are in memory at once: one copy for each client that reads."""


def stream(context: RequestContext, document: Any, on_end: Callable[[], None]) -> Response:
    """Return a binary answer whose arrays are read from their memory as the client takes them.

    The arrays must not change before the end. The pages of mapped files are released as they have been sent.
    Other headers, such as an ETag, can be set on the answer.

    Args:
        context: the request.
        document: the document; its tensors are arrays.
        on_end: called once, in any thread: when the last byte has been sent, or the client has left.
    """
    head, length, numbers = wire.stream(document, "response")
    context.memory_bytes = len(head) + PIECE_BYTES
    headers = {"Content-Length": str(len(head) + length)}
    answer = Response(_pieces(chain([head], numbers)), headers=headers, content_type=wire.SAFETENSORS)
    answer.call_on_close(on_end)
    return answer


def stream_bytes(context: RequestContext, numbers: memoryview) -> Response:
    """Return an answer of bytes that are read from a mapped file as the client takes them.

    Args:
        context: the request.
        numbers: the bytes; they must not change before the end.
    """
    context.memory_bytes = PIECE_BYTES
    headers = {"Content-Length": str(len(numbers))}
    return Response(_pieces([numbers]), headers=headers, content_type="application/octet-stream")


def _pieces(parts: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Yield the same bytes as copies of a bounded size."""
    for part in parts:
        for piece in released_pieces(memoryview(part), PIECE_BYTES):
            yield bytes(piece)

"""The body format, both directions: service and client share it.

A body holds a document: objects, lists, strings and numbers, with tensors at some of its leaves. `decode` and
`encode` convert between the bytes of a media type and a document. `read_tensor` makes an array of a leaf,
once the dtype that its place needs is known. Each media type has a file, and tensors have one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deltawire.wire import json, safetensors
from deltawire.wire.limits import DEFAULT, Limits
from deltawire.wire.safetensors import (
    HEADER_LENGTH_BYTES,
    Body,
    header_bytes,
    is_response,
    read_checkpoint,
)
from deltawire.wire.tensors import DTYPES, Array, read_tensor, read_tensors

JSON = json.MEDIA_TYPE
SAFETENSORS = safetensors.MEDIA_TYPE
MEDIA_TYPES = (JSON, SAFETENSORS)
"""The media types a body may have."""

Base64 = json.Base64

TENSORS = json.TENSORS

__all__ = [
    "Array", "Base64", "DEFAULT", "DTYPES", "HEADER_LENGTH_BYTES", "JSON", "Limits", "MEDIA_TYPES",
    "SAFETENSORS", "TENSORS",
    "decode", "encode", "encode_in_parts", "header_bytes", "is_response", "read_checkpoint", "read_tensor",
    "read_tensors", "stream",
]  # fmt: skip


def decode(
    body: Body, media_type: str, limits: Limits = DEFAULT, part: str = "request", align: bool = True
) -> Any:
    """Return the document in a body. In JSON, the last of duplicate keys counts.

    Args:
        body: Arrays of a binary body can be written to where the body can.
        media_type: One of MEDIA_TYPES.
        limits: Bounds on what the body may hold.
        part: `request`, `response` or `checkpoint`, which a binary body must be.
        align: Whether arrays of a binary body are copied where they are not aligned; else all are views.

    Raises:
        Refused: json_too_deep, json_too_many_members, or json_invalid for all but strict JSON in UTF-8. For a
            binary body also tensor_header_too_large, tensor_body_invalid, too_many_tensors,
            dtype_unsupported, shape_invalid, shape_too_large.
    """
    if media_type == JSON:
        return json.decode(memoryview(body), limits)
    return safetensors.decode(body, limits, part, align)


def encode(document: Any, media_type: str, tensors: str = "lists", part: str = "request") -> bytes:
    """Return the body of a document whose tensors are arrays.

    Numbers that are not finite are the strings "NaN", "Infinity" and "-Infinity" in JSON; in base64 and in a
    binary body they are bytes like all others.

    Args:
        document: Objects, lists, strings and numbers, with arrays at some leaves.
        media_type: One of MEDIA_TYPES.
        tensors: `lists` or `base64`, how JSON writes arrays.
        part: `request`, `response` or `checkpoint`, which a binary body is.

    Raises:
        TypeError: The document holds what JSON does not have.
    """
    return b"".join(encode_in_parts(document, media_type, tensors, part))


def encode_in_parts(
    document: Any, media_type: str, tensors: str = "lists", part: str = "request"
) -> list[bytes | memoryview]:
    """Return the body of `encode` in pieces, without a copy of the whole.

    In JSON, no piece has more than a few megabytes. In a binary body, contiguous arrays are pieces as they
    are.

    Args:
        document: As for `encode`.
        media_type: As for `encode`.
        tensors: As for `encode`.
        part: As for `encode`.
    """
    if media_type == JSON:
        return [*json.encode_in_parts(document, tensors)]
    return safetensors.encode(document, part)


def stream(document: Any, part: str) -> tuple[bytes, int, Iterator[bytes | memoryview]]:
    """Return a document's binary body, of which the numbers are read when their turn comes.

    Args:
        document: As for `encode`.
        part: As for `encode`.

    Returns:
        The bytes before the numbers; how many bytes the numbers have; and the numbers in pieces. Contiguous
        arrays are pieces as they are, all others are copied a piece at a time.
    """
    return safetensors.stream(document, part)

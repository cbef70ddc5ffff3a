"""The body format, both directions: service and client share it.

A body holds a document: objects, lists, strings and numbers, with tensors at some of its leaves. `decode` and
`encode` go between the bytes of a media type and a document; `read_tensor` goes from a leaf to an array, once
it is known which dtype its place needs. One file for each media type, and one for tensors.
"""

from __future__ import annotations

from typing import Any

from deltawire.wire import json, safetensors
from deltawire.wire.safetensors import Body, read_checkpoint
from deltawire.wire.tensors import DEFAULT, DTYPES, Array, Limits, read_tensor, read_tensors

JSON = json.MEDIA_TYPE
SAFETENSORS = safetensors.MEDIA_TYPE
MEDIA_TYPES = (JSON, SAFETENSORS)
"""The media types a body may have."""

TENSORS = json.TENSORS

__all__ = [
    "Array", "DEFAULT", "DTYPES", "JSON", "Limits", "MEDIA_TYPES", "SAFETENSORS", "TENSORS", "decode",
    "encode", "encode_in_parts", "read_checkpoint", "read_tensor", "read_tensors",
]  # fmt: skip


def decode(body: Body, media_type: str, limits: Limits = DEFAULT, part: str = "request") -> Any:
    """The document in a body. In JSON, of duplicate keys the last one counts.

    body: when it can be written to, so can the arrays of a binary one. media_type: one of MEDIA_TYPES.
    part: `request` or `response`, what a binary body must be.
    Raises Refused: json_too_deep, json_too_many_members, or json_invalid for all but strict JSON in UTF-8;
    for a binary body also tensor_header_too_large, tensor_body_invalid, too_many_tensors, dtype_unsupported,
    shape_invalid, shape_too_large.
    """
    return json.decode(bytes(body), limits) if media_type == JSON else safetensors.decode(body, limits, part)


def encode(document: Any, media_type: str, tensors: str = "lists", part: str = "request") -> bytes:
    """The body of a document whose tensors are arrays, written in JSON as `lists` or as `base64`.

    Numbers that are not finite are the strings "NaN", "Infinity" and "-Infinity" in JSON, bytes in base64 and
    in the tensors of a binary body.
    """
    if media_type == JSON:
        return json.encode(document, tensors)
    return b"".join(safetensors.encode(document, part))


def encode_in_parts(
    document: Any, media_type: str, tensors: str = "lists", part: str = "request"
) -> list[bytes | memoryview]:
    """The body as `encode` gives it, in parts: views of the arrays themselves where they are contiguous."""
    if media_type == JSON:
        return [json.encode(document, tensors)]
    return safetensors.encode(document, part)

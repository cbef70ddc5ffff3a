"""Bodies of the KServe V2 protocol with Triton's binary extension: a JSON head, then the bytes of tensors."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from math import prod
from typing import Any, NamedTuple

import numpy as np
from flask import Response, request

from deltawire import wire
from deltawire.wire import Array
from deltawire.wire.tensors import check_shape
from deltawire_service.faults import shown
from deltawire_service.http import bodies
from deltawire_service.protocols.protocol import refusal
from deltawire_service.settings import Settings

HEAD_LENGTH = "Inference-Header-Content-Length"
DATATYPES = {"float64": "FP64", "float32": "FP32", "int64": "INT64"}
WBITS = {"gzip": 31, "deflate": 15}
SMALLEST_COMPRESSED = 1024
"""Bytes below which compressing an answer is not worth it."""


class Body(NamedTuple):
    """A request: its JSON head, the bytes after it, and whether there is a head at all."""

    head: dict[str, Any]
    tail: memoryview
    raw: bool

    @property
    def media_type(self) -> str:
        """The media type of ours that takes as much memory."""
        return wire.SAFETENSORS if self.tail else wire.JSON


class Slot(NamedTuple):
    """What a model takes or gives under a name: dtype, and shape with −1 for the batch axis."""

    dtype: str
    shape: tuple[int, ...]
    optional: bool = False


def receive(settings: Settings) -> Body:
    """The body of this request, inflated. Raises Refused where it is no such body."""
    body = _inflated(bodies.received(settings.binary_body_bytes), settings.binary_body_bytes)
    given = request.headers.get(HEAD_LENGTH)
    length = len(body) if given is None else int(given) if given.isdecimal() and len(given) < 20 else -1
    if not 0 <= length <= len(body):
        raise refusal("field_invalid", f"{HEAD_LENGTH} is {shown(given)}, and {len(body)} bytes came")
    if length == 0 and given is not None:
        return Body({}, memoryview(body), True)
    if length > settings.json_body_bytes:
        detail = f"{length} bytes of JSON, at most {settings.json_body_bytes} are read: send tensors as bytes"
        raise refusal("body_too_large", detail)
    head = wire.decode(body[:length], wire.JSON, settings.wire_limits)
    if not isinstance(head, dict):
        raise refusal("field_invalid", "the body must begin with a JSON object")
    return Body(head, memoryview(body)[length:], False)


def _inflated(body: bytes, most: int) -> bytes:
    """The body without its compression, of at most so many bytes: no more than that is ever inflated."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in WBITS:
        raise refusal("content_encoding_unsupported", "expected Content-Encoding gzip, deflate or none")
    inflate = zlib.decompressobj(WBITS[encoding])
    try:
        inflated = inflate.decompress(body, most + 1)
    except zlib.error:
        inflated = b""
    if len(inflated) > most:
        raise refusal("body_too_large", f"more than {most} bytes when inflated")
    if not inflate.eof or inflate.unused_data:
        raise refusal("tensor_body_invalid", f"the body is not what Content-Encoding {encoding} says")
    return inflated


def read_inputs(
    body: Body, slots: Mapping[str, Slot], told: Mapping[str, Slot], settings: Settings
) -> dict[str, Array]:
    """The arrays a request has, by name, each of the dtype of its slot. Raises Refused for any other.

    told: the inputs that a model tells of; a raw body is for the only one of them.
    """
    if body.raw:
        return _raw(body.tail, told)
    inputs = body.head.get("inputs")
    if not isinstance(inputs, list) or len(inputs) > settings.tensors:
        most = f"expected a list of at most {settings.tensors} inputs"
        raise refusal("field_invalid", f"{most}, got {shown(inputs)}", "/inputs")
    arrays, start = dict[str, Array](), 0
    for place, entry in enumerate(inputs):
        pointer = f"/inputs/{place}"
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or name not in slots or name in arrays:
            names = ", ".join(slots)
            detail = f"expected an object with one of these names, each once: {names}; got {shown(name)}"
            raise refusal("unknown_data", detail, pointer)
        dtype, given = slots[name].dtype, entry.get("datatype")
        if given != DATATYPES[dtype]:
            detail = f"input '{name}': expected {DATATYPES[dtype]}, got {shown(given)}"
            raise refusal("dtype_mismatch", detail, f"{pointer}/datatype")
        shape, parameters = entry.get("shape"), _parameters(entry, f"{pointer}/parameters")
        check_shape(shape, f"{pointer}/shape", settings.wire_limits)
        size = parameters.get("binary_data_size")
        if "shared_memory_region" in parameters:
            raise refusal("field_invalid", "there is no shared memory: send the tensor itself", pointer)
        if size is None:
            arrays[name] = _listed(entry.get("data"), dtype, tuple(shape), f"{pointer}/data", settings)
            continue
        expected = prod(shape) * wire.DTYPES[dtype].itemsize
        if "data" in entry or type(size) is not int or size != expected or start + size > len(body.tail):
            left = len(body.tail) - start
            detail = (
                f"input '{name}': its shape needs {expected} bytes; {shown(size)} are announced, {left} came"
            )
            raise refusal("tensor_body_invalid", detail, f"{pointer}/parameters/binary_data_size")
        arrays[name] = _binary(body.tail[start : start + size], dtype, tuple(shape))
        start += size
    if start != len(body.tail):
        raise refusal("tensor_body_invalid", f"{len(body.tail) - start} bytes after the last tensor")
    return arrays


def _raw(tail: memoryview, slots: Mapping[str, Slot]) -> dict[str, Array]:
    """The bytes of the only input: as many examples as they are."""
    needed = [name for name, slot in slots.items() if not slot.optional]
    if len(needed) != 1:
        raise refusal("field_invalid", f"a raw body is for models of one input, this one has {len(needed)}")
    dtype, shape, _ = slots[needed[0]]
    row = prod(abs(size) for size in shape) * wire.DTYPES[dtype].itemsize
    rows, rest = divmod(len(tail), row)
    if rest or not rows or (shape[:1] != (-1,) and rows > 1):
        raise refusal("tensor_body_invalid", f"{len(tail)} bytes, and an example has {row}")
    return {needed[0]: _binary(tail, dtype, tuple(rows if size < 0 else size for size in shape))}


def _binary(part: memoryview, dtype: str, shape: tuple[int, ...]) -> Array:
    array: Array = np.frombuffer(part, wire.DTYPES[dtype]).reshape(shape)
    return (
        array if array.flags.aligned and array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    )


def _listed(data: Any, dtype: str, shape: tuple[int, ...], pointer: str, settings: Settings) -> Array:
    """Numbers in lists: flat, or nested as the shape is."""
    read = wire.read_tensor(data, dtype, pointer, settings.wire_limits) if isinstance(data, list) else None
    if read is None or (read.shape != shape and (read.ndim != 1 or read.size != prod(shape))):
        detail = f"expected the {prod(shape)} numbers of shape {list(shape)}, flat or nested"
        raise refusal("shape_mismatch", detail, pointer)
    return read.reshape(shape)


def wants_binary(head: Mapping[str, Any], asked: Iterable[Mapping[str, Any]]) -> list[bool]:
    """For each of the outputs asked for, whether it is wanted as bytes."""
    of_all, *each = (_parameters(part) for part in (head, *asked))
    for unfit in ("shared_memory_region", "classification"):
        if any(unfit in parameters for parameters in (of_all, *each)):
            raise refusal("field_invalid", f"outputs have no {unfit}: ask for the tensor itself")
    default = of_all.get("binary_data_output", False)
    return [bool(parameters.get("binary_data", default)) for parameters in each]


def _parameters(part: Mapping[str, Any], pointer: str = "") -> dict[str, Any]:
    found = part.get("parameters", {})
    if not isinstance(found, dict):
        raise refusal("field_invalid", f"expected an object of parameters, got {shown(found)}", pointer)
    return found


def answer(head: dict[str, Any], outputs: Mapping[str, Array], binary: list[bool]) -> Response:
    """The answer to an inference, compressed where the client asks for that."""
    entries, tail = list[dict[str, Any]](), list[bytes]()
    for (name, array), as_bytes in zip(outputs.items(), binary, strict=True):
        entry: dict[str, Any] = {
            "name": name,
            "datatype": DATATYPES[array.dtype.name],
            "shape": list(array.shape),
        }
        if as_bytes:
            tail.append(array.astype(wire.DTYPES[array.dtype.name], copy=False).tobytes())
            entry["parameters"] = {"binary_data_size": array.nbytes}
        else:
            entry["data"] = array.ravel()
        entries.append(entry)
    text = wire.encode(head | {"outputs": entries}, wire.JSON)
    parts = [text, *tail]
    response = Response(parts, mimetype="application/octet-stream" if tail else wire.JSON)
    if tail:
        response.headers[HEAD_LENGTH] = str(len(text))
    response.vary.add("Accept-Encoding")
    encoding = request.accept_encodings.best_match([*WBITS]) if request.accept_encodings else None
    if encoding and sum(map(len, parts)) >= SMALLEST_COMPRESSED:
        deflate = zlib.compressobj(1, zlib.DEFLATED, WBITS[encoding])
        response.response = [*map(deflate.compress, parts), deflate.flush()]
        response.headers["Content-Encoding"] = encoding
    return response

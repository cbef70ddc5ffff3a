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
from deltawire.wire.tensors import check_shape, raw_pieces
from deltawire_plugins.shown import shown
from deltawire_service.environment import variable
from deltawire_service.http import bodies
from deltawire_service.http.parsing import parse
from deltawire_service.http.request_context import RequestContext
from deltawire_service.protocols.context import refusal
from deltawire_service.settings import Settings

HEAD_LENGTH = "Inference-Header-Content-Length"
DATATYPES = {"float64": "FP64", "float32": "FP32", "int64": "INT64"}
NARROWER: Mapping[str, Mapping[str, np.dtype[Any]]] = {
    "float64": {"FP32": np.dtype("<f4"), "FP16": np.dtype("<f2")},
    "float32": {"FP16": np.dtype("<f2")},
    "int64": {
        **{f"INT{bits}": np.dtype(f"<i{bits // 8}") for bits in (8, 16, 32)},
        **{f"UINT{bits}": np.dtype(f"<u{bits // 8}") for bits in (8, 16, 32)},
    },
}
"""Datatypes of inputs that a dtype holds exactly."""
WBITS = {"gzip": 31, "deflate": 15}
MOST_INFLATED = 1032
"""Bytes that a byte of deflate can become, at most (zlib's technical details)."""
SMALLEST_COMPRESSED = 1024
"""Bytes below which compressing an answer is not worth it."""


NO_TAIL = memoryview(b"")


class Body(NamedTuple):
    """The body of a request: its JSON head and the bytes after it."""

    head: dict[str, Any]
    tail: memoryview
    raw: bool
    """There is no head, and the bytes are those of the only input."""

    def without_tail(self) -> Body:
        """Return the head alone, so that the bytes of the tensors can be freed."""
        return self._replace(tail=NO_TAIL)

    @property
    def media_type(self) -> str:
        """The media type of /v1 that takes as much memory."""
        return wire.SAFETENSORS if self.tail else wire.JSON


class TensorSpec(NamedTuple):
    """The dtype and the shape of an input or output of a model, with −1 for the batch axis."""

    dtype: str
    shape: tuple[int, ...]
    optional: bool = False


def read_body(context: RequestContext, settings: Settings) -> Body:
    """Return the body of the current request, inflated.

    Raises:
        Refused: the body is none of the protocol.
        BodyTruncated: the body ends early.
    """
    body = _inflated(bodies.received(context, settings, "binary_body_bytes"), settings.binary_body_bytes)
    header = request.headers.get(HEAD_LENGTH)
    length = len(body) if header is None else int(header) if _is_length(header) else -1
    if not 0 <= length <= len(body):
        raise refusal("field_invalid", f"{HEAD_LENGTH} is {shown(header)}, and {len(body)} bytes came")
    view = memoryview(body)
    if length == 0 and header is not None:
        return Body({}, view, True)
    if length > settings.json_body_bytes:
        most = f"at most {settings.json_body_bytes} are read ({variable('json_body_bytes')})"
        raise refusal("body_too_large", f"{length} bytes of JSON, {most}: send tensors as bytes")
    head = parse(view[:length], wire.JSON, settings.wire_limits)
    if not isinstance(head, dict):
        raise refusal("field_invalid", "the body must begin with a JSON object")
    return Body(head, view[length:] if length < len(view) else NO_TAIL, False)


def json_bytes(context: RequestContext) -> int:
    """Return the bytes of JSON in a request, at most: those of its head, unless it is compressed."""
    if context.environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() != "identity":
        return MOST_INFLATED * (context.content_length or 0)
    head = context.environ.get("HTTP_INFERENCE_HEADER_CONTENT_LENGTH", "")
    return int(head) if _is_length(head) else bodies.json_bytes(context)


def _is_length(header: str) -> bool:
    return header.isdecimal() and header.isascii() and len(header) < 20


def _inflated(body: bytes | memoryview, most: int) -> bytes | memoryview:
    """Return the body without its compression; no more than so many bytes are ever inflated."""
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
        bound = f"{most} bytes ({variable('binary_body_bytes')})"
        raise refusal("body_too_large", f"more than {bound} when inflated")
    if not inflate.eof or inflate.unused_data:
        raise refusal("tensor_body_invalid", f"the body is not what Content-Encoding {encoding} says")
    return inflated


def read_inputs(
    body: Body, accepts: Mapping[str, TensorSpec], inputs: Mapping[str, TensorSpec], limits: wire.Limits
) -> dict[str, Array]:
    """Return the arrays of a request, by name.

    Args:
        body: the body of the request.
        accepts: all inputs that may come.
        inputs: the inputs in the metadata of the model; a raw body is for the only one of them.
        limits: bounds on tensors.

    Raises:
        Refused: an input is unknown, or has another dtype or shape than it says or needs.
    """
    if body.raw:
        return _raw(body.tail, inputs)
    entries = body.head.get("inputs")
    if not isinstance(entries, list) or len(entries) > limits.tensors:
        most = f"expected a list of at most {limits.tensors} inputs"
        raise refusal("field_invalid", f"{most}, got {shown(entries)}", "/inputs")
    arrays, rest = dict[str, Array](), body.tail
    for place, entry in enumerate(entries):
        pointer = f"/inputs/{place}"
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or name not in accepts or name in arrays:
            names = ", ".join(accepts)
            detail = f"expected an object with one of these names, each once: {names}; got {shown(name)}"
            raise refusal("unknown_data", detail, pointer)
        dtype = accepts[name].dtype
        sent = _sent_dtype(name, dtype, entry.get("datatype"), f"{pointer}/datatype")
        shape, parameters = entry.get("shape"), _parameters(entry, f"{pointer}/parameters")
        check_shape(shape, f"{pointer}/shape", limits)
        if "shared_memory_region" in parameters:
            raise refusal("field_invalid", "there is no shared memory: send the tensor itself", pointer)
        data, size = entry.get("data"), parameters.get("binary_data_size")
        if size is None:
            arrays[name] = _listed(data, sent, dtype, tuple(shape), f"{pointer}/data", limits)
            continue
        needed = prod(shape) * sent.itemsize
        if data is not None or type(size) is not int or size != needed or size > len(rest):
            came = f"{shown(size)} are announced, {len(rest)} came"
            detail = f"input '{name}': its shape needs {needed} bytes; {came}"
            raise refusal("tensor_body_invalid", detail, f"{pointer}/parameters/binary_data_size")
        arrays[name] = _binary(rest[:size], sent, dtype, tuple(shape))
        rest = rest[size:]
    if rest:
        raise refusal("tensor_body_invalid", f"{len(rest)} bytes after the last tensor")
    return arrays


def _raw(tail: memoryview, inputs: Mapping[str, TensorSpec]) -> dict[str, Array]:
    """Return the only input, of as many examples as its bytes are."""
    needed = [name for name, spec in inputs.items() if not spec.optional]
    if len(needed) != 1:
        raise refusal("field_invalid", f"a raw body is for models of one input, this one has {len(needed)}")
    dtype, shape, _ = inputs[needed[0]]
    row = prod(abs(size) for size in shape) * wire.DTYPES[dtype].itemsize
    rows, rest = divmod(len(tail), row)
    if rest or not rows or (shape[:1] != (-1,) and rows > 1):
        raise refusal("tensor_body_invalid", f"{len(tail)} bytes, and an example has {row}")
    batch = tuple(rows if size < 0 else size for size in shape)
    return {needed[0]: _binary(tail, wire.DTYPES[dtype], dtype, batch)}


def _sent_dtype(name: str, dtype: str, datatype: Any, pointer: str) -> np.dtype[Any]:
    """Return the dtype that an input of a datatype is sent in; `dtype` holds it exactly."""
    if datatype == DATATYPES[dtype]:
        return wire.DTYPES[dtype]
    if isinstance(datatype, str) and datatype in NARROWER[dtype]:
        return NARROWER[dtype][datatype]
    detail = f"input '{name}': expected {DATATYPES[dtype]}, got {shown(datatype)}"
    raise refusal("dtype_mismatch", detail, pointer)


def _binary(part: memoryview, sent: np.dtype[Any], dtype: str, shape: tuple[int, ...]) -> Array:
    """Return the array in some bytes, sent in one dtype and needed in another that holds it."""
    array: Array = np.frombuffer(part, sent).reshape(shape)
    native = np.dtype(dtype)
    return array if array.flags.aligned and array.dtype == native else array.astype(native)


def _listed(
    data: Any, sent: np.dtype[Any], dtype: str, shape: tuple[int, ...], pointer: str, limits: wire.Limits
) -> Array:
    """Return the array of numbers in lists, flat or nested as the shape is."""
    read_as = "float32" if sent.kind == "f" and sent.itemsize <= 4 else dtype
    array = wire.read_tensor(data, read_as, pointer, limits) if isinstance(data, list) else None
    if array is None or (array.shape != shape and (array.ndim != 1 or array.size != prod(shape))):
        detail = f"expected the {prod(shape)} numbers of shape {list(shape)}, flat or nested"
        raise refusal("shape_mismatch", detail, pointer)
    if sent != wire.DTYPES[dtype]:
        array = _as_sent(array, sent, pointer).astype(dtype)
    return array.reshape(shape)


def _as_sent(array: Array, sent: np.dtype[Any], pointer: str) -> Array:
    """Return numbers in the dtype that they were sent in. Raises Refused when it cannot hold one of them."""
    with np.errstate(over="ignore"):
        narrow = array.astype(sent)
    held = np.isfinite(narrow) if sent.kind == "f" else narrow == array
    if not held.all():
        raise refusal("tensor_invalid", f"a number is out of the range of {sent.name}", pointer)
    return narrow


def wants_binary(head: Mapping[str, Any], outputs: Iterable[Mapping[str, Any]]) -> list[bool]:
    """Return, for each output, whether the client wants it as bytes."""
    of_all, *each = (_parameters(part) for part in (head, *outputs))
    for unfit in ("shared_memory_region", "classification"):
        if any(unfit in parameters for parameters in (of_all, *each)):
            raise refusal("field_invalid", f"outputs have no {unfit}: ask for the tensor itself")
    default = of_all.get("binary_data_output", False)
    return [bool(parameters.get("binary_data", default)) for parameters in each]


def _parameters(part: Mapping[str, Any], pointer: str = "") -> dict[str, Any]:
    parameters = part.get("parameters")
    if parameters is None:  # clients write null for what they leave out
        return {}
    if not isinstance(parameters, dict):
        raise refusal("field_invalid", f"expected an object of parameters, got {shown(parameters)}", pointer)
    return parameters


def respond(head: dict[str, Any], outputs: Mapping[str, Array], binary: list[bool]) -> Response:
    """Return the answer to an inference, compressed when the client wants that.

    Args:
        head: the members of the JSON head beside its outputs.
        outputs: the arrays, by name.
        binary: for each output, whether it is written as bytes.
    """
    entries, tail = list[dict[str, Any]](), list[bytes | memoryview]()
    for (name, array), as_bytes in zip(outputs.items(), binary, strict=True):
        entry: dict[str, Any] = {
            "name": name,
            "datatype": DATATYPES[array.dtype.name],
            "shape": list(array.shape),
        }
        if as_bytes:
            tail += raw_pieces(array)
            entry["parameters"] = {"binary_data_size": array.nbytes}
        else:
            entry["data"] = array.ravel()
        entries.append(entry)
    text = wire.encode_in_parts(head | {"outputs": entries}, wire.JSON)
    parts, content_type = [*text, *tail], "application/octet-stream" if any(binary) else wire.JSON
    encoding = request.accept_encodings.best_match([*WBITS]) if request.accept_encodings else None
    if encoding and sum(map(len, parts)) >= SMALLEST_COMPRESSED:
        deflate = zlib.compressobj(1, zlib.DEFLATED, WBITS[encoding])
        response = bodies.response_of([*map(deflate.compress, parts), deflate.flush()], content_type)
        response.headers["Content-Encoding"] = encoding
    else:
        response = bodies.response_of(parts, content_type)
    if any(binary):
        response.headers[HEAD_LENGTH] = str(sum(map(len, text)))
    response.vary.add("Accept-Encoding")
    return response

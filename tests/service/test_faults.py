"""The catalogue of faults: each comes back with its status and code, no 5xx, no wrong 200."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
import pytest
from flask.testing import FlaskClient
from support.posting import GONE, changed, good, pointwise
from werkzeug.test import TestResponse

from deltawire import wire
from deltawire_service.app import create_app
from deltawire_service.problems import MEDIA_TYPE, PROBLEMS

Send = Callable[[FlaskClient], TestResponse]


class Row(NamedTuple):
    """What comes in, and what must come back."""

    id: str
    send: Send
    status: int
    code: str
    pointer: str = ""


def post(body: bytes, path: str = "/v1/gradients", **environ: Any) -> Send:
    environ = {"CONTENT_LENGTH": str(len(body))} | environ
    return lambda client: client.post(
        path, input_stream=BytesIO(body), content_type="application/json", environ_overrides=environ
    )


def sent(request: Any, path: str = "/v1/gradients") -> Send:
    return post(json.dumps(request).encode(), path)


def spoilt(*changes: tuple[str, Any]) -> Send:
    return sent(changed(*changes))


def in_place_of_x(text: str) -> Send:
    """The good request with a text where a number of x was; the text need not be JSON."""
    request = json.dumps(changed(("/data/x/1/0", "HERE")))
    return post(request.replace('"HERE"', text).encode())


def in_nodes(text: bytes) -> Send:
    return post(b'{"data":{},"network":{"inputs":{},"nodes":[' + text + b"]}}")


def base64_of(array: Any, **changes: Any) -> dict[str, Any]:
    array = np.asarray(array)
    encoded = base64.b64encode(array.tobytes()).decode()
    return {"dtype": str(array.dtype), "shape": list(array.shape), "base64": encoded} | changes


def nodes(*entries: dict[str, Any]) -> tuple[str, Any]:
    return "/network/nodes", list(entries)


def chain(length: int) -> dict[str, Any]:
    network = {"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "tanh"}] * length}
    return {"network": network, "data": {"x": [0.5]}}


X = [[1.0, 2.0], [3.0, -4.0], [0.5, 0.0]]


def at(group: str, *rows: tuple[str, str, Any, str]) -> list[Row]:
    """Rows (what, pointer, value, code): the value there is refused, 422, and the answer points there."""
    return [
        Row(f"{group} {what}", spoilt((place, value)), 422, code, place) for what, place, value, code in rows
    ]


SHAPES: list[tuple[Any, str]] = [
    ([10**9, 10**9], "shape_too_large"),
    ([2**32, 2**32], "shape_too_large"),
    ([0, 2**62], "shape_too_large"),
    ([-1, 4], "shape_invalid"),
    ([1.0], "shape_invalid"),
    ([1e9, 1e9], "shape_invalid"),
    ([True], "shape_invalid"),
    (["4"], "shape_invalid"),
    ([None], "shape_invalid"),
    (4, "shape_invalid"),
    ([1] * 9, "shape_invalid"),
]
F01 = [
    Row(f"F01 tensor {shape}", spoilt(("/data/x", base64_of(X, shape=shape))), 422, code)
    for shape, code in SHAPES
] + at(
    "F01",
    ("input 1", "/network/inputs/x/shape", [10**9, 10**9], "shape_too_large"),
    ("input 2", "/network/inputs/x/shape", [2**32, 2**32], "shape_too_large"),
    ("input 3", "/network/inputs/x/shape", [0, 2**62], "shape_invalid"),
    ("input 4", "/network/inputs/x/shape", [-1, 4], "shape_invalid"),
    ("input 5", "/network/inputs/x/shape", [1.0], "shape_invalid"),
    ("input 6", "/network/inputs/x/shape", [True], "shape_invalid"),
    ("input 7", "/network/inputs/x/shape", [1] * 8, "shape_too_large"),
)

F05 = [
    Row("F05 513 nodes", sent(chain(513)), 422, "too_many_nodes", "/network/nodes"),
    Row("F05 a million nodes", in_nodes(b'{"kind":"relu"},' * 999_999 + b"{}"), 413, "json_too_many_members"),
    Row("F05 a million numbers", in_nodes(b"0," * 999_999 + b"0"), 422, "too_many_nodes", "/network/nodes"),
]

A_OF_B = {"name": "a", "kind": "relu", "inputs": ["b"]}
B_OF_A = {"name": "b", "kind": "relu", "inputs": ["a"]}
A_OF_X = {"name": "a", "kind": "relu", "inputs": ["x"]}
LABELS_GONE = [("/data/y", GONE), ("/network/inputs/y", GONE)]
F06 = [
    Row("F06 cycle", spoilt(nodes(A_OF_B, B_OF_A)), 422, "graph_cycle"),
    Row("F06 self edge", spoilt(nodes(A_OF_B | {"inputs": ["a"]})), 422, "graph_cycle"),
    Row("F06 two of a name", spoilt(nodes(A_OF_X, A_OF_X)), 422, "duplicate_name", "/network/nodes/1/name"),
    Row("F06 no loss", spoilt(nodes(A_OF_X), ("/params", {}), *LABELS_GONE), 422, "loss_missing"),
] + at(
    "F06",
    ("unknown input", "/network/nodes/1/inputs/0", "score", "unknown_input"),
    ("node named like an input", "/network/nodes/0/name", "x", "duplicate_name"),
    ("loss of shape (3)", "/network/loss", "scores", "loss_invalid"),
    ("loss of no node", "/network/loss", "lost", "unknown_name"),
)

F07 = [
    Row("F07 100,000 deep", post(b"[" * 10**5 + b"]" * 10**5), 400, "json_too_deep"),
    Row("F07 100,000 deep, unclosed", post(b'{"a":' * 10**4 + b"[" * 10**5), 400, "json_too_deep"),
    Row("F07 33 deep", post(b"[" * 33 + b"]" * 33), 400, "json_too_deep"),
    Row("F07 32 deep", post(b"[" * 32 + b"]" * 32), 422, "field_invalid"),
]

F08 = [
    Row("F08 NaN", in_place_of_x("NaN"), 400, "json_invalid"),
    Row("F08 -Infinity", in_place_of_x("-Infinity"), 400, "json_invalid"),
    Row("F08 1e999", in_place_of_x("1e999"), 400, "json_invalid"),
    Row("F08 5,000-digit integer", in_place_of_x("7" * 5000), 400, "json_invalid"),
    Row("F08 lone surrogate", in_place_of_x(r'"\ud800"'), 400, "json_invalid"),
    Row("F08 UTF-16", post(json.dumps(good()).encode("utf-16")), 400, "json_invalid"),
    Row("F08 Latin-1", post(b'{"n\xe9twork": 1}'), 400, "json_invalid"),
    Row("F08 byte order mark", post(b"\xef\xbb\xbf" + json.dumps(good()).encode()), 400, "json_invalid"),
    Row("F08 empty body", post(b""), 400, "json_invalid"),
    Row("F08 two documents", post(b"{}{}"), 400, "json_invalid"),
    Row("F08 trailing comma", post(b'{"network": {},}'), 400, "json_invalid"),
    Row("F08 comment", post(b"{} // good"), 400, "json_invalid"),
    Row("F08 null", post(b"null"), 422, "field_invalid"),
    Row("F08 list", post(b"[]"), 422, "field_invalid"),
    Row("F08 string", post(b'"network"'), 422, "field_invalid"),
]

F09 = [
    Row("F09 exp overflows", sent(pointwise("exp", 1e4)), 422, "non_finite", "/network/nodes/0"),
    Row("F09 1 / 0", sent(pointwise("reciprocal", 0)), 422, "non_finite", "/network/nodes/0"),
    Row("F09 its slope", sent(pointwise("reciprocal", 1e-200)), 422, "non_finite", "/network/nodes/0"),
    *at("F09", ("NaN in the data", "/data/x", base64_of(np.full((3, 2), np.nan)), "non_finite")),
]

FLOAT32 = ("/dtype", "float32")
TOO_LARGE, INEXACT = ("/data/x/1/1", 1e300), ("/data/x/1/1", 2**24 + 1)
F10 = at(
    "F10",
    ("null", "/data/x/2/0", None, "tensor_invalid"),
    ("true", "/data/x/2/0", True, "tensor_invalid"),
    ("string", "/data/x/2/0", "1", "tensor_invalid"),
    ("string that answers may hold", "/data/x/2/0", "NaN", "tensor_invalid"),
    ("object", "/data/x/2/0", {}, "tensor_invalid"),
    ("list for a number", "/data/x/2/0", [1], "tensor_invalid"),
    ("number for a list", "/data/x/2", 1, "tensor_invalid"),
    ("short row", "/data/x/2", [1], "tensor_invalid"),
    ("null for a tensor", "/data/x", None, "tensor_invalid"),
    ("2^53 + 1 for float64", "/data/x/1/1", 2**53 + 1, "tensor_invalid"),
    ("2^63 for int64", "/data/y/1", 2**63, "tensor_invalid"),
    ("unknown key", "/data/x", base64_of(X, order="F"), "tensor_invalid"),
    ("missing key", "/data/x", {"shape": [0]}, "tensor_invalid"),
) + [
    Row("F10 1e300 for float32", spoilt(TOO_LARGE, FLOAT32), 422, "tensor_invalid", "/data/x/1/1"),
    Row("F10 2^24 + 1 for float32", spoilt(INEXACT, FLOAT32), 422, "tensor_invalid", "/data/x/1/1"),
    *(
        Row(f"F10 base64 {what}", spoilt(("/data/x", leaf)), 422, "tensor_invalid", "/data/x/base64")
        for what, leaf in (
            ("too short", base64_of(X, shape=[4, 2])),
            ("too long", base64_of(X, shape=[2, 2])),
            ("with a newline", base64_of(X, base64="AAAAAAAA\n" * 8)),
            ("unpadded", base64_of(X, base64="A")),
            ("not ASCII", base64_of(X, base64="é")),
            ("a number", base64_of(X, base64=5)),
        )
    ),
]

DTYPES = ("O", "V1000", ">f4", "(1000,1000)f4", "complex64", "float16", "bool", "f8", "", "object", "M8[ns]")
F11 = [
    row
    for dtype in DTYPES
    for row in at(
        f"F11 {dtype!r}",
        ("request", "/dtype", dtype, "dtype_unsupported"),
        ("input", "/network/inputs/x/dtype", dtype, "dtype_unsupported"),
    )
] + [
    Row(f"F11 {dtype!r} tensor", spoilt(("/data/x", base64_of(X, dtype=dtype))), 422, code, "/data/x/dtype")
    for dtype, code in (
        *((dtype, "dtype_unsupported") for dtype in (*DTYPES, 5, None, [])),
        ("float32", "dtype_mismatch"),
        ("int64", "dtype_mismatch"),
    )
]

F16 = at(
    "F16",
    ("−1", "/data/y/1", -1, "label_out_of_range"),
    ("C", "/data/y/1", 3, "label_out_of_range"),
    ("1.9", "/data/y/1", 1.9, "dtype_mismatch"),
    ("1.0", "/data/y/1", 1.0, "dtype_mismatch"),
    ("1e30", "/data/y/1", 1e30, "dtype_mismatch"),
    ("10^30", "/data/y/1", 10**30, "dtype_mismatch"),
    ("true", "/data/y/1", True, "dtype_mismatch"),
) + [
    Row("F16 NaN", spoilt(("/data/y", base64_of([0, np.nan, 1]))), 422, "dtype_mismatch", "/data/y/dtype"),
    Row(
        "F16 −1 in base64", spoilt(("/data/y", base64_of([0, -1, 1]))), 422, "label_out_of_range", "/data/y/1"
    ),
]

NO_ROWS = base64_of(np.zeros((0, 2)))
F17 = at(
    "F17",
    ("batch 0 in lists", "/data/x", [], "shape_mismatch"),
    ("batches 3 and 2", "/data/y", [0, 1], "batch_mismatch"),
    ("(3, 1) for (3)", "/data/y", [[0], [1], [2]], "shape_mismatch"),
    ("an example without its batch axis", "/data/x", [1, 2], "shape_mismatch"),
    ("bias of (1) for (3)", "/params/scores.bias", [0], "shape_mismatch"),
    ("bias of () for (3)", "/params/scores.bias", 0, "shape_mismatch"),
    ("weight transposed", "/params/scores.weight", [[0, 1, 2], [3, 4, 5]], "shape_mismatch"),
    ("parameter of no node", "/params/score.bias", [0], "unknown_parameter"),
    ("parameter missing", "/params/scores.bias", GONE, "missing_parameter"),
    ("data of no input", "/data/z", [0], "unknown_data"),
    ("data missing", "/data/y", GONE, "missing_data"),
) + [
    Row("F17 batch 0", spoilt(("/data/x", NO_ROWS), ("/data/y", [])), 422, "batch_empty", "/data/x"),
    Row("F17 no parameters", spoilt(("/params", GONE)), 422, "missing_parameter", "/params/scores.weight"),
]

ENDS = {"wsgi.input_terminated": True}  # as gunicorn gives it
HTTP = [
    Row("no such route", lambda client: client.get("/v1/gradient"), 404, "not_found"),
    Row("slashes doubled", lambda client: client.get("/v1//layers"), 404, "not_found"),
    Row("no such layer", lambda client: client.get("/v1/layers/lineer"), 404, "layer_not_found"),
    Row("no such network", lambda client: client.get("/v1/networks/digits"), 404, "network_not_found"),
    Row("wrong method", lambda client: client.get("/v1/gradients"), 405, "method_not_allowed"),
    Row("no deadline", post(b"{}", HTTP_DELTAWIRE_DEADLINE="soon"), 400, "deadline_invalid"),
    Row("Accept without JSON", post(b"{}", HTTP_ACCEPT="text/html"), 406, "not_acceptable"),
    Row("chunked", post(b"2\r\n{}\r\n", HTTP_TRANSFER_ENCODING="chunked"), 411, "length_required"),
    Row("Content-Length over the limit", post(b"{}", CONTENT_LENGTH=str(2**30)), 413, "body_too_large"),
    Row("body cut", post(b"{}", CONTENT_LENGTH="50"), 400, "body_truncated"),
    Row("stream that just ends", post(b"{}", CONTENT_LENGTH="50", **ENDS), 400, "body_truncated"),
    Row("no Content-Type", lambda client: client.post("/v1/init", data=b"{}"), 415, "media_type_unsupported"),
    Row("form", lambda client: client.post("/v1/init", data={"a": "b"}), 415, "media_type_unsupported"),
    Row("gzip", post(b"\x1f\x8b", HTTP_CONTENT_ENCODING="gzip"), 415, "content_encoding_unsupported"),
]

FIELDS = (
    at(
        "field",
        ("unknown", "/dtyp", "float32", "field_unknown"),
        ("unknown in a node", "/network/nodes/0/unit", 3, "field_unknown"),
        ("data missing", "/data", GONE, "field_missing"),
        ("network missing", "/network", GONE, "field_missing"),
        ("network a URL", "/network", "https://example.com/network.json", "field_invalid"),
        ("params a list", "/params", [], "field_invalid"),
        ("values no list", "/values", "scores", "field_invalid"),
        ("losses: 1", "/losses", 1, "field_invalid"),
        ("reduction unknown", "/reduction", "max", "field_invalid"),
        ("tensors unknown", "/tensors", "npy", "field_invalid"),
        ("dtype a number", "/dtype", 64, "field_invalid"),
    )
    + [
        Row(f"field wrt {wrt}", spoilt(("/wrt", {place: wrt})), 422, code, f"/wrt/{place}")
        for place, wrt, code in (
            ("param", True, "field_unknown"),
            ("data", "x", "field_invalid"),
            ("params", [1], "field_invalid"),
            ("params", ["a" * 300], "field_invalid"),
            ("params", ["a"] * 3000, "field_invalid"),
        )
    ]
    + [
        Row(
            f"field seed {seed}",
            sent({"network": {}, "seed": seed}, "/v1/init"),
            422,
            "field_invalid",
            "/seed",
        )
        for seed in (-1, 2**64, 1.0, True, "1", None)
    ]
)

FIRST = good()["network"]["nodes"][0]
TWIN = FIRST | {"name": "twin", "inputs": ["scores"], "tied_to": "scores"}
HUGE = ("/network/nodes/0/config/units", 10**10)
NETWORK = at(
    "network",
    ("name with a newline", "/network/nodes/0/name", "scores\n", "name_invalid"),
    ("name of 65", "/network/nodes/0/name", "a" * 65, "name_invalid"),
    ("name with a dot", "/network/nodes/0/name", "a.b", "name_invalid"),
    ("name reserved", "/network/nodes/0/name", "params", "name_reserved"),
    ("kind unknown", "/network/nodes/0/kind", "lineer", "unknown_kind"),
    ("kind a path", "/network/nodes/0/kind", "file:///etc/passwd", "unknown_kind"),
    ("units 0", "/network/nodes/0/config/units", 0, "config_invalid"),
    ("two inputs for one", "/network/nodes/0/inputs", ["x", "x"], "arity_mismatch"),
    ("too many tensors", "/data", {f"x{place}": 0 for place in range(1001)}, "too_many_tensors"),
) + [
    Row("labels of another shape", spoilt(("/network/inputs/y/shape", [2])), 422, "shape_mismatch"),
    Row("tie that does not fit", spoilt(nodes(FIRST, TWIN)), 422, "tie_invalid", "/network/nodes/1/tied_to"),
    Row("value of no node", spoilt(("/values", ["score"])), 422, "unknown_name", "/values/0"),
    Row("delta of no node", spoilt(("/deltas", ["score"])), 422, "unknown_name", "/deltas/0"),
    Row("gradient by labels", spoilt(("/wrt", {"data": ["y"]})), 422, "not_differentiable", "/wrt/data/0"),
    Row("10^10 units", spoilt(HUGE), 422, "memory_plan_exceeded"),
    Row(
        "10^10 to draw", sent({"network": changed(HUGE)["network"]}, "/v1/init"), 422, "memory_plan_exceeded"
    ),
]


def binary(body: bytes, path: str = "/v1/gradients") -> Send:
    return lambda client: client.post(path, data=body, content_type=wire.SAFETENSORS)


def in_binary(*changes: tuple[str, Any]) -> Send:
    """The good request, its tensors as arrays, with values replaced."""
    request = changed(*changes)
    for place in ("params", "data"):
        request[place] = {name: np.array(tensor) for name, tensor in request[place].items()}
    return binary(wire.encode(request, wire.SAFETENSORS))


BODY = wire.encode(good() | {"data": {"x": np.array(X)}}, wire.SAFETENSORS)
EMPTY = b",".join(b'"x%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}' % i for i in range(10**6))
F12 = [
    Row(f"F12 cut at {end}", binary(BODY[:end]), 400, "tensor_body_invalid")
    for end in (1, 7, 8, 9, len(BODY) - 1)
] + [
    Row("F12 trailing byte", binary(BODY + b"0"), 400, "tensor_body_invalid"),
    Row("F12 header of 2^63", binary((2**63).to_bytes(8, "little") + b"{}"), 400, "tensor_body_invalid"),
    Row("F12 mixed floats", in_binary(("/params/scores.bias", np.zeros(3, "f4"))), 422, "dtype_mismatch"),
    Row("F12 other dtype", in_binary(("/dtype", "float32")), 422, "dtype_mismatch"),
    Row("F12 labels of floats", in_binary(("/data/y", [0.0, 1.0, 2.0])), 422, "dtype_mismatch", "/data/y"),
]
F13 = [
    Row("F13 a million empty tensors", binary(len(EMPTY).to_bytes(8, "little") + EMPTY), 413, code)
    for code in ("tensor_header_too_large",)
]

ONES = [[1, 0, 0]] * 3
BIAS = {"params": {"scores.bias": [1, 0, 0]}}


def cotangent(array: Any) -> dict[str, Any]:
    return {"cotangents": {"scores": array}}


def along(place: str, name: str, array: Any) -> dict[str, Any]:
    return {"tangents": {place: {name: array}}, "outputs": ["loss"]}


def ones(dtype: str) -> dict[str, Any]:
    return base64_of(np.ones((3, 3), dtype))


NAN, TWO = base64_of(np.full((3, 3), np.nan)), {"params": BIAS["params"], "data": {"x": [[[1, 0]] * 3] * 2}}
COTANGENT, TANGENT, VECTOR = "/cotangents/scores", "/tangents/params/scores.bias", "/vectors/data"
DERIVATIVES = [
    Row(f"{path} {what}", sent(good() | more, f"/v1/{path}"), 422, code, pointer)
    for path, what, more, code, pointer in (
        ("vjp", "of nothing", {"cotangents": {}}, "field_invalid", "/cotangents"),
        ("vjp", "without cotangents", {}, "field_missing", "/cotangents"),
        ("vjp", "of no node", {"cotangents": {"score": ONES}}, "unknown_name", "/cotangents/score"),
        ("vjp", "of an input", {"cotangents": {"y": [1, 1, 1]}}, "unknown_name", "/cotangents/y"),
        ("vjp", "of two rows", cotangent(ONES[:2]), "shape_mismatch", COTANGENT),
        ("vjp", "of none at once", cotangent([]), "shape_mismatch", COTANGENT),
        ("vjp", "of ragged rows", cotangent([[1], [1, 2]]), "tensor_invalid", f"{COTANGENT}/1"),
        ("vjp", "of null", cotangent(None), "tensor_invalid", COTANGENT),
        ("vjp", "in float32", cotangent(ones("f4")), "dtype_mismatch", f"{COTANGENT}/dtype"),
        ("vjp", "in integers", cotangent(ones("i8")), "dtype_mismatch", f"{COTANGENT}/dtype"),
        ("vjp", "of NaN", cotangent(NAN), "non_finite", COTANGENT),
        ("vjp", "by labels", cotangent(ONES) | {"wrt": {"data": ["y"]}}, "not_differentiable", "/wrt/data/0"),
        ("jvp", "without tangents", {"outputs": ["scores"]}, "field_missing", "/tangents"),
        ("jvp", "along nothing", {"tangents": {}, "outputs": ["scores"]}, "field_invalid", "/tangents"),
        ("jvp", "of nothing", {"tangents": BIAS, "outputs": []}, "field_invalid", "/outputs"),
        ("jvp", "of an input", {"tangents": BIAS, "outputs": ["x"]}, "unknown_name", "/outputs/0"),
        ("jvp", "along labels", along("data", "y", [1, 1, 1]), "not_differentiable", "/tangents/data/y"),
        ("jvp", "along no parameter", along("params", "b", [1]), "unknown_parameter", "/tangents/params/b"),
        ("jvp", "along no input", along("data", "z", [1]), "unknown_data", "/tangents/data/z"),
        ("jvp", "along too little", along("params", "scores.bias", [1]), "shape_mismatch", TANGENT),
        ("jvp", "along a text", along("params", "scores.bias", "[]"), "tensor_invalid", TANGENT),
        ("jvp", "field", {"tangents": {"param": {}}, "outputs": []}, "field_unknown", "/tangents/param"),
        ("jacobian", "of nothing", {"outputs": []}, "field_invalid", "/outputs"),
        ("jacobian", "any way", {"outputs": ["loss"], "way": "both"}, "field_invalid", "/way"),
        ("hvp", "without vectors", {}, "field_missing", "/vectors"),
        ("hvp", "along nothing", {"vectors": {}}, "field_invalid", "/vectors"),
        ("hvp", "form of nothing", {"quadratic": True, "diagonal": {}}, "field_invalid", "/quadratic"),
        ("hvp", "along labels", {"vectors": {"data": {"y": [1, 1, 1]}}}, "not_differentiable", f"{VECTOR}/y"),
        ("hvp", "of one and two", {"vectors": TWO}, "shape_mismatch", f"{VECTOR}/x"),
        ("hvp", "no samples", {"diagonal": {"samples": 0}}, "field_invalid", "/diagonal/samples"),
        (
            *("hvp", "of several cotangents"),
            {"vectors": BIAS, "cotangents": {"loss": [[1, 1, 1]] * 2}},
            *("shape_mismatch", "/cotangents"),
        ),
        ("gradients", "trace of each", {"per_example": True, "trace": True}, "field_invalid", "/trace"),
    )
]


def large(numbers: int, batch: int, units: int) -> dict[str, Any]:
    """A small request whose derivatives may be large: o = W x, and its sum."""
    nodes = [{"name": "o", "kind": "linear", "config": {"units": units, "bias": False}}, {"kind": "sum"}]
    return {
        "network": {"inputs": {"x": {"shape": [numbers]}}, "nodes": nodes},
        "params": {"o.weight": base64_of(np.zeros((units, numbers)))},
        "data": {"x": base64_of(np.zeros((batch, numbers)))},
    }


MOVED = {"data": {"x": base64_of(np.zeros((100, 1, 1000)))}}
DERIVATIVES += [
    Row(f"{path} too large", sent(request | more, f"/v1/{path}"), 422, "memory_plan_exceeded", "/network")
    for path, request, more in (
        ("gradients", large(1000, 100, 1000), {"per_example": True}),
        ("jacobian", large(1000, 100, 1000), {"outputs": ["o"]}),
        ("vjp", large(1000, 1, 1000), {"cotangents": {"sum1": [[1]] * 100}}),
        ("hvp", large(1000, 1, 1000), {"vectors": MOVED, "wrt": {}}),
        ("jvp", large(1, 1, 100_000), {"tangents": {"data": {"x": [[[1]]] * 1000}}, "outputs": ["o"]}),
    )
]

ROWS = [
    *DERIVATIVES,
    *F12,
    *F13,
    *F01,
    *F05,
    *F06,
    *F07,
    *F08,
    *F09,
    *F10,
    *F11,
    *F16,
    *F17,
    *HTTP,
    *FIELDS,
    *NETWORK,
]


@pytest.fixture(scope="module")
def client() -> Iterator[FlaskClient]:
    yield create_app().test_client()


@pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])
def test_fault(client: FlaskClient, row: Row) -> None:
    answer = row.send(client)
    problem = answer.get_json(force=True)
    assert (answer.status_code, problem["code"]) == (row.status, row.code), problem
    assert answer.mimetype == MEDIA_TYPE
    assert problem["status"] == PROBLEMS[row.code].status == row.status
    assert problem["errors"][0]["code"] == row.code
    if row.pointer:
        assert problem["errors"][0]["pointer"] == row.pointer
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert len(answer.data) < 10_000
    assert client.post("/v1/gradients", json=good()).status_code == 200


def test_every_code_is_provoked() -> None:
    """By a row above; what nobody can provoke alone from outside, in test_problems.py and test_slots.py."""
    elsewhere = {"bad_request", "plugin_error", "internal", "overloaded", "deadline_exceeded", "not_ready"}
    assert {row.code for row in ROWS} | elsewhere == set(PROBLEMS)


def test_the_largest_network_is_answered(client: FlaskClient) -> None:
    assert client.post("/v1/gradients", json=chain(512)).status_code == 200


def test_of_duplicate_keys_the_last_one_counts(client: FlaskClient) -> None:
    body = json.dumps(good())[:-1] + ', "reduction": "max", "reduction": "mean"}'
    answer = client.post("/v1/gradients", data=body, content_type="application/json")
    assert answer.get_json() == client.post("/v1/gradients", json=good()).get_json()


def test_numbers_that_are_not_finite_are_returned_on_request(client: FlaskClient) -> None:
    """As strings in lists, as bytes in base64: JSON itself has no way to say them."""
    request = pointwise("reciprocal", 0.0) | {"non_finite": "return", "losses": True}
    answer = client.post("/v1/gradients", json=request).get_json()
    assert answer["loss"] == "Infinity"
    assert answer["losses"] == ["Infinity"]
    assert answer["gradients"]["data"]["x"] == ["-Infinity"]
    answer = client.post("/v1/gradients", json=request | {"tensors": "base64"}).get_json()
    assert np.frombuffer(base64.b64decode(answer["gradients"]["data"]["x"]["base64"])) == -np.inf


def test_a_cycle_is_named_and_an_unknown_name_gets_a_suggestion(client: FlaskClient) -> None:
    detail = spoilt(nodes(A_OF_B, B_OF_A))(client).get_json()["detail"]
    assert "a → b → a" in detail or "b → a → b" in detail
    detail = spoilt(("/network/nodes/1/inputs/0", "score"))(client).get_json()["detail"]
    assert "did you mean 'scores'?" in detail


def test_a_wrong_label_is_named_with_its_row(client: FlaskClient) -> None:
    for label in (-1, 3, 1.9, 1e30, True):
        assert "row 1" in spoilt(("/data/y/1", label))(client).get_json()["detail"], label


def test_all_faults_are_told_at_once(client: FlaskClient) -> None:
    answer = spoilt(("/reductoin", 1), ("/losses", 1), ("/wrt", {"params": 1}), ("/network", GONE))(client)
    assert {(error["pointer"], error["code"]) for error in answer.get_json()["errors"]} == {
        ("/reductoin", "field_unknown"),
        ("/losses", "field_invalid"),
        ("/wrt/params", "field_invalid"),
        ("/network", "field_missing"),
    }
    answer = spoilt(("/data/x/0/1", None), ("/params/scores.bias/2", "0"), ("/data/y/0", 0.5))(client)
    assert {error["pointer"] for error in answer.get_json()["errors"]} == {
        "/data/x/0/1", "/params/scores.bias/2", "/data/y/0",
    }  # fmt: skip

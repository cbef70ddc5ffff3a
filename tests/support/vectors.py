"""Vectors of the body formats: requests and their answers, each as JSON and as a safetensors file.

    PYTHONPATH=tests python -m support.vectors

writes those of tests/vectors again. All arithmetic is exact, so that every machine gets the same bits.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from deltawire import wire
from deltawire_service.app import create_app
from deltawire_service.settings import Settings

FOLDER = Path(__file__).parents[1] / "vectors"
REFUSED = FOLDER / "refused"


def node(kind: str, name: str, *inputs: str, **config: Any) -> dict[str, Any]:
    return {"kind": kind, "name": name, "inputs": list(inputs), "config": config}


def scalars(*names: str) -> dict[str, Any]:
    return {name: {"shape": []} for name in names}


def f8(*numbers: Any) -> wire.Array:
    return np.array(numbers, np.float64)


def f4(*numbers: Any) -> wire.Array:
    return np.array(numbers, np.float32)


LINE = {
    "inputs": {"x": {"shape": [2]}},
    "nodes": [
        node("linear", "line", "x", units=3),
        node("multiply", "square", "line", "line"),
        node("sum", "loss", "square"),
    ],
}
LINE_PARAMS = {"line.weight": f8([1, -2], [0.5, 4], [-8, 0.25]), "line.bias": f8(1, 0, -1)}
LINE_DATA = {"x": f8([1, 2], [-3, 0.5])}
ON_LINE = {"network": LINE, "params": LINE_PARAMS, "data": LINE_DATA}

VECTORS: dict[str, tuple[str, dict[str, Any]]] = {
    "circuit": (
        "/v1/gradients",
        {
            "network": {
                "inputs": scalars("x", "y", "z"),
                "nodes": [node("add", "q", "x", "y"), node("multiply", "f", "q", "z")],
            },
            "data": {"x": f8(-2), "y": f8(5), "z": f8(-4)},
            "wrt": {"data": True},
            "losses": True,
            "values": ["q"],
            "deltas": ["q"],
        },
    ),
    "float32_and_int64": (
        "/v1/gradients",
        {
            "network": {
                "inputs": {"word": {"shape": [2], "dtype": "int64"}, "shift": {"shape": [2, 4]}},
                "nodes": [
                    node("embedding", "vectors", "word", rows=3, width=4),
                    node("subtract", "difference", "vectors", "shift"),
                    node("multiply", "square", "difference", "difference"),
                    node("sum", "loss", "square"),
                ],
            },
            "params": {"vectors.weight": f4([1, 2, 3, 4], [-1, 0, 0.5, 0.25], [8, -8, 16, -16])},
            "data": {
                "word": np.array([[2, 0], [0, 0], [1, 2]]),
                "shift": np.arange(24, dtype=np.float32).reshape(3, 2, 4) / 8,
            },
            "dtype": "float32",
            "reduction": "sum",
            "per_example": True,
            "wrt": {"data": ["shift"]},
        },
    ),
    "special_numbers": (
        "/v1/forward",
        {
            "network": {"inputs": scalars("x"), "nodes": [node("identity", "y", "x")]},
            "data": {"x": f8(np.inf, -np.inf, -0.0, 5e-324, np.finfo(np.float64).max, 0.1)},
            "values": ["y"],
            "non_finite": "return",
        },
    ),
    "odd_names": (
        "/v1/forward",
        {
            "network": {
                "inputs": scalars("__proto__", "constructor"),
                "nodes": [node("add", "toString", "__proto__", "constructor")],
                "metadata": {"title": 'δ "quoted" \\ \U0001d6c1'},
            },
            "data": {"__proto__": f8(1, 2), "constructor": f8(3, 4)},
            "values": ["toString"],
        },
    ),
    "two_cotangents": (
        "/v1/vjp",
        ON_LINE | {"cotangents": {"line": f8([[1, 0, 2], [0, 1, 0]], [[0, 0, 1], [4, 0, 0]])}},
    ),
    "tangents": (
        "/v1/jvp",
        ON_LINE
        | {
            "tangents": {"params": {"line.bias": f8(1, 2, 4)}, "data": {"x": f8([1, 0], [0, 1])}},
            "outputs": ["line", "loss"],
        },
    ),
    "jacobian": ("/v1/jacobian", ON_LINE | {"outputs": ["line", "loss"], "wrt": {"data": True}}),
    "hessian": (
        "/v1/hvp",
        ON_LINE | {"vectors": {"params": {"line.bias": f8(1, 2, 4)}}, "quadratic": True, "reduction": "sum"},
    ),
}
"""Route and request by the name of the vector."""


def file(header: Any, numbers: bytes = b"", length: int | None = None) -> bytes:
    """Return a safetensors file, whose header may claim another length."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + numbers


def tensor(start: int, end: int, shape: list[int], dtype: str = "F64") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


DOCUMENT = {"__metadata__": {"response": "{}"}}

REFUSED_FILES = {
    "shorter_than_8_bytes": b"\x02\0\0\0",
    "header_longer_than_file": file(DOCUMENT, length=10_000),
    "header_is_no_json": file(b"{'a': 1}"),
    "header_is_a_list": file(b"[]"),
    "no_document": file({"losses": tensor(0, 8, [1])}, bytes(8)),
    "document_is_no_json": file({"__metadata__": {"response": "{"}}),
    "unknown_dtype": file(DOCUMENT | {"losses": tensor(0, 2, [1], "F16")}, bytes(2)),
    "shape_and_size_differ": file(DOCUMENT | {"losses": tensor(0, 8, [2])}, bytes(8)),
    "hole_before_a_tensor": file(DOCUMENT | {"losses": tensor(8, 16, [1])}, bytes(16)),
    "overlap": file(DOCUMENT | {"values/a": tensor(0, 16, [2]), "values/b": tensor(8, 24, [2])}, bytes(24)),
    "trailing_bytes": file(DOCUMENT | {"losses": tensor(0, 8, [1])}, bytes(9)),
    "beyond_the_end": file(DOCUMENT | {"losses": tensor(0, 16, [2])}, bytes(8)),
    "place_taken": file(
        {"__metadata__": {"response": '{"losses": 1}'}, "losses": tensor(0, 8, [1])}, bytes(8)
    ),
    "place_below_a_number": file(
        {"__metadata__": {"response": '{"values": 1}'}, "values/a": tensor(0, 8, [1])}, bytes(8)
    ),
}
"""Answers that no reader may take for a document, by what is wrong with them."""


def write() -> None:
    """Write all vectors, with the answers of this service."""
    client = create_app(Settings(log_level="error")).test_client()
    for name, (route, request) in VECTORS.items():
        folder = FOLDER / name
        folder.mkdir(parents=True, exist_ok=True)
        document = request | {"tensors": "base64"}
        for suffix, media_type in (("json", wire.JSON), ("safetensors", wire.SAFETENSORS)):
            body = wire.encode(document, media_type, "base64")
            answer = client.post(route, data=body, content_type=media_type)
            assert answer.status_code == 200, answer.text
            (folder / f"request.{suffix}").write_bytes(body)
            (folder / f"answer.{suffix}").write_bytes(answer.data)
    routes = {name: route for name, (route, _) in VECTORS.items()}
    (FOLDER / "routes.json").write_text(json.dumps(routes, indent=2) + "\n")
    REFUSED.mkdir(exist_ok=True)
    for name, body in REFUSED_FILES.items():
        (REFUSED / f"{name}.safetensors").write_bytes(body)


if __name__ == "__main__":
    write()

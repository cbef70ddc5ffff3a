"""Bodies of KServe V2, made and read by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from flask.testing import FlaskClient

DATATYPES = {"float64": "FP64", "float32": "FP32", "int64": "INT64"}
DTYPES = {datatype: np.dtype(name) for name, datatype in DATATYPES.items()}
HEAD = "Inference-Header-Content-Length"


def infer(
    client: FlaskClient,
    model: str,
    arrays: dict[str, Any],
    outputs: list[str] | None = None,
    binary: bool = True,
    **parts: Any,
) -> Any:
    """The answer to an inference whose tensors are sent, and wanted back, as bytes or as lists."""
    inputs, tail = [], b""
    for name, leaf in arrays.items():
        array = np.asarray(leaf)
        entry = {"name": name, "shape": list(array.shape), "datatype": DATATYPES[array.dtype.name]}
        if binary:
            entry["parameters"] = {"binary_data_size": array.nbytes}
            tail += array.tobytes()
        else:
            entry["data"] = array.ravel().tolist()
        inputs.append(entry)
    head: dict[str, Any] = {"inputs": inputs, "parameters": {"binary_data_output": binary}}
    if outputs is not None:
        head["outputs"] = [{"name": name} for name in outputs]
    return sent(client, model, head | parts, tail)


def sent(client: FlaskClient, model: str, head: Any, tail: bytes = b"", **headers: str) -> Any:
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    length = {HEAD: str(len(text))} if tail else {}
    return client.post(f"/v2/models/{model}/infer", data=text + tail, headers={**length, **headers})


def received(answer: Any) -> dict[str, np.ndarray]:
    """The outputs of an answer, by name."""
    assert answer.status_code == 200, answer.text
    length = int(answer.headers.get(HEAD, len(answer.data)))
    head, tail = json.loads(answer.data[:length]), answer.data[length:]
    found = {}
    for entry in head["outputs"]:
        dtype, size = DTYPES[entry["datatype"]], entry.get("parameters", {}).get("binary_data_size")
        if size is None:
            array = np.array(entry["data"], dtype)
        else:
            array, tail = np.frombuffer(tail[:size], dtype), tail[size:]
        found[entry["name"]] = array.reshape(entry["shape"])
    assert not tail
    return found

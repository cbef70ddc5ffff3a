"""Requests of the protocols of others, with large inputs and large answers, for one published network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from support.publishing import publish

BATCH, WIDTH, UNITS = 500, 1000, 900
NETWORK = {
    "inputs": {"x": {"shape": [WIDTH]}},
    "nodes": [
        {"name": "y", "kind": "linear", "config": {"units": UNITS}, "inputs": ["x"]},
        {"name": "loss", "kind": "sum", "inputs": ["y"]},
    ],
    "loss": "loss",
}


class Request(NamedTuple):
    """A request of a protocol."""

    path: str
    body: bytes
    headers: dict[str, str]

    def __str__(self) -> str:
        return f"{self.path} {len(self.body)} B {self.headers}"


def publish_wide(folder: Path) -> None:
    """Publish the network as `wide`."""
    numbers = np.random.default_rng(0)
    params = {
        "y.weight": numbers.normal(size=(UNITS, WIDTH)).tolist(),
        "y.bias": numbers.normal(size=UNITS).tolist(),
    }
    publish(folder, "wide", network=NETWORK, params=params, values=["y"])


def requests() -> Iterator[Request]:
    """Yield requests of every protocol."""
    x = np.random.default_rng(1).normal(size=(BATCH, WIDTH))
    lists = x.tolist()
    entry = {"name": "x", "shape": [BATCH, WIDTH], "datatype": "FP64"}
    inputs: dict[str, dict[str, Any]] = {
        "lists": entry | {"data": x.ravel().tolist()},
        "bytes": entry | {"parameters": {"binary_data_size": x.nbytes}},
    }
    for sent in inputs:
        for binary in (False, True):
            for model in ("wide", "wide:gradients"):
                head = json.dumps(
                    {"inputs": [inputs[sent]], "parameters": {"binary_data_output": binary}}
                ).encode()
                tail, headers = (x.tobytes(), {"CONTENT_TYPE": "application/octet-stream"})
                if sent == "lists":
                    tail, headers = b"", {"CONTENT_TYPE": "application/json"}
                headers["INFERENCE_HEADER_CONTENT_LENGTH"] = str(len(head))
                yield Request(f"/v2/models/{model}/infer", head + tail, headers)
    for accept in ("application/json", "application/json+base64"):
        headers = {"CONTENT_TYPE": "application/json", "ACCEPT": accept}
        yield Request("/tesseract/wide/apply", json.dumps({"inputs": {"x": lists}}).encode(), headers)
        cotangents = np.ones((BATCH, UNITS)).tolist()
        products = {"inputs": {"x": lists}, "vjp_inputs": ["x"], "vjp_outputs": ["y"]}
        products["cotangent_vector"] = {"y": cotangents}
        yield Request("/tesseract/wide/vector_jacobian_product", json.dumps(products).encode(), headers)
    vector = np.random.default_rng(2).normal(size=UNITS * WIDTH + UNITS).tolist()
    document = {"name": "wide.loss", "input": [vector], "outWrt": 0, "inWrt": 0, "sens": [1.0]}
    document["config"] = {"data": {"x": lists[:2]}}
    yield Request("/Gradient", json.dumps(document).encode(), {"CONTENT_TYPE": "application/json"})

"""Files of a network: as the SDK writes them, and with one thing wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from deltawire import Network

NETWORK = {
    "inputs": {"x": {"shape": [2]}},
    "nodes": [
        {"name": "hidden", "kind": "linear", "inputs": ["x"], "config": {"units": 3}},
        {"name": "total", "kind": "sum", "inputs": ["hidden"]},
    ],
}
REQUEST = json.dumps({"network": NETWORK})
WEIGHT = np.array([[0.1, -0.25], [1.5, 2.0], [-3.0, 0.7]])


def saved(path: Path, dtype: str = "float64") -> Path:
    """Write the network with its parameters, as `Network.save` does."""
    net = Network()
    net.layer("sum", net.layer("linear", net.input("x", shape=(2,)), units=3, name="hidden"), name="total")
    net.save(path, {"hidden.weight": WEIGHT.astype(dtype), "hidden.bias": np.zeros(3, dtype)})
    return path


def safetensors(tensors: dict[str, tuple[str, list[Any], bytes]], metadata: dict[str, str]) -> bytes:
    """Return the bytes of a file with these tensors: dtype, shape and numbers by name."""
    header: dict[str, Any] = {"__metadata__": metadata}
    body = b""
    for name, (dtype, shape, numbers) in tensors.items():
        offsets = [len(body), len(body) + len(numbers)]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
        body += numbers
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body

"""Networks that a link of the explorer holds."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any


def residual(blocks: int) -> dict[str, Any]:
    """Return a document of a network of 4 nodes a block, and 4 around them."""
    nodes: list[dict[str, Any]] = [
        {"name": "h0", "kind": "linear", "inputs": ["x"], "config": {"units": 6}},
    ]
    for block in range(1, blocks + 1):
        below = f"h{block - 1}"
        nodes += [
            {"name": f"in{block}", "kind": "linear", "inputs": [below], "config": {"units": 6}},
            {"name": f"act{block}", "kind": "tanh", "inputs": [f"in{block}"]},
            {"name": f"out{block}", "kind": "linear", "inputs": [f"act{block}"], "config": {"units": 6}},
            {"name": f"h{block}", "kind": "add", "inputs": [f"out{block}", below]},
        ]
    nodes += [
        {"name": "scores", "kind": "linear", "inputs": [f"h{blocks}"], "config": {"units": 3}},
        {"name": "log_probs", "kind": "log_softmax", "inputs": ["scores"]},
        {"name": "loss", "kind": "nll", "inputs": ["log_probs", "y"]},
    ]
    inputs = {"x": {"shape": [4]}, "y": {"shape": [], "dtype": "int64"}}
    data = {"x": [[0.5, -1, 0.25, 1.5]], "y": [1]}
    return {"network": {"inputs": inputs, "nodes": nodes, "loss": "loss"}, "data": data}


def state_of(document: dict[str, Any]) -> str:
    """Return the part of an address that holds a document."""
    packed = zlib.compress(json.dumps(document).encode(), 9, -zlib.MAX_WBITS)
    return f"state={base64.urlsafe_b64encode(packed).decode().rstrip('=')}"

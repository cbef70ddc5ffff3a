"""Networks that are published for the clients of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from support.console import ROOT
from support.publishing import publish

FLOW: dict[str, Any] = json.loads((ROOT / "examples" / "flow_graph.json").read_text())
"""The lecture's network with a skip connection: four numbers in, `probs` of three classes out."""

PARAMS = {name: np.array(leaf) for name, leaf in FLOW["params"].items()}
X, Y = np.array(FLOW["data"]["x"]), np.array(FLOW["data"]["y"])

LINE: dict[str, Any] = {
    "inputs": {"x": {"shape": [1]}, "y": {"shape": [1]}},
    "nodes": [
        {"name": "f", "kind": "linear", "inputs": ["x"], "config": {"units": 1}},
        {"name": "square", "kind": "squared_error", "inputs": ["f", "y"]},
    ],
    "loss": {"square": 2.0},
}
"""y = w x + b, with noise of σ = ½: (y − f)²/2σ² is what the logarithm of the likelihood loses by a point."""

POINTS = np.linspace(-1, 1, 12)[:, None]
SEEN = 0.7 * POINTS - 0.2 + np.random.default_rng(3).normal(0, 0.5, POINTS.shape)


def publish_all(folder: Path) -> None:
    """`flow` without data, `pinned` with it, `flow32` in float32, and `line` with its points."""
    spec = FLOW["network"]
    publish(folder, "flow", network=spec, params=PARAMS, values=["probs"])
    publish(folder, "pinned", network=spec, params=PARAMS, values=["probs"], data=FLOW["data"])
    publish(folder, "flow32", "float32", network=spec, params=PARAMS, values=["probs"])
    start = {"f.weight": [[0.0]], "f.bias": [0.0]}
    publish(folder, "line", network=LINE, params=start, data={"x": POINTS, "y": SEEN}, values=["f"])

"""The engine's answers in the form the oracles give theirs."""

from __future__ import annotations

from typing import Any

import numpy as np
from support.networks import Example

from deltawire_layers import load_layers
from deltawire_service.engine import Network, compile_network

LAYERS = load_layers()


def compiled(spec: dict[str, Any]) -> Network:
    return compile_network(spec, LAYERS)


def shapes_of(example: Example) -> dict[str, tuple[int, ...]]:
    return {name: node.shape for name, node in compiled(example.spec).nodes.items()}


def everything(example: Example) -> dict[str, np.ndarray]:
    """Loss, losses, all gradients, all values and deltas of an example."""
    network = compiled(example.spec)
    result = network.gradients(
        example.params, example.data, wrt_data=True, reduction=example.reduction,
        values=network.nodes, deltas=network.nodes,
    )  # fmt: skip
    return {
        "loss": np.asarray(result.loss), "losses": result.losses,
        **{f"params/{name}": array for name, array in result.params.items()},
        **{f"data/{name}": array for name, array in result.data.items()},
        **{f"deltas/{name}": array for name, array in result.deltas.items()},
        **{f"values/{name}": array for name, array in result.values.items()},
    }  # fmt: skip

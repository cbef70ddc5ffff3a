"""Export parameters under the names and in the layout of a torch module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from deltawire.errors import missing_extra
from deltawire.network import Network
from deltawire.wire import Array

try:
    import torch
except ModuleNotFoundError as error:
    raise missing_extra("torch", error) from error

NAMES = {
    ("multi_head_attention", "out_proj_weight"): "out_proj.weight",
    ("multi_head_attention", "out_proj_bias"): "out_proj.bias",
} | {
    (kind, f"{what}_{which}"): f"{what}_{which}_l0"
    for kind in ("elman", "gru", "lstm")
    for what in ("weight", "bias")
    for which in ("ih", "hh")
}
"""Parameters whose local name in torch differs from ours: (kind, our name) to torch's name."""

LAYOUTS = "; "
"""Separator between the steps of a layout in the metadata of an imported network."""

STATISTICS = "running_mean", "running_var"
"""Names of torch's buffers for the second and third input of a batch_norm."""


def to_state_dict(
    network: Network | Mapping[str, Any],
    params: Mapping[str, Array],
    constants: Mapping[str, Array] | None = None,
) -> dict[str, torch.Tensor]:
    """Return a state dict that `load_state_dict` of a torch module with the same layers accepts.

    The metadata of an imported network holds torch's names. Any other network gets `node.parameter`. A tied
    node repeats the tensors of its owner under its own names, as torch does.

    Args:
        network: The network, or its spec.
        params: Its parameters by name, or their gradients.
        constants: Arrays of its shared inputs, by name; running statistics of norms become buffers.

    Returns:
        New tensors, by their name in torch.
    """
    spec = network.spec() if isinstance(network, Network) else network
    notes: Mapping[str, str] = spec.get("metadata", {})
    given = constants or {}
    state = {}
    for name in spec["inputs"]:
        if name in params:  # a learned input
            place = f"params/{name}"
            state[notes.get(place, name)] = _tensor(params[name], notes.get(f"layout/{place}", ""))
    for node in spec["nodes"]:
        for local, array in _of(node, params):
            place = f"params/{node['name']}.{local}"
            theirs = NAMES.get((node["kind"], local), local)
            name = notes.get(place, f"{node['name']}.{theirs}")
            state[name] = _tensor(array, notes.get(f"layout/{place}", ""))
        if node["kind"] == "batch_norm":
            for statistic, source in zip(STATISTICS, node["inputs"][1:], strict=True):
                if source in given:
                    name = notes.get(f"data/{source}", f"{node['name']}.{statistic}")
                    state[name] = _tensor(given[source])
    return state


def _of(node: Mapping[str, Any], params: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """Yield the local name and the array of each parameter of a node, its own and those it shares."""
    transpose = node.get("transpose", False)
    for name, array in params.items():
        owner, _, local = name.rpartition(".")
        if owner == node["name"]:
            yield local, array
        elif owner == node.get("tied_to") and (array.ndim == 2 or not transpose):
            yield local, array.T if transpose else array


def _tensor(array: Array, layout: str = "") -> torch.Tensor:
    """Return a new tensor in the layout before the import: undo the steps, the last one first."""
    for step in reversed(layout.split(LAYOUTS) if layout else []):
        what, _, numbers = step.partition(" ")
        given = [int(number) for number in numbers.split(",") if number]
        if what == "shape":
            array = array.reshape(given)
        else:  # "transposed", or "axes" and their order
            array = array.transpose(np.argsort(given) if given else None)
    return torch.from_numpy(np.array(array))

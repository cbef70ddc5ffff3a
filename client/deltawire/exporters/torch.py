"""Parameters under the names and in the layout of a torch module."""

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
"""torch's names of the parameters whose local names differ."""

LAYOUTS = "; "
"""Stands between the steps of a layout in the metadata of an imported network."""

STATISTICS = "running_mean", "running_var"
"""The second and third input of a batch_norm: buffers of torch's module."""


def to_state_dict(
    network: Network | Mapping[str, Any],
    params: Mapping[str, Array],
    constants: Mapping[str, Array] | None = None,
) -> dict[str, torch.Tensor]:
    """Return what `load_state_dict` of a module of the same layers takes.

    An imported network's metadata has the names; those of any other are `node.parameter`, as its nodes are
    called. A node tied to another has the same tensors under its own names, as torch has.

    Args:
        network: The network, or its spec.
        params: Its parameters by name, or their gradients.
        constants: Numbers of its shared inputs; the running statistics of norms are part of the state.

    Returns:
        Tensors of their own, by name.
    """
    spec = network.spec() if isinstance(network, Network) else network
    notes: Mapping[str, str] = spec.get("metadata", {})
    given = constants or {}
    state = {}
    for node in spec["nodes"]:
        owner = node.get("tied_to", node["name"])
        for local, array in _of(owner, params):
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


def _of(node: str, params: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """Yield the parameters of a node, by their local names."""
    for name, array in params.items():
        owner, _, local = name.partition(".")
        if owner == node:
            yield local, array


def _tensor(array: Array, layout: str = "") -> torch.Tensor:
    """Return a new tensor in the layout it had before the import; steps are undone from the last one on."""
    for step in reversed(layout.split(LAYOUTS) if layout else []):
        what, _, numbers = step.partition(" ")
        given = [int(number) for number in numbers.split(",") if number]
        if what == "shape":
            array = array.reshape(given)
        else:  # "transposed", or "axes" in the order they were taken in
            array = array.transpose(np.argsort(given) if given else None)
    return torch.from_numpy(np.array(array))

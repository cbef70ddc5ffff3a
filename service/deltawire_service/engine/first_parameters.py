"""The first parameters of a network, drawn from a seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deltawire_layers import Array, check_deadline
from deltawire_service.engine.execute import layer_calls
from deltawire_service.engine.graph import Graph
from deltawire_service.engine.random_streams import stream


def draw_parameters(
    network: Graph, seed: int, dtype: Any, out: Mapping[str, Array] | None = None
) -> dict[str, Array]:
    """Draw all parameters of a network, each from a stream of its own.

    Args:
        network: the network.
        seed: the seed.
        dtype: the dtype that the numbers, drawn in float64, are rounded to.
        out: arrays of this dtype that the parameters are written to, by name; new ones by default.

    Raises:
        DeadlineExceeded: the deadline passed before the last node.
        PluginError: a layer fails, or draws what its contract forbids.
    """
    parameters, dtype = network.parameters, np.dtype(dtype)
    drawn = dict[str, Array]()

    def keep(name: str, array: Array) -> None:
        if out is not None:
            np.copyto(out[name], array)
            array = out[name]
        drawn[name] = array

    for name in network.learned:
        keep(name, parameters[name].init(stream(seed, name), parameters[name].shape).astype(dtype))
    for node in network.nodes.values():
        check_deadline()
        for name in set(node.parameters.values()) - drawn.keys():
            keep(name, layer_calls.draw(node, name, parameters[name], stream(seed, name), dtype))
    return {name: drawn[name] for name in parameters}

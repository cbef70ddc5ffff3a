"""The bits of everything that is cut into segments, to compare ways of computing it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import numpy as np

from deltawire_service.engine import Direction, Network

Answer = dict[str, Mapping[str, Any]]
"""The arrays of an answer, by part and name."""


def derivative_requests(network: Network, params: Any, data: Any) -> dict[str, Callable[[], Answer]]:
    """Return what computes each derivative of a network on a batch, by a name."""
    plain = network.gradients(params, data, wrt_data=True, values=network.nodes)
    cotangents = {name: np.stack([plain.values[name], 2 - plain.values[name]]) for name in network.loss}
    outputs = list(network.loss)

    def gradients(per_example: bool) -> Answer:
        values = () if per_example else network.nodes
        result = network.gradients(
            params, data, wrt_data=True, values=values, deltas=network.nodes, per_example=per_example
        )
        parts = {part: getattr(result, part) for part in ("params", "data", "values", "deltas")}
        return parts | {"loss": {"": np.array(result.loss)}, "losses": {"": result.losses}}

    def vjp() -> Answer:
        products = network.vjp(params, data, cotangents, wrt_data=True)
        return {"params": products.params, "data": products.data}

    def jvp(direction: Direction) -> Answer:
        return {"tangents": network.jvp(params, data, direction, outputs).tangents}

    def hvp(direction: Direction) -> Answer:
        product = network.hvp(params, data, direction, wrt_params=True, wrt_data=True, quadratic=True)
        return {"params": product.params, "data": product.data, "quadratic": {"": product.quadratic}}

    def jacobian(mode: Any) -> Answer:
        found = network.jacobian(params, data, outputs, wrt_data=True, mode=mode)
        return {name: block.flat() for name, block in found.outputs.items()}

    requests: dict[str, Callable[[], Answer]] = {
        "gradients": lambda: gradients(False),
        "per example": lambda: gradients(True),
        "vjp": vjp,
        "jacobian reverse": lambda: jacobian("reverse"),
        "jacobian forward": lambda: jacobian("forward"),
    }
    floats = {name: data[name] for name in network.float_inputs}
    for name, direction in (("params", Direction(params)), ("data", Direction(data=floats))):
        if direction.flat():
            requests[f"jvp {name}"] = lambda direction=direction: jvp(direction)  # type: ignore[misc]
            requests[f"hvp {name}"] = lambda direction=direction: hvp(direction)  # type: ignore[misc]
    return requests


def derivative_bits(network: Network, params: Any, data: Any) -> dict[str, bytes]:
    """Compute every derivative of a network on a batch, and return the bits of every array of the results."""
    return {
        f"{request}/{part}/{name}": array.tobytes()
        for request, compute in derivative_requests(network, params, data).items()
        for part, arrays in compute().items()
        for name, array in arrays.items()
    }


def answer_hash(answer: Answer) -> str:
    """Return the SHA-256 of an answer: of the names and the bits of all of its arrays."""
    digest = sha256()
    for part, arrays in sorted(answer.items()):
        for name, array in sorted(arrays.items()):
            digest.update(f"{part}/{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    return digest.hexdigest()

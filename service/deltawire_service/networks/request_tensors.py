"""The arrays of a request: every tensor is read with the dtype that its place in the network needs.

A tensor under a name that the network does not have is left unread: the engine refuses the name.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, NamedTuple

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire.wire import Array
from deltawire_service.engine import BodyCost, Direction, Network, lock
from deltawire_service.schemas.request_reader import RequestParts


class RequestTensors(NamedTuple):
    """The arrays of a request, read-only, and the memory that its bodies take."""

    params: dict[str, Array]
    data: dict[str, Array]
    cotangents: dict[str, Array]
    directions: dict[str, Direction]
    """By field: `tangents` or `vectors`."""
    body_cost: BodyCost


def read_request_tensors(
    network: Network, parts: RequestParts, dtype: str, limits: wire.Limits, body_cost: BodyCost
) -> RequestTensors:
    """Read all tensors of a request.

    Args:
        network: the network of the request.
        parts: the tensors as they came; they are taken out of it.
        dtype: the floating-point dtype of the request.
        limits: bounds on tensors.
        body_cost: the memory that the bodies take.

    Raises:
        Refused: there are too many tensors, or some cannot be read.
    """
    params, data = read_values(network, parts.params, parts.data, dtype, limits)
    cotangents = read_alike("/cotangents", parts.cotangents, dtype, limits)
    directions = {
        name: Direction(
            read_alike(f"/{name}/params", tensors["params"], dtype, limits),
            read_alike(f"/{name}/data", tensors["data"], dtype, limits),
        )
        for name, tensors in parts.directions.items()
    }
    return RequestTensors(params, data, cotangents, directions, body_cost)


def read_values(
    network: Network, params: dict[str, Any], data: dict[str, Any], dtype: str, limits: wire.Limits
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Read the parameters and the data of a request.

    Args:
        network: the network of the request.
        params: tensors by parameter; they are taken out of it, since lists take far more memory than arrays.
        data: tensors by input, likewise.
        dtype: the floating-point dtype of the request.
        limits: bounds on tensors.

    Returns:
        Parameters and data, as arrays that nothing can write to.

    Raises:
        Refused: there are too many tensors, or some cannot be read.
    """
    _check_count(len(params) + len(data), "/params" if len(params) > len(data) else "/data", limits)
    inputs = {name: spec.dtype if spec.dtype == "int64" else dtype for name, spec in network.inputs.items()}
    faults: list[Fault] = []
    arrays = [
        _read("/params", params, dict.fromkeys(network.parameters, dtype), limits, faults),
        _read("/data", data, inputs, limits, faults, network.batched_inputs),
    ]
    if faults:
        raise Refused(faults)
    return arrays[0], arrays[1]


def read_alike(pointer: str, tensors: dict[str, Any], dtype: str, limits: wire.Limits) -> dict[str, Array]:
    """Read tensors that all have the dtype of the request.

    Args:
        pointer: where the tensors are in the request.
        tensors: the tensors by name; they are taken out of it.
        dtype: the floating-point dtype of the request.
        limits: bounds on tensors.

    Raises:
        Refused: there are too many tensors, or some cannot be read.
    """
    if not tensors:
        return {}
    _check_count(len(tensors), pointer, limits)
    faults: list[Fault] = []
    arrays = _read(pointer, tensors, dict.fromkeys(tensors, dtype), limits, faults)
    if faults:
        raise Refused(faults)
    return arrays


def _read(
    pointer: str,
    tensors: dict[str, Any],
    dtypes: Mapping[str, str],
    limits: wire.Limits,
    faults: list[Fault],
    batched: Container[str] = (),
) -> dict[str, Array]:
    unknown = {name: tensors.pop(name) for name in tensors.keys() - dtypes.keys()}
    try:
        arrays = wire.read_tensors(tensors, dtypes, pointer, limits, batched)
    except Refused as refused:
        faults += refused.faults
        return {}
    for array in arrays.values():
        lock(array)  # layers get views of them
    return arrays | unknown


def _check_count(count: int, pointer: str, limits: wire.Limits) -> None:
    if count > limits.tensors:
        detail = f"{count} tensors, at most {limits.tensors} are allowed{limits.setting('tensors')}"
        raise Refused([Fault(pointer, "too_many_tensors", detail)])

"""From a document to values: every tensor read with the dtype that its place in the network needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire.wire import Array
from deltawire_service.engine import Direction, Network, lock
from deltawire_service.settings import Settings


def read_values(
    network: Network, asked: Mapping[str, Any], settings: Settings, values: Iterable[str] | None = None
) -> tuple[dict[str, Array], dict[str, Array]]:
    """The parameters and the data of a request, whose `params`, `data` and `dtype` are taken from `asked`.

    values: nodes, when nothing but their values is wanted. Raises Refused unless there is exactly one
    readable tensor for every parameter and input needed.
    """
    params, data = asked["params"], asked["data"]
    if len(params) + len(data) > settings.tensors:
        detail = f"{len(params) + len(data)} tensors, at most {settings.tensors} are allowed"
        raise Refused([Fault("/params" if len(params) > len(data) else "/data", "too_many_tensors", detail)])
    network.check_names(params, data, values)
    dtypes = {name: asked["dtype"] for name in (*params, *network.inputs)}  # they share one namespace
    dtypes |= {name: "int64" for name, slot in network.inputs.items() if slot.dtype == "int64"}
    found, faults = list[dict[str, Array]](), list[Fault]()
    for place, tensors in (("params", params), ("data", data)):
        try:
            found.append(_read(place, tensors, dtypes, settings))
        except Refused as refused:
            faults += refused.faults
    if faults:
        raise Refused(faults)
    return found[0], found[1]


def read_cotangents(asked: Mapping[str, Any], settings: Settings) -> dict[str, Array]:
    """The cotangents of a request, by node, in its dtype."""
    return _read_some("cotangents", asked["cotangents"], asked["dtype"], settings)


def read_direction(place: str, asked: Mapping[str, Any], settings: Settings) -> Direction:
    """What a request has for some parameters and inputs at one of its places, in its dtype."""
    parts = asked[place]
    return Direction(
        *(_read_some(f"{place}/{part}", parts[part], asked["dtype"], settings) for part in Direction._fields)
    )


def _read_some(place: str, tensors: dict[str, Any], dtype: str, settings: Settings) -> dict[str, Array]:
    if len(tensors) > settings.tensors:
        detail = f"{len(tensors)} tensors, at most {settings.tensors} are allowed"
        raise Refused([Fault(f"/{place}", "too_many_tensors", detail)])
    return _read(place, tensors, dict.fromkeys(tensors, dtype), settings)


def _read(
    place: str, tensors: dict[str, Any], dtypes: Mapping[str, str], settings: Settings
) -> dict[str, Array]:
    """The arrays at one place, taken out of the document: lists that were read must not be held while it is
    computed.
    """
    arrays = wire.read_tensors(tensors, dtypes, f"/{place}", settings.wire_limits)
    for array in arrays.values():
        lock(array)  # views of them are what layers get
    return arrays

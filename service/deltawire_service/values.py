"""From a document to values: every tensor read with the dtype that its place in the network needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire.wire import Array
from deltawire_service.engine import Direction, Network
from deltawire_service.engine.contract import lock
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
    leaves = _taken("params", params) | _taken("data", data)
    dtypes = dict.fromkeys(leaves, asked["dtype"])
    dtypes |= {f"data/{name}": "int64" for name, slot in network.inputs.items() if slot.dtype == "int64"}
    arrays = wire.read_tensors(leaves, dtypes, limits=settings.wire_limits)
    for array in arrays.values():
        lock(array)  # views of them are what layers get
    return _under("params", arrays), _under("data", arrays)


def read_cotangents(asked: Mapping[str, Any], settings: Settings) -> dict[str, Array]:
    """The cotangents of a request, by node, in its dtype."""
    return _read(("cotangents",), asked["cotangents"], asked, settings)


def read_direction(place: str, asked: Mapping[str, Any], settings: Settings) -> Direction:
    """What a request has for some parameters and inputs at one of its places, in its dtype."""
    return Direction(
        *(_read((place, part), asked[place][part], asked, settings) for part in Direction._fields)
    )


def _read(
    path: tuple[str, ...], tensors: dict[str, Any], asked: Mapping[str, Any], settings: Settings
) -> dict[str, Array]:
    place = "/".join(path)
    if len(tensors) > settings.tensors:
        detail = f"{len(tensors)} tensors, at most {settings.tensors} are allowed"
        raise Refused([Fault(f"/{place}", "too_many_tensors", detail)])
    leaves = _taken(place, tensors)
    arrays = wire.read_tensors(leaves, dict.fromkeys(leaves, asked["dtype"]), limits=settings.wire_limits)
    for array in arrays.values():
        lock(array)
    return _under(place, arrays)


def _taken(place: str, tensors: dict[str, Any]) -> dict[str, Any]:
    """Tensors by their place in the document, under which no two have the same name.

    They are taken out of the document: lists that were read must not be held while it is computed.
    """
    return {f"{place}/{name}": tensors.pop(name) for name in list(tensors)}


def _under(place: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays of one place, by name."""
    prefix = f"{place}/"
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}

"""What requests have in common: a network, however it is given, arrays of one dtype, names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from deltawire.arrays import common_dtype, to_tensor
from deltawire.calls import Calls
from deltawire.errors import Fault, Refused, unfit
from deltawire.network import Handle, Network
from deltawire.published import Published

Spec = Network | Mapping[str, Any]
Arrays = Mapping[str, ArrayLike] | Mapping[Handle, ArrayLike]
Names = Iterable[str | Handle]
Wrt = Mapping[str, bool | Names]


class Requests(Calls):
    """Calls about a network."""

    def published(self, name: str) -> Published:
        """A network that is published at the service, for a spec's place: then `params` may be {}, for those
        that were published, and `data` too, when data is pinned."""
        if not isinstance(name, str) or not name:
            raise unfit("/name", "the name of a published network", name)
        return self.call("GET", f"/v1/networks/{quote(name, safe='')}", None, Published)

    def _about(self, network: Spec, dtype: DTypeLike | None) -> dict[str, Any]:
        """What every request has. dtype: by default that of a published network, or float64."""
        found = known(network, self.published)
        return {"network": found, "dtype": own_dtype(found) if dtype is None else dtype_name(dtype)}

    def _on_batch(
        self, network: Spec, params: Arrays, data: Arrays, more: Mapping[str, Arrays] = MappingProxyType({})
    ) -> dict[str, Any]:
        """What every request for numbers has: the network, and arrays of one dtype, their own.

        more: further arrays, by their places in the request, as `vectors/params`.
        """
        found = known(network, self.published)
        given = {"params": params, "data": data, **more}
        places = {place: by_name(place, arrays) for place, arrays in given.items()}
        integers = {f"/data/{name}" for name in integer_inputs(found)}
        leaves = {f"/{place}/{name}": array for place, part in places.items() for name, array in part.items()}
        floats = {pointer: array for pointer, array in leaves.items() if pointer not in integers}
        lender = f"network '{found.name}'" if isinstance(found, Published) and found.lends(params) else ""
        dtype = common_dtype(floats, own_dtype(found), lender)
        document: dict[str, Any] = {"network": found, "dtype": dtype, "tensors": "base64"}
        for place, part in places.items():
            node = document
            for key in place.split("/"):
                node = node.setdefault(key, {})
            for name in part:
                pointer = f"/{place}/{name}"
                node[name] = to_tensor(leaves[pointer], "int64" if pointer in integers else dtype, pointer)
        return document


def known(network: Any, published: Callable[[str], Published]) -> Mapping[str, Any]:
    """What stands for a network in a request: its spec, or what is published under its name, {"name": …}.

    Raises Refused when it is nothing of these.
    """
    if isinstance(network, Network):
        return network.spec()
    if not isinstance(network, Mapping):
        raise unfit("/network", 'a Network, a spec as a dict, or client.published("its name")', network)
    if isinstance(network, Published) or network.keys() != {"name"}:
        return network
    try:
        return published(network["name"])
    except Refused as refused:
        if refused.code == "rate_limited":
            raise
        return network  # what is wrong is told again, with its place, when the request itself is sent


def own_dtype(network: Mapping[str, Any]) -> str:
    """The dtype to compute with where nothing else says: a published network's, or float64."""
    return network.dtype if isinstance(network, Published) else "float64"


def inputs_of(network: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The inputs of a network that is known, by name; none where it is no spec: the service says so."""
    inputs = (network.shown if isinstance(network, Published) else network).get("inputs")
    found = inputs.items() if isinstance(inputs, Mapping) else ()
    return {name: slot for name, slot in found if isinstance(slot, Mapping)}


def integer_inputs(network: Mapping[str, Any]) -> set[str]:
    """The inputs that take integers."""
    return {name for name, slot in inputs_of(network).items() if slot.get("dtype") == "int64"}


def dtype_name(dtype: DTypeLike) -> str:
    """The name of a dtype, however it is given; which ones it computes with is for the service to say."""
    try:
        return dtype if isinstance(dtype, str) else np.dtype(dtype).name
    except TypeError:
        detail = f"expected float32 or float64, got {dtype!r}"
        raise Refused([Fault("/dtype", "dtype_unsupported", detail)]) from None


# What callers give in an argument's place; what is nothing of the kind is refused by the argument's name.


def by_name(argument: str, arrays: Any) -> dict[str, Any]:
    """Arrays by name, whether under names or handles."""
    if not isinstance(arrays, Mapping):
        raise unfit(f"/{argument}", "a dict of arrays by name ({} for none)", arrays)
    return {_name(name): array for name, array in arrays.items()}


def listed(argument: str, names: Any) -> Any:
    """Names as a list. A single string stays one: the service says that it wants a list, not its letters."""
    if isinstance(names, bool | str):
        return names
    if isinstance(names, Mapping) or not isinstance(names, Iterable):
        raise unfit(f"/{argument}", "a list of names or handles", names)
    return [_name(name) for name in names]


def asked_wrt(wrt: Any) -> dict[str, Any]:
    """What to differentiate by, its names as lists."""
    if not isinstance(wrt, Mapping | None):
        raise unfit("/wrt", '{"params": True, False or [globs], "data": True, False or [names]}', wrt)
    return {place: listed(f"wrt/{place}", asked) for place, asked in (wrt or {}).items()}


def _name(name: Any) -> Any:
    return name.name if isinstance(name, Handle) else name

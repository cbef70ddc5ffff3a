"""Requests as documents: a network however it is passed, arrays of one dtype, names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from numpy.typing import ArrayLike, DTypeLike

from deltawire.arrays import as_numbers, common_dtype, dtype_name, plain_json, to_tensor
from deltawire.connection import Connection
from deltawire.errors import Refused, wrong_argument
from deltawire.integrations.untraced import untraced
from deltawire.network import Handle, Network
from deltawire.network.graph import outputs_of
from deltawire.network.specs import read_spec
from deltawire.published import Published, find_published

Spec = Network | Mapping[str, Any]
"""A network, as calls take it: built, as a spec, or published."""

Arrays = Mapping[str, ArrayLike] | Mapping[Handle, ArrayLike]
"""Arrays by name or by handle."""

Names = Iterable[str | Handle]
Wrt = Mapping[str, bool | Names]


class RequestBuilder:
    """Makes the documents of requests about a network.

    Args:
        connection: To the service that knows published networks.
    """

    def __init__(self, connection: Connection):
        self._find = partial(find_published, connection)

    @untraced
    def without_data(
        self, network: Spec, dtype: DTypeLike | None, options: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the document of a request that needs no arrays.

        Args:
            network: A network, a spec, or what is published.
            dtype: By default that of a published network, or float64.
            options: Everything else in the document, by its key.

        Raises:
            Refused: An argument is of another kind.
        """
        resolved = resolve_published(network, self._find)
        name = default_dtype(resolved) if dtype is None else dtype_name(dtype)
        return {"network": resolved, "dtype": name, **_plain(options)}

    @untraced
    def with_data(
        self,
        network: Spec,
        params: Arrays,
        data: Arrays,
        options: Mapping[str, Any],
        more: Mapping[str, Arrays] = MappingProxyType({}),
        along: Mapping[str, Arrays] = MappingProxyType({}),
    ) -> dict[str, Any]:
        """Return the document of a request that computes with arrays, all converted to their one dtype.

        Args:
            network: A network, a spec, or what is published.
            params: Parameters by name.
            data: Inputs by name, (batch, *shape).
            options: Everything but arrays, by its key in the document.
            more: Further arrays, by their places in the document, as `cotangents`.
            along: Directions, as `vectors`: arrays by the names of parameters and inputs.

        Raises:
            Refused: An argument is of another kind, or an array cannot be sent without changing its numbers.
        """
        resolved = resolve_published(network, self._find)
        by_place = {"params": params, "data": data, **more}
        for argument, arrays in along.items():
            by_place |= _directions(argument, arrays, resolved)
        places = {place: arrays_by_name(place, arrays) for place, arrays in by_place.items()}
        integers = {f"/data/{name}" for name in integer_inputs(resolved)}
        batched = {f"/data/{name}" for name, entry in inputs_of(resolved).items() if not entry.get("shared")}
        leaves = {
            f"/{place}/{name}": as_numbers(array, f"/{place}/{name}")
            for place, part in places.items()
            for name, array in part.items()
        }
        floats = {pointer: array for pointer, array in leaves.items() if pointer not in integers}
        fixed_by = ""
        if isinstance(resolved, Published) and resolved.uses_published_params(params):
            fixed_by = f"network '{resolved.name}'"
        dtype = common_dtype(floats, default_dtype(resolved), fixed_by)
        document: dict[str, Any] = {"network": resolved, "dtype": dtype, "tensors": "base64"}
        document |= _plain(options)
        for place, part in places.items():
            node = document
            for key in place.split("/"):
                node = node.setdefault(key, {})
            for name in part:
                pointer = f"/{place}/{name}"
                needed = "int64" if pointer in integers else dtype
                node[name] = to_tensor(leaves[pointer], needed, pointer, batched=pointer in batched)
        return document


def resolve_published(network: Any, find: Callable[[str], Published]) -> Mapping[str, Any]:
    """Return the spec of a network, or the `Published` that {"name": …} stands for.

    Args:
        network: A network, a spec, or a published network.
        find: Looks up a published network by name, `Client.published` for example.

    Raises:
        Refused: The argument is not a network.
    """
    if isinstance(network, Network):
        return network.spec()
    if not isinstance(network, Mapping):
        raise wrong_argument(
            "/network", 'a Network, a spec as a dict, or client.published("its name")', network
        )
    if isinstance(network, Published):
        return network
    if network.keys() != {"name"}:
        return {key: plain_json(value, f"/network/{key}") for key, value in network.items()}
    try:
        return find(network["name"])
    except Refused as refused:
        if refused.code == "rate_limited":
            raise
        return network  # the request itself is refused with the same reason, and with its place


def default_dtype(network: Mapping[str, Any]) -> str:
    """Return the dtype to compute with where no array decides: a published network's, or float64."""
    return network.dtype if isinstance(network, Published) else "float64"


def default_outputs(network: Mapping[str, Any], data: Any) -> list[str] | None:
    """Return the outputs that data lead to, or all outputs where data lead to none.

    A published network offers some itself, so the result is None. For a network that the service refuses it
    is empty: the service names what is wrong with the network first, and its place in the request.
    """
    if isinstance(network, Published) or network.keys() == {"name"}:
        return None
    names = arrays_by_name("data", data)
    try:
        spec = read_spec(network)
        return outputs_of(spec, names) or outputs_of(spec, spec["inputs"])
    except Refused:
        return []


def inputs_of(network: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the inputs that data is sent for, by name; none for a malformed spec, which is refused."""
    return {name: entry for name, entry in _inputs(network).items() if "parameter" not in entry}


def parameters_among(network: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Return those names that are of parameters: `node.parameter`, or the name of a learned input."""
    inputs = _inputs(network)
    return [name for name in names if "." in str(name) or "parameter" in inputs.get(name, {})]


def _inputs(network: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the well-formed inputs of a network, by name; those of a published one say what is pinned."""
    if isinstance(network, Published):
        described = network.description["inputs"]
        inputs = network.description["network"]["inputs"]
        return {name: {**entry, **described.get(name, {})} for name, entry in inputs.items()}
    inputs = network.get("inputs")
    entries = inputs.items() if isinstance(inputs, Mapping) else ()
    return {name: entry for name, entry in entries if isinstance(entry, Mapping)}


def integer_inputs(network: Mapping[str, Any]) -> set[str]:
    """Return the names of the inputs that take integers."""
    return {name for name, entry in inputs_of(network).items() if entry.get("dtype") == "int64"}


# Arguments of another kind are refused by the name of the argument.


def arrays_by_name(argument: str, arrays: Any) -> dict[str, Any]:
    """Return arrays by name, whether the keys are names or handles."""
    if not isinstance(arrays, Mapping):
        raise wrong_argument(f"/{argument}", "a dict of arrays by name ({} for none)", arrays)
    return {_name(name): array for name, array in arrays.items()}


def name_list(argument: str, names: Any) -> Any:
    """Return names as a list. A string stays one: the service refuses it, instead of taking its letters."""
    if isinstance(names, bool | str):
        return names
    if isinstance(names, Mapping) or not isinstance(names, Iterable):
        raise wrong_argument(f"/{argument}", "a list of names or handles", names)
    return [_name(name) for name in names]


def wrt_document(wrt: Any) -> dict[str, Any]:
    """Return what to differentiate with respect to, with its names as lists."""
    if not isinstance(wrt, Mapping | None):
        raise wrong_argument(
            "/wrt", '{"params": True, False or [globs], "data": True, False or [names]}', wrt
        )
    return {place: name_list(f"wrt/{place}", names) for place, names in (wrt or {}).items()}


def _directions(argument: str, arrays: Arrays, network: Mapping[str, Any]) -> dict[str, Arrays]:
    """Split arrays into those of parameters and those of inputs, each by its place in the request."""
    by_name = arrays_by_name(argument, arrays)
    if any(isinstance(by_name.get(part), Mapping) for part in ("params", "data")):
        expected = f"arrays by name, not below params and data: {argument}={{'hidden.weight': …, 'x': …}}"
        raise wrong_argument(f"/{argument}", expected, arrays)
    params = {name: by_name[name] for name in parameters_among(network, by_name)}
    data = {name: array for name, array in by_name.items() if name not in params}
    return {f"{argument}/params": params, f"{argument}/data": data}


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: plain_json(value, f"/{key}") for key, value in options.items()}


def _name(name: Any) -> Any:
    return name.name if isinstance(name, Handle) else name

"""Requests as documents: a network however it is passed, arrays of one dtype, names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol

from numpy.typing import ArrayLike, DTypeLike

from deltawire.arguments.names import arrays_by_name, check_order
from deltawire.arrays import as_numbers, common_dtype, dtype_name, plain_json, to_tensor
from deltawire.connection import Connection
from deltawire.datasets.rows import DatasetRows, rows_document
from deltawire.errors import Refused, wrong_argument
from deltawire.integrations.untraced import untraced
from deltawire.models.network import ModelNetwork
from deltawire.network import Handle, Network
from deltawire.network.graph import outputs_of
from deltawire.network.inputs import sent
from deltawire.network.specs import read_spec
from deltawire.published import Published, find_published

Spec = Network | Mapping[str, Any]
"""A network, as calls take it: built, as a spec, published, or a model."""

Arrays = Mapping[str, ArrayLike] | Mapping[Handle, ArrayLike]
"""Arrays by name or by handle."""

Data = Arrays | DatasetRows
"""A batch: arrays of the caller, or rows of a dataset."""

Names = Iterable[str | Handle]
Wrt = Mapping[str, bool | Names]

ROUTES = "/v1"
"""The path of the routes that compute with a network that the request brings or names."""


@dataclass(frozen=True)
class ComputeRequest:
    """A request to one of the routes that compute.

    Attributes:
        routes: The path that these routes begin with: `/v1`, or that of a model.
        document: The body.
        dtype: The dtype of all floating-point arrays in it, and in the answer.
    """

    routes: str
    document: dict[str, Any]
    dtype: str

    def path(self, route: str) -> str:
        """Return the path of a route, `gradients` for example."""
        return f"{self.routes}/{route}"


class RequestBuilder:
    """Makes the documents of requests about a network.

    Args:
        connection: To the service that knows published networks.
    """

    def __init__(self, connection: Connection):
        self._find = partial(find_published, connection)

    @untraced
    def resolve(self, network: Spec) -> Mapping[str, Any]:
        """Return the spec of a network, or what the service keeps under a name; see `resolve_published`."""
        return resolve_published(network, self._find)

    @untraced
    def without_arrays(
        self, network: Spec, dtype: DTypeLike | None, options: Mapping[str, Any]
    ) -> ComputeRequest:
        """Return a request about a network alone, without any parameters.

        Args:
            network: A network, a spec, what is published, or a model.
            dtype: By default that of what is published or of the model, else float64.
            options: Everything else in the document, by its key.

        Raises:
            Refused: An argument is of another kind.
        """
        resolved = self.resolve(network)
        name = default_dtype(resolved) if dtype is None else dtype_name(dtype)
        return ComputeRequest(ROUTES, {**_described(resolved, name), **_plain(options)}, name)

    @untraced
    def without_data(
        self, network: Spec, dtype: DTypeLike | None, options: Mapping[str, Any]
    ) -> ComputeRequest:
        """Return a request that needs no arrays, about a network with its own parameters if it has any.

        Args:
            network: A network, a spec, what is published, or a model.
            dtype: As for `without_arrays`. With it, a model stands for its network alone.
            options: Everything else in the document, by its key.

        Raises:
            Refused: An argument is of another kind.
        """
        if isinstance(network, ModelNetwork) and dtype is None:
            return ComputeRequest(network.path, {**network.selection, **_plain(options)}, network.dtype)
        return self.without_arrays(network, dtype, options)

    @untraced
    def with_data(
        self,
        network: Spec,
        params: Arrays,
        data: Data,
        options: Mapping[str, Any],
        more: Mapping[str, Arrays] = MappingProxyType({}),
        along: Mapping[str, Arrays] = MappingProxyType({}),
    ) -> ComputeRequest:
        """Return a request that computes with a batch, its arrays all converted to their one dtype.

        Args:
            network: A network, a spec, what is published, or a model.
            params: Parameters by name. Without any, a model computes with its own.
            data: Inputs by name, (batch, *shape), or rows of a dataset.
            options: Everything but arrays, by its key in the document.
            more: Further arrays, by their places in the document, as `cotangents`.
            along: Directions, as `vectors`: arrays by the names of parameters and inputs.

        Raises:
            Refused: An argument is of another kind, or an array cannot be sent without changing its numbers.
        """
        resolved = self.resolve(network)
        check_order(inputs_of(resolved), params, data)
        places: dict[str, Data] = {"params": params, "data": data, **more}
        for argument, arrays in along.items():
            places |= _directions(argument, arrays, resolved)
        return self.with_arrays(resolved, places, {"tensors": "base64", **options})

    @untraced
    def with_arrays(
        self,
        network: Spec,
        places: Mapping[str, Data],
        options: Mapping[str, Any],
        dtype: DTypeLike | None = None,
    ) -> ComputeRequest:
        """Return a request with arrays, all converted to their one dtype.

        Args:
            network: A network, a spec, what is published, or a model.
            places: The arrays, by their places in the document, as `data`; or rows of a dataset there.
            options: Everything but arrays, by its key in the document.
            dtype: The dtype that they must have; by default that of the network or of the arrays.

        Raises:
            Refused: An argument is of another kind, or an array cannot be sent without changing its numbers.
        """
        resolved = self.resolve(network)
        by_place, references = dict[str, dict[str, Any]](), dict[str, Any]()
        for place, arrays in places.items():
            reference = rows_document(arrays) if place == "data" else None
            if reference is None:
                by_place[place] = arrays_by_name(place, arrays)
            else:
                references[place] = reference
        model = resolved if isinstance(resolved, ModelNetwork) and not by_place.get("params") else None
        if model:
            by_place.pop("params", None)
        integers = {f"/data/{name}" for name in integer_inputs(resolved)}
        batched = {f"/data/{name}" for name, entry in inputs_of(resolved).items() if not entry.get("shared")}
        leaves = {
            f"/{place}/{name}": as_numbers(array, f"/{place}/{name}")
            for place, part in by_place.items()
            for name, array in part.items()
        }
        floats = {pointer: array for pointer, array in leaves.items() if pointer not in integers}
        fixed_by = f"model '{model.name}'" if model else _fixed_by(resolved, by_place.get("params", {}))
        if dtype is None:
            name = common_dtype(floats, default_dtype(resolved), fixed_by)
        else:
            name = common_dtype(floats, dtype_name(dtype), "dtype")
        document: dict[str, Any] = {**model.selection} if model else _described(resolved, name)
        document |= _plain(options) | references
        for place, part in by_place.items():
            node = document
            for key in place.split("/"):
                node = node.setdefault(key, {})
            for key in part:
                pointer = f"/{place}/{key}"
                needed = "int64" if pointer in integers else name
                node[key] = to_tensor(leaves[pointer], needed, pointer, batched=pointer in batched)
        return ComputeRequest(model.path if model else ROUTES, document, name)


class Caller(Protocol):
    """A client, as far as functions that compute use it."""

    @property
    def requests(self) -> RequestBuilder: ...

    @property
    def connection(self) -> Connection: ...


def _described(resolved: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    """Return the beginning of a document that sends a network."""
    return {"network": resolved.spec if isinstance(resolved, ModelNetwork) else resolved, "dtype": dtype}


def _fixed_by(resolved: Mapping[str, Any], params: Arrays) -> str:
    """Return what fixes the dtype of a request, as messages name it; empty where its arrays decide."""
    if isinstance(resolved, Published) and resolved.uses_published_params(params):
        return f"network '{resolved.name}'"
    return ""


def resolve_published(network: Any, find: Callable[[str], Published]) -> Mapping[str, Any]:
    """Return the spec of a network, the `Published` that {"name": …} stands for, or a model as it is.

    Args:
        network: A network, a spec, a published network, or a model.
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
    if isinstance(network, Published | ModelNetwork):
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
    """Return the dtype to compute with where no array decides: the network's own, or float64."""
    return network.dtype if isinstance(network, Published | ModelNetwork) else "float64"


def default_outputs(network: Mapping[str, Any], data: Any) -> list[str] | None:
    """Return the outputs that data lead to, or all outputs where data lead to none.

    A published network offers some itself, so the result is None. For a network that the service refuses it
    is empty: the service names what is wrong with the network first, and its place in the request.
    """
    if isinstance(network, Published) or network.keys() == {"name"}:
        return None
    try:
        spec = read_spec(network)
        names = spec["inputs"] if rows_document(data) else arrays_by_name("data", data)
        return outputs_of(spec, names) or outputs_of(spec, spec["inputs"])
    except Refused:
        return []


def inputs_of(network: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the inputs that data is sent for, by name; none for a malformed spec, which is refused."""
    return {name: entry for name, entry in _inputs(network).items() if sent(entry)}


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


def _directions(argument: str, arrays: Arrays, network: Mapping[str, Any]) -> dict[str, Arrays]:
    """Split arrays into those of parameters and those of inputs, each by its place in the request."""
    by_name = arrays_by_name(argument, arrays)
    if any(isinstance(by_name.get(part), Mapping) for part in ("params", "data")):
        expected = f"arrays by name, not below params and data: {argument}={{'hidden.weight': …, 'x': …}}"
        raise wrong_argument(f"/{argument}", expected, arrays)
    params = {name: by_name[name] for name in parameters_among(network, by_name)}
    data = {name: array for name, array in by_name.items() if name not in params}
    return {f"{argument}/params": params, f"{argument}/data": data}


CHOICES = {
    "reduction": '"mean" or "sum"', "non_finite": '"error" or "return"', "mode": '"reverse" or "forward"'
}  # fmt: skip
"""Options that are one of two texts."""


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    for key in options.keys() & CHOICES:
        if callable(options[key]):  # as numpy's mean
            raise wrong_argument(f"/{key}", CHOICES[key], options[key])
    return {key: plain_json(value, f"/{key}") for key, value in options.items()}

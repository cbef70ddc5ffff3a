"""The interface of a network for Tesseract's clients: its inputs, outputs and paths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from math import prod
from typing import Any, NamedTuple

import numpy as np

from deltawire import wire
from deltawire.wire import Array
from deltawire_layers import Shape
from deltawire_plugins.shown import shown
from deltawire_service.faults import nearest
from deltawire_service.networks.interfaces import Interface, default_data
from deltawire_service.networks.request_tensors import read_values
from deltawire_service.protocols.context import refusal
from deltawire_service.protocols.tesseract.arrays import dtype_of
from deltawire_service.protocols.tesseract.parameters import cast
from deltawire_service.settings import Settings

DERIVATIVES = ("jacobian", "jacobian_vector_product", "vector_jacobian_product")
ENDPOINTS = ("apply", "abstract_eval", *DERIVATIVES, "health")

NESTED = "expected parameters by node and name, as in {hidden: {weight: …}}, and learned inputs by name"


class Place(NamedTuple):
    """The place of an array: `params` or `data`, and its name there."""

    part: str
    name: str


class Signature:
    """The arrays that a network takes and returns, by their paths."""

    def __init__(self, interface: Interface):
        network = interface.network
        leads = network.upstream(interface.values)
        owners = (network.nodes[name] for name in network.nodes if name in leads)
        used = leads | {name for node in owners for name in node.parameters.values()}
        self.interface = interface
        self.network = network
        self.outputs = {name: network.nodes[name].shape for name in interface.values}
        self.places = {name: Place("data", name) for name in network.inputs if name in leads}
        self.places |= {
            f"params.{name}": Place("params", name) for name in network.parameters if name in used
        }

    def shape(self, place: Place) -> tuple[int | None, ...]:
        """Return the shape at a place, with None for the batch axis."""
        if place.part == "params":
            return self.network.parameters[place.name].shape
        shape: Shape = self.network.inputs[place.name].shape
        return (None, *shape) if self.batched(*place) else shape

    def batched(self, part: str, name: str) -> bool:
        """Return whether an array has the batch as its leading axis."""
        return part == "data" and not self.network.inputs[name].shared

    def integer(self, place: Place) -> bool:
        """Return whether an array is one of integers."""
        return place.part == "data" and self.network.inputs[place.name].dtype == "int64"

    def dtype_at(self, place: Place, dtype: str) -> str:
        """Return the dtype at a place, given the floating-point dtype of a request."""
        return "int64" if self.integer(place) else dtype

    def leaves(self, inputs: Any) -> dict[Place, tuple[Any, str]]:
        """Return what a request brings for each place, with a JSON pointer to it."""
        if not isinstance(inputs, dict):
            raise refusal("field_invalid", f"expected an object, got {shown(inputs)}", "/inputs")
        leaves = {path: (leaf, f"/inputs/{path}") for path, leaf in inputs.items() if path != "params"}
        params = {} if inputs.get("params") is None else inputs["params"]
        if not isinstance(params, dict):
            raise refusal("field_invalid", NESTED, "/inputs/params")
        for owner, of in params.items():
            at = f"/inputs/params/{owner}"
            if owner in self.network.learned:
                leaves[f"params.{owner}"] = of, at
            elif isinstance(of, dict):
                leaves |= {f"params.{owner}.{name}": (leaf, f"{at}/{name}") for name, leaf in of.items()}
            else:
                raise refusal("field_invalid", NESTED, at)
        return {self.place(path, at): (leaf, at) for path, (leaf, at) in leaves.items()}

    def place(self, path: Any, pointer: str) -> Place:
        """Return the place of a path: fields, `params.hidden.weight`, or keys, `params.{hidden}.{weight}`."""
        plain = path.replace("{", "").replace("}", "") if isinstance(path, str) else ""
        if plain not in self.places:
            detail = f"there is no input {shown(path)}{nearest(plain[:300], self.places)}"
            raise refusal("unknown_name", detail, pointer)
        return self.places[plain]

    def dtype(self, leaves: Mapping[Place, tuple[Any, str]]) -> str:
        """Return the dtype of a request: that of its first array of floats, else that of the network."""
        floats = (dtype_of(leaf) for place, (leaf, _) in leaves.items() if not self.integer(place))
        return next((dtype for dtype in floats if dtype in ("float32", "float64")), self.interface.dtype)

    def abstract_parameters(self, dtype: str) -> dict[str, Array]:
        """Return zeros of the shapes of the parameters, which take no memory."""
        zero = np.zeros((), dtype)
        shapes = {name: parameter.shape for name, parameter in self.network.parameters.items()}
        return {name: np.broadcast_to(zero, shape) for name, shape in shapes.items()}

    def complete(
        self,
        arrays: Mapping[Place, Array],
        others: Mapping[str, Array],
        dtype: str,
        limits: wire.Limits,
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """Add what a request leaves out, and check all of it.

        Args:
            arrays: the arrays of the request.
            others: the parameters that the service has, in the dtype of the request.
            dtype: the floating-point dtype of the request.
            limits: bounds on tensors.

        Returns:
            The parameters and the data.
        """
        params = {place.name: array for place, array in arrays.items() if place.part == "params"}
        data = {place.name: array for place, array in arrays.items() if place.part == "data"}
        batch = any(self.batched("data", name) for name in data)
        return read_values(
            self.network,
            {**others, **params},
            {**cast(default_data(self.interface, batch), dtype), **data},
            dtype,
            limits,
        )

    def inputs_of(self, request: Mapping[str, Any], key: str) -> dict[str, Place]:
        """Return the places to differentiate by, by their paths, as a request lists them under a key."""
        places = {}
        for index, path in enumerate(read_paths(request, key)):
            place = self.place(path, f"/{key}/{index}")
            if self.integer(place):
                raise refusal("not_differentiable", f"'{path}' holds integers", f"/{key}/{index}")
            places[path] = place
        return places

    def outputs_of(self, request: Mapping[str, Any], key: str) -> dict[str, str]:
        """Return the outputs to differentiate, by their paths, as a request lists them under a key."""
        for index, path in enumerate(paths := read_paths(request, key)):
            if path not in self.outputs:
                detail = f"there is no output {shown(path)}{nearest(path, self.outputs)}"
                raise refusal("unknown_name", detail, f"/{key}/{index}")
        return {path: path for path in paths}

    def output_shapes(self, batch: int) -> dict[str, Shape]:
        """Return the shapes of the outputs, for a batch of this size."""
        return {name: (batch, *shape) for name, shape in self.outputs.items()}


def read_paths(request: Mapping[str, Any], key: str) -> list[str]:
    """Return the paths that a request lists under a key."""
    paths = request.get(key)
    if not isinstance(paths, list) or not paths or not all(isinstance(path, str) for path in paths):
        raise refusal("field_invalid", f"expected a list of paths, got {shown(paths)}", f"/{key}")
    return paths


def check_jacobian(blocks: Iterable[Shape], settings: Settings) -> None:
    """Raise Refused when the whole Jacobian, every output by all examples' data, is too large."""
    numbers = sum(map(prod, blocks))
    if numbers > min(settings.elements, settings.planned_bytes // 64):
        detail = f"the Jacobian has {numbers} numbers: ask for products with it, or send fewer examples"
        raise refusal("memory_plan_exceeded", detail)


def whole_jacobian(each: Array, output_rank: int, batched: bool) -> Array:
    """Return the Jacobian of all outputs by all data: zero from one example to another.

    Args:
        each: the Jacobian of each example, (batch, *output, *input).
        output_rank: number of axes of an output.
        batched: the input has a batch axis.

    Returns:
        (batch, *output, batch, *input) for an input with a batch axis; else `each`.
    """
    if not batched:
        return each
    batch, rank = len(each), 1 + output_rank
    whole = np.zeros((*each.shape[:rank], batch, *each.shape[rank:]), each.dtype)
    np.moveaxis(whole, rank, 1)[range(batch), range(batch)] = each
    return whole


def openapi(signature: Signature) -> dict[str, Any]:
    """Return the parts that clients read of the OpenAPI description of an interface."""
    dtype = signature.interface.dtype

    def differentiable(places: Mapping[str, tuple[int | None, ...]]) -> dict[str, Any]:
        return {path: {"shape": list(shape), "dtype": dtype} for path, shape in places.items()}

    floats = {path: at for path, at in signature.places.items() if not signature.integer(at)}
    flags = {"array_flags": ["DIFFERENTIABLE"]}
    fields = {path.partition(".")[0]: flags if path in floats else {} for path in signature.places}
    fields |= {"params": {}} if "params" in fields else {}
    outputs = {name: (None, *shape) for name, shape in signature.outputs.items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": signature.interface.name, "version": version("deltawire")},
        "x-supported-output-formats": ["json", "json+base64"],
        "x-supported-gpu-transports": ["none"],
        "x-supported-compressions": ["none"],
        "paths": {f"/{endpoint}": {} for endpoint in ENDPOINTS},
        "components": {
            "schemas": {
                "Apply_InputSchema": {"type": "object", "properties": fields},
                "Apply_OutputSchema": {
                    "type": "object",
                    "properties": dict.fromkeys(outputs, flags),
                },
                "ApplyInputSchema": {
                    "differentiable_arrays": differentiable(
                        {path: signature.shape(at) for path, at in floats.items()}
                    )
                },
                "ApplyOutputSchema": {"differentiable_arrays": differentiable(outputs)},
            }
        },
    }

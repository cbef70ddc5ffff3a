"""What KServe V2 calls models, of a published network: `NAME`, its values, and `NAME:gradients`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltawire import wire
from deltawire.wire import Array
from deltawire_service.engine import Network
from deltawire_service.faults import nearest, shown
from deltawire_service.http import bodies
from deltawire_service.networks.published import Published, standing_in
from deltawire_service.networks.request_tensors import read_values
from deltawire_service.protocols.kserve.body import DATATYPES, Slot
from deltawire_service.protocols.protocol import own_parameters, refusal
from deltawire_service.settings import Settings

VERSION = "1"
PLATFORM = "deltawire"

Arrays = Mapping[str, Array]
Compute = Callable[[Network, list[str], dict[str, Any], Settings, dict[str, Any]], Arrays]


@dataclass(frozen=True, eq=False)
class Model:
    """Tensors in, tensors out. inputs, outputs: those told of; accepts: what may come in altogether."""

    name: str
    published: Published
    inputs: dict[str, Slot]
    accepts: dict[str, Slot]
    outputs: dict[str, Slot]
    compute: Compute

    def metadata(self) -> dict[str, Any]:
        """What the model takes and gives."""
        told = {"name": self.name, "versions": [VERSION], "platform": PLATFORM}
        return told | {"inputs": _tensors(self.inputs), "outputs": _tensors(self.outputs)}

    def config(self) -> dict[str, Any]:
        """The same, in the words of Triton's configuration files."""

        def told(slots: Mapping[str, Slot]) -> list[dict[str, Any]]:
            return [
                {"name": name, "data_type": f"TYPE_{DATATYPES[slot.dtype]}", "dims": list(slot.shape)}
                for name, slot in slots.items()
            ]

        inputs = [
            entry | {"optional": slot.optional}
            for entry, slot in zip(told(self.inputs), self.inputs.values(), strict=True)
        ]
        whole = {"name": self.name, "platform": PLATFORM, "max_batch_size": 0}
        return whole | {"input": inputs, "output": told(self.outputs)}

    def infer(
        self, names: list[str], arrays: Arrays, settings: Settings, media_types: tuple[str, str]
    ) -> dict[str, Array]:
        """The outputs of these names. Parameters among the arrays take the place of the published ones.

        media_types: those of ours that take as much memory as the request and its answer.
        """
        network, dtype = self.published.network, self.published.dtype
        data = {name: array for name, array in arrays.items() if name in network.inputs}
        params = {name: array for name, array in arrays.items() if name not in network.inputs}
        own = self.published.params if params else own_parameters(self.published)
        brought = {
            "params": {**own, **params},
            "data": {**standing_in(self.published, bool(data)), **data},
            "dtype": dtype,
        }
        # JSON has no numbers that are not finite.
        non_finite = "error" if media_types[1] == wire.JSON else "return"
        options = {"non_finite": non_finite, "body_cost": bodies.body_cost(dtype, *media_types)}
        found = self.compute(network, names, brought, settings, options)
        return {name: found[name] for name in names}


def models(published: Published) -> dict[str, Model]:
    """The models of a published network, by name."""
    network, dtype = published.network, published.dtype

    def values_of(names: Iterable[str]) -> dict[str, Slot]:
        return {name: Slot(dtype, (-1, *network.nodes[name].shape)) for name in names}

    data = {
        name: Slot(
            "int64" if slot.dtype == "int64" else dtype,
            slot.shape if slot.shared else (-1, *slot.shape),
            name in published.data,
        )
        for name, slot in network.inputs.items()
    }
    leads = network.upstream(published.values)
    inputs = {name: slot for name, slot in data.items() if name in leads}
    found = [Model(published.name, published, inputs, data, values_of(published.values), values)]
    if network.loss:
        params = {name: Slot(dtype, each.shape, True) for name, each in network.parameters.items()}
        floats = {name: slot for name, slot in data.items() if network.inputs[name].dtype == "float"}
        outputs = {
            "loss": Slot("float64", (1,)),
            **{f"gradients/params/{name}": slot for name, slot in params.items()},
            **{f"gradients/data/{name}": slot for name, slot in floats.items()},
        }
        both = data | params
        found.append(Model(f"{published.name}:gradients", published, both, both, outputs, gradients))
    return {model.name: model for model in found}


def values(
    network: Network, names: list[str], brought: dict[str, Any], settings: Settings, options: dict[str, Any]
) -> Arrays:
    """Values of nodes: of those told of, or any others."""
    for name in names:
        if name not in network.nodes:
            detail = f"there is no output {shown(name)}{nearest(name, network.nodes)}"
            raise refusal("unknown_name", detail, "/outputs")
    params, data = read_values(network, brought, settings, names)
    return network.forward(params, data, names, **options)


def gradients(
    network: Network, names: list[str], brought: dict[str, Any], settings: Settings, options: dict[str, Any]
) -> Arrays:
    """Parts of the answer of POST /v1/gradients, by their places in it."""
    places: dict[str, dict[str, Any]] = {
        "gradients/params": dict(network.parameters),
        "gradients/data": {name: s for name, s in network.inputs.items() if s.dtype == "float"},
        "values": dict(network.nodes),
        "deltas": dict(network.nodes),
    }
    wanted: dict[str, list[str]] = {place: [] for place in places}
    for name in names:
        place, _, last = name.rpartition("/")
        if place in places and last in places[place]:
            wanted[place].append(last)
        elif name not in ("loss", "losses"):
            known = ["loss", "losses", *(f"{place}/{last}" for place, of in places.items() for last in of)]
            raise refusal(
                "unknown_name", f"there is no output {shown(name)}{nearest(name, known)}", "/outputs"
            )
    params, data = read_values(network, brought, settings)
    result = network.gradients(
        params,
        data,
        wrt_params=wanted["gradients/params"],
        wrt_data=wanted["gradients/data"],
        values=wanted["values"],
        deltas=wanted["deltas"],
        **options,
    )
    parts = {
        "gradients/params": result.params,
        "gradients/data": result.data,
        "values": result.values,
        "deltas": result.deltas,
    }
    found = {f"{place}/{name}": array for place, part in parts.items() for name, array in part.items()}
    return found | {"loss": np.array([result.loss]), "losses": result.losses}


def _tensors(slots: Mapping[str, Slot]) -> list[dict[str, Any]]:
    return [
        {"name": name, "datatype": DATATYPES[slot.dtype], "shape": list(slot.shape)}
        for name, slot in slots.items()
    ]

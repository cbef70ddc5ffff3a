"""The models of KServe V2 that a network is: `NAME`, its values, and `NAME:gradients`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from deltawire import wire
from deltawire.wire import Array
from deltawire_plugins.shown import shown
from deltawire_service.engine import BodyCost, Network
from deltawire_service.faults import nearest
from deltawire_service.http.bodies import body_cost
from deltawire_service.networks.interfaces import Interface, default_data
from deltawire_service.networks.request_tensors import read_values
from deltawire_service.protocols.context import refusal
from deltawire_service.protocols.kserve.body import DATATYPES, TensorSpec

PLATFORM = "deltawire"

Arrays = Mapping[str, Array]


class Inference(NamedTuple):
    """The arguments of an inference."""

    network: Network
    params: dict[str, Array]
    data: dict[str, Array]
    non_finite: str
    body_cost: BodyCost


@dataclass(frozen=True, eq=False)
class Model:
    """A model: tensors in, tensors out."""

    name: str
    interface: Interface
    inputs: dict[str, TensorSpec]
    """The inputs in the metadata."""
    accepts: dict[str, TensorSpec]
    """All inputs that may come."""
    outputs: dict[str, TensorSpec]
    """The outputs in the metadata."""
    compute: Callable[[Inference, list[str]], Arrays]

    def metadata(self, version: int) -> dict[str, Any]:
        """Return the metadata of the model in a version."""
        return {
            "name": self.name,
            "versions": [str(version)],
            "platform": PLATFORM,
            "inputs": _metadata(self.inputs),
            "outputs": _metadata(self.outputs),
        }

    def config(self) -> dict[str, Any]:
        """Return the metadata in the words of Triton's configuration files."""
        inputs = [
            entry | {"optional": spec.optional}
            for entry, spec in zip(_config(self.inputs), self.inputs.values(), strict=True)
        ]
        model = {"name": self.name, "platform": PLATFORM, "max_batch_size": 0}
        return model | {"input": inputs, "output": _config(self.outputs)}

    def infer(
        self,
        names: list[str],
        arrays: Arrays,
        params: Arrays,
        limits: wire.Limits,
        media_types: tuple[str, str],
    ) -> dict[str, Array]:
        """Compute outputs.

        Args:
            names: the outputs.
            arrays: the inputs, by name. Parameters among them take the place of others.
            params: the parameters that the service has.
            limits: bounds on tensors.
            media_types: those of /v1 that take as much memory as the request and its answer.

        Raises:
            Refused: an output does not exist, or the inputs do not fit.
        """
        network, dtype = self.interface.network, self.interface.dtype
        data = {name: array for name, array in arrays.items() if name in network.inputs}
        others = {name: array for name, array in arrays.items() if name not in network.inputs}
        values = read_values(
            network,
            {**params, **others},
            {**default_data(self.interface, bool(data)), **data},
            dtype,
            limits,
        )
        # JSON has no numbers that are not finite.
        non_finite = "error" if media_types[1] == wire.JSON else "return"
        cost = body_cost(dtype, *media_types, with_parameters=bool(others))
        outputs = self.compute(Inference(network, *values, non_finite, cost), names)
        return {name: outputs[name] for name in names}


def models(interface: Interface) -> dict[str, Model]:
    """Return the models of a network, by name."""
    network, dtype = interface.network, interface.dtype

    def values_of(names: Iterable[str]) -> dict[str, TensorSpec]:
        return {name: TensorSpec(dtype, (-1, *network.nodes[name].shape)) for name in names}

    data = {
        name: TensorSpec(
            "int64" if spec.dtype == "int64" else dtype,
            spec.shape if spec.shared else (-1, *spec.shape),
            name in interface.data,
        )
        for name, spec in network.inputs.items()
    }
    leads = network.upstream(interface.values)
    inputs = {name: spec for name, spec in data.items() if name in leads}
    offered = [Model(interface.name, interface, inputs, data, values_of(interface.values), values)]
    if network.loss:
        params = {
            name: TensorSpec(dtype, parameter.shape, True) for name, parameter in network.parameters.items()
        }
        floats = {name: spec for name, spec in data.items() if network.inputs[name].dtype == "float"}
        outputs = {
            "loss": TensorSpec("float64", (1,)),
            **{f"gradients/params/{name}": spec for name, spec in params.items()},
            **{f"gradients/data/{name}": spec for name, spec in floats.items()},
        }
        both = data | params
        offered.append(Model(f"{interface.name}:gradients", interface, both, both, outputs, gradients))
    return {model.name: model for model in offered}


def values(inference: Inference, names: list[str]) -> Arrays:
    """Compute the values of nodes, those in the metadata or any others."""
    network = inference.network
    for name in names:
        if name not in network.nodes:
            detail = f"there is no output {shown(name)}{nearest(name, network.nodes)}"
            raise refusal("unknown_name", detail, "/outputs")
    return network.forward(
        inference.params,
        inference.data,
        names,
        non_finite=inference.non_finite,
        body_cost=inference.body_cost,
    )


def gradients(inference: Inference, names: list[str]) -> Arrays:
    """Compute parts of the answer of POST /v1/gradients, by their places in it."""
    network = inference.network
    places: dict[str, list[str]] = {
        "gradients/params": list(network.parameters),
        "gradients/data": [name for name, spec in network.inputs.items() if spec.dtype == "float"],
        "values": list(network.nodes),
        "deltas": list(network.nodes),
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
    result = network.gradients(
        inference.params,
        inference.data,
        wrt_params=wanted["gradients/params"],
        wrt_data=wanted["gradients/data"],
        values=wanted["values"],
        deltas=wanted["deltas"],
        non_finite=inference.non_finite,
        body_cost=inference.body_cost,
    )
    parts = {
        "gradients/params": result.params,
        "gradients/data": result.data,
        "values": result.values,
        "deltas": result.deltas,
    }
    outputs = {f"{place}/{name}": array for place, part in parts.items() for name, array in part.items()}
    return outputs | {"loss": np.array([result.loss]), "losses": result.losses}


def _metadata(specs: Mapping[str, TensorSpec]) -> list[dict[str, Any]]:
    return [
        {"name": name, "datatype": DATATYPES[spec.dtype], "shape": list(spec.shape)}
        for name, spec in specs.items()
    ]


def _config(specs: Mapping[str, TensorSpec]) -> list[dict[str, Any]]:
    return [
        {"name": name, "data_type": f"TYPE_{DATATYPES[spec.dtype]}", "dims": list(spec.shape)}
        for name, spec in specs.items()
    ]

"""Cotangents, tangents and vectors: one, or several at once in a leading axis; checked before used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from deltawire.errors import Fault
from deltawire_layers import Array, Shape
from deltawire_service.engine.execute.backprop import Arrays, is_finite
from deltawire_service.engine.graph import Graph
from deltawire_service.faults import Faults, escape, nearest, shown

NOTHING: Arrays = MappingProxyType({})


class Direction(NamedTuple):
    """A direction in the space of parameters and data, zero where it names nothing: arrays shaped like what
    they are named after, or, for several directions, each with one leading axis more."""

    params: Arrays = NOTHING
    data: Arrays = NOTHING

    @classmethod
    def of(cls, flat: Arrays) -> Direction:
        """The direction whose arrays have these places."""
        parts: dict[str, dict[str, Array]] = {place: {} for place in cls._fields}
        for place, array in flat.items():
            part, _, name = place.partition("/")
            parts[part][name] = array
        return cls(**parts)

    def flat(self) -> dict[str, Array]:
        """The arrays by their places, `params/…` and `data/…`."""
        return {
            f"{place}/{name}": array for place in self._fields for name, array in getattr(self, place).items()
        }


def check_outputs(network: Graph, cotangents: Mapping[str, Any]) -> tuple[str, ...]:
    """The nodes that cotangents are for. Raises Refused where there is no such node, or no cotangent."""
    faults = Faults()
    for name in sorted(cotangents.keys() - network.nodes.keys()):
        what = "an input, and cotangents are for nodes" if name in network.inputs else "no node"
        detail = f"{shown(name)} is {what}{nearest(name, network.nodes)}"
        faults.append(Fault(f"/cotangents/{escape(name)}", "unknown_name", detail))
    if not cotangents:
        faults.append(Fault("/cotangents", "field_invalid", "name at least one node to start from"))
    faults.refuse()
    return tuple(sorted(cotangents))


def check_direction(network: Graph, place: str, direction: Direction) -> None:
    """Raises Refused unless a direction names only parameters and inputs of floating-point numbers."""
    faults = Faults()
    floats = [name for name, input_spec in network.inputs.items() if input_spec.dtype == "float"]
    for name in sorted(direction.params.keys() - network.parameters.keys()):
        detail = f"the network has no parameter {shown(name)}{nearest(name, network.parameters)}"
        faults.append(Fault(f"/{place}/params/{escape(name)}", "unknown_parameter", detail))
    for name in sorted(direction.data.keys() - set(floats)):
        pointer = f"/{place}/data/{escape(name)}"
        if name in network.inputs:
            detail = f"input '{name}' holds integers: it cannot be moved"
            faults.append(Fault(pointer, "not_differentiable", detail))
        else:
            detail = f"the network has no input {shown(name)}{nearest(name, floats)}"
            faults.append(Fault(pointer, "unknown_data", detail))
    if not direction.params and not direction.data:
        faults.append(Fault(f"/{place}", "field_invalid", "name at least one parameter or input"))
    faults.refuse()


def shapes_of(network: Graph, batch: int, direction: Direction) -> dict[str, Shape]:
    """The shape of one direction at each of the places it names."""
    shapes = {f"params/{name}": network.parameters[name].shape for name in direction.params}
    for name in direction.data:
        input_spec = network.inputs[name]
        shapes[f"data/{name}"] = input_spec.shape if input_spec.shared else (batch, *input_spec.shape)
    return shapes


def counted(place: str, arrays: Arrays, shapes: Mapping[str, Shape], dtype: np.dtype[Any]) -> int | None:
    """How many there are at once in these arrays: None when they come without the axis for that.

    Raises Refused unless each has its shape in `shapes`, alone or with one leading axis of the same size for
    all, and the dtype of the request.
    """
    faults, first = Faults(), None
    for name, array in arrays.items():
        pointer, shape = f"/{place}/{name}", shapes[name]
        if array.dtype != dtype:
            detail = f"expected {dtype} like the other arrays of the request, got {array.dtype}"
            faults.append(Fault(pointer, "dtype_mismatch", detail))
        several = array.ndim == len(shape) + 1
        if array.shape[several:] != shape or array.ndim > len(shape) + 1 or (several and not len(array)):
            detail = (
                f"expected shape {list(shape)}, or several of it in a leading axis, got {list(array.shape)}"
            )
            faults.append(Fault(pointer, "shape_mismatch", detail))
            continue
        count = len(array) if several else None
        first = first or (name, count)
        if count != first[1]:
            told = [f"{each} at once" if each else "a single one" for each in (first[1], count)]
            detail = f"expected {told[0]}, like '{first[0]}', got {told[1]}"
            faults.append(Fault(pointer, "shape_mismatch", detail))
    faults.refuse()
    return first[1] if first else None


def one_of(arrays: Arrays, count: int | None, index: int) -> Arrays:
    """One of the directions that arrays hold."""
    return arrays if count is None else {name: array[index] for name, array in arrays.items()}


def stacked(parts: Iterable[Mapping[str, Array]], count: int | None) -> dict[str, Array]:
    """The answers to all directions, with the leading axis that these had."""
    answers = list(parts)
    if count is None:
        return dict(answers[0])
    return {name: np.stack([answer.pop(name) for answer in map(dict, answers)]) for name in answers[0]}


def non_finite(place: str, arrays: Arrays) -> Fault | None:
    """The first of these arrays that holds a number that is not finite."""
    for name, array in arrays.items():
        if not is_finite(array):
            return Fault(f"/{place}/{name}", "non_finite", f"'{name}' holds a number that is not finite")
    return None

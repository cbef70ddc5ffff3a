"""Cotangents, tangents and vectors: one, or several in a leading axis; checked before they are used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from deltawire.errors import Fault
from deltawire_layers import Array, Shape
from deltawire_plugins.shown import shown
from deltawire_service.engine.graph import Arrays, Graph
from deltawire_service.faults import Faults, escape, nearest

NOTHING: Arrays = MappingProxyType({})


class Direction(NamedTuple):
    """A direction in the space of parameters and data, zero along all it does not name.

    Its arrays are shaped like the parameters and inputs they are named after. Several directions have one
    leading axis more.
    """

    params: Arrays = NOTHING
    data: Arrays = NOTHING

    @classmethod
    def from_flat(cls, flat: Arrays) -> Direction:
        """Return the direction with these arrays, by their places `params/…` and `data/…`."""
        parts: dict[str, dict[str, Array]] = {part: {} for part in cls._fields}
        for place, array in flat.items():
            part, _, name = place.partition("/")
            parts[part][name] = array
        return cls(**parts)

    def flat(self) -> dict[str, Array]:
        """Return the arrays by their places, `params/…` and `data/…`."""
        return {
            f"{part}/{name}": array for part in self._fields for name, array in getattr(self, part).items()
        }


def check_outputs(network: Graph, cotangents: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the nodes that cotangents are for, sorted.

    Raises Refused when a name is not that of a node, or there is no cotangent.
    """
    faults = Faults()
    for name in sorted(cotangents.keys() - network.nodes.keys()):
        is_input = name in network.inputs or name in network.noise
        subject = "an input, and cotangents are for nodes" if is_input else "no node"
        detail = f"{shown(name)} is {subject}{nearest(name, network.nodes)}"
        faults.append(Fault(f"/cotangents/{escape(name)}", "unknown_name", detail))
    if not cotangents:
        faults.append(Fault("/cotangents", "field_invalid", "name at least one node to start from"))
    faults.refuse()
    return tuple(sorted(cotangents))


def check_direction(network: Graph, place: str, direction: Direction) -> None:
    """Check the names of a direction.

    Args:
        network: the network of the request.
        place: the request's field that the direction came in.
        direction: the direction, or several.

    Raises:
        Refused: it names nothing, or something that is no parameter and no input of floats.
    """
    faults, floats = Faults(), network.float_inputs
    for name in sorted(direction.params.keys() - network.parameters.keys()):
        detail = f"the network has no parameter {shown(name)}{nearest(name, network.parameters)}"
        faults.append(Fault(f"/{place}/params/{escape(name)}", "unknown_parameter", detail))
    for name in sorted(direction.data.keys() - set(floats)):
        pointer = f"/{place}/data/{escape(name)}"
        if name in network.noise:
            detail = f"input '{name}' is noise: it cannot be moved"
            faults.append(Fault(pointer, "not_differentiable", detail))
        elif name in network.inputs:
            detail = f"input '{name}' holds integers: it cannot be moved"
            faults.append(Fault(pointer, "not_differentiable", detail))
        else:
            # Cotangents belong to nodes, and are what a Hessian-vector product has beside its vectors.
            node = f"; '{name}' is a node: nodes go into cotangents" if name in network.nodes else ""
            detail = f"the network has no input {shown(name)}{node or nearest(name, floats)}"
            faults.append(Fault(pointer, "unknown_data", detail))
    if not direction.params and not direction.data:
        faults.append(Fault(f"/{place}", "field_invalid", "name at least one parameter or input"))
    faults.refuse()


def shapes_of(network: Graph, batch: int, direction: Direction) -> dict[str, Shape]:
    """Return the shape of one direction at each of the places it names.

    Args:
        network: the network of the request.
        batch: number of examples.
        direction: the direction, or several.
    """
    shapes = {f"params/{name}": network.parameters[name].shape for name in direction.params}
    shapes |= {f"data/{name}": network.inputs[name].array_shape(batch) for name in direction.data}
    return shapes


def count(
    place: str, arrays: Arrays, shapes: Mapping[str, Shape], dtype: np.dtype[Any], *, single: bool = False
) -> int | None:
    """Return how many directions arrays hold: None when they have no leading axis for several.

    Args:
        place: the request's field that the arrays came in.
        arrays: the arrays, by their places in it.
        shapes: the shape that one direction has at each place.
        dtype: the one float dtype of the request.
        single: whether there can be only one, without such an axis.

    Raises:
        Refused: an array has another dtype or shape, or the leading axes differ.
    """
    faults, first = Faults(), None
    for name, array in arrays.items():
        pointer, shape = f"/{place}/{name}", shapes[name]
        if array.dtype != dtype:
            detail = f"expected {dtype} like the other arrays of the request, got {array.dtype}"
            faults.append(Fault(pointer, "dtype_mismatch", detail))
        several = not single and array.ndim == len(shape) + 1
        if array.shape[several:] != shape or (several and not len(array)):
            stacked = "" if single else ", or several of it in a leading axis"
            detail = f"expected shape {list(shape)}{stacked}, got {list(array.shape)}"
            faults.append(Fault(pointer, "shape_mismatch", detail))
            continue
        size = len(array) if several else None
        first = first or (name, size)
        if size != first[1]:
            sizes = [f"{each} at once" if each else "a single one" for each in (first[1], size)]
            detail = f"expected {sizes[0]}, like '{first[0]}', got {sizes[1]}"
            faults.append(Fault(pointer, "shape_mismatch", detail))
    faults.refuse()
    return first[1] if first else None


def one_of(arrays: Arrays, count: int | None, index: int) -> Arrays:
    """Return direction `index` of arrays that stack directions in their leading axis.

    Args:
        arrays: the arrays of all directions.
        count: how many they hold, None for a single one without a leading axis.
        index: which one.
    """
    return arrays if count is None else {name: array[index] for name, array in arrays.items()}


def each_direction(directions: Direction, count: int | None) -> Iterator[Direction]:
    """Yield each of several directions; count: how many there are, None for a single one."""
    for index in range(1 if count is None else count):
        yield Direction(*(one_of(part, count, index) for part in directions))


def stack(results: Iterable[Mapping[str, Array]], count: int | None) -> dict[str, Array]:
    """Return the results of all directions, with a leading axis if the directions had one."""
    parts = [dict(result) for result in results]
    if count is None:
        return parts[0]
    return {name: np.stack([part.pop(name) for part in parts]) for name in list(parts[0])}

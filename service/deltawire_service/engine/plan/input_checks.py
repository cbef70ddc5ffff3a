"""Everything about a request that must be right before any arithmetic: names, shapes, dtypes, ranges, memory.

numpy turns mistakes into answers (it broadcasts, wraps negative indices, casts); so nothing reaches it
unchecked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire_layers import Array, Shape
from deltawire_service.engine.graph import Graph, InputSpec
from deltawire_service.engine.limits import Limits
from deltawire_service.engine.plan.memory_plan import Plan, make_drawing_plan, parameter_numbers, row_numbers
from deltawire_service.engine.plan.program import upstream
from deltawire_service.faults import Faults, escape, nearest, shown

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def check_names(
    network: Graph, params: Set[str], data: Set[str], values: frozenset[str] | None = None
) -> None:
    """Raises Refused unless exactly the network's parameters and inputs are given.

    values: only these nodes are computed; what does not lead to them may be left out (labels, say).
    """
    if params == network.parameters.keys() and data == network.inputs.keys():
        return
    needed = {*network.parameters, *network.inputs}
    if values is not None:
        needed = upstream(network, values)
        needed |= {
            name for node in needed & network.nodes.keys() for name in network.nodes[node].parameters.values()
        }
    faults = Faults(_names("/params", "parameter", network.parameters, needed, params))
    faults += _names("/data", "data", network.inputs, needed, data)
    faults.refuse()


def _names(
    pointer: str, what: str, expected: Mapping[str, Any], needed: set[str], got: Set[str]
) -> Iterable[Fault]:
    noun = "input" if what == "data" else what
    for name in sorted(got - expected.keys()):
        detail = f"the network has no {noun} {shown(name)}{nearest(name, expected)}"
        yield Fault(f"{pointer}/{escape(name)}", f"unknown_{what}", detail)
    for name, input_spec in expected.items():
        if name in needed and name not in got:
            axes = (
                input_spec.shape if what == "parameter" or input_spec.shared else ("batch", *input_spec.shape)
            )
            detail = f"'{name}' is missing: expected an array ({', '.join(map(str, axes))})"
            yield Fault(f"{pointer}/{name}", f"missing_{what}", detail)


def check_arrays(
    network: Graph, params: Mapping[str, Array], data: Mapping[str, Array]
) -> tuple[int, np.dtype[Any]]:
    """The batch size and the one float dtype of the arrays; names are right already.

    Raises Refused unless every array has the shape and dtype the network expects.
    """
    faults, floats = Faults(), list(params.values())
    for name, array in params.items():
        if array.shape != (shape := network.parameters[name].shape):
            detail = f"parameter '{name}': expected shape {list(shape)}, got {list(array.shape)}"
            faults.append(Fault(f"/params/{name}", "shape_mismatch", detail))
    sized, batch = "", 1  # the first input with a batch axis, and how many examples it has
    for name, array in data.items():
        input_spec, shape = network.inputs[name], array.shape
        if input_spec.dtype == "float":
            floats.append(array)
        else:
            faults += _labels(name, array, input_spec.range)
        if input_spec.shared:
            if shape != input_spec.shape:
                faults.append(_unshaped(name, input_spec, shape))
        elif not shape or shape[1:] != input_spec.shape:
            faults.append(_unshaped(name, input_spec, shape))
        elif not sized and shape[0]:
            sized, batch = name, shape[0]
        elif shape[0] != batch:
            faults.append(_unequal(name, shape[0], sized, batch))
    dtype = floats[0].dtype if floats else FLOATS[1]
    if [array for array in floats if array.dtype != dtype] or dtype not in FLOATS:
        faults += _dtypes(network, params, data, dtype)
    faults.refuse()
    return batch, dtype


def _unshaped(name: str, input_spec: InputSpec, shape: Shape) -> Fault:
    expected = ", ".join([*([] if input_spec.shared else ["batch"]), *map(str, input_spec.shape)])
    detail = f"input '{name}': expected shape [{expected}], got {list(shape)}"
    return Fault(f"/data/{name}", "shape_mismatch", detail)


def _unequal(name: str, got: int, first: str, batch: int) -> Fault:
    if not got:
        return Fault(
            f"/data/{name}", "batch_empty", f"input '{name}': expected at least one example, got none"
        )
    detail = f"input '{name}': expected {batch} examples like '{first}', got {got}"
    return Fault(f"/data/{name}", "batch_mismatch", detail)


def _dtypes(
    network: Graph, params: Mapping[str, Array], data: Mapping[str, Array], dtype: np.dtype[Any]
) -> Iterable[Fault]:
    arrays = {f"/params/{name}": array for name, array in params.items()}
    arrays |= {f"/data/{name}": data[name] for name in data if network.inputs[name].dtype == "float"}
    for pointer, array in arrays.items():
        if array.dtype not in FLOATS:
            yield Fault(pointer, "dtype_unsupported", f"expected float32 or float64, got {array.dtype}")
        elif array.dtype != dtype:
            detail = f"expected {dtype} like the other arrays of the request, got {array.dtype}"
            yield Fault(pointer, "dtype_mismatch", detail)


def _labels(name: str, array: Array, allowed: range | None) -> Iterable[Fault]:
    if array.dtype != np.int64:
        detail = f"input '{name}': expected int64, got {array.dtype}"
        yield Fault(f"/data/{name}", "dtype_mismatch", detail)
    elif allowed is not None and array.size and not _all_in(array, allowed):
        place = np.argwhere((array < allowed.start) | (array >= allowed.stop))[0]
        steps = "".join(f"/{step}" for step in place)
        row = f" in row {place[0]}" if len(place) else ""
        got = f"got {array[tuple(place)]}{row}"
        detail = f"input '{name}': expected integers from {allowed.start} to {allowed.stop - 1}, {got}"
        yield Fault(f"/data/{name}{steps}", "label_out_of_range", detail)


def _all_in(array: Array, allowed: range) -> bool:
    """Whether all integers are in a range."""
    if allowed.start == 0:  # as almost always; a negative one, read without its sign, is larger than any
        return bool(np.maximum.reduce(array.view(np.uint64), axis=None) < allowed.stop)
    least, most = np.minimum.reduce(array, axis=None), np.maximum.reduce(array, axis=None)
    return bool(allowed.start <= least and most < allowed.stop)


def _memory(limits: Limits, what: str, planned: int, pointer: str = "/network") -> None:
    if planned > limits.planned_bytes:
        most = f"at most {limits.planned_bytes} are allowed (DELTAWIRE_PLANNED_BYTES)"
        detail = f"{what} needs {planned} bytes at its peak, {most}"
        raise Refused([Fault(pointer, "memory_plan_exceeded", detail)])


def check_numbers(limits: Limits, node: str, numbers: int) -> None:
    """Raises Refused when as many float32 numbers do not fit as an example has up to a node: the pointer is
    relative to the spec."""
    _memory(limits, f"one example in float32, up to node '{node}',", 4 * numbers, pointer="")


def check_smallest(network: Graph) -> None:
    """Raises Refused when not even one float32 example fits: the pointer is relative to the spec."""
    numbers = parameter_numbers(network) + row_numbers(network)
    _memory(network.limits, "one example in float32", 4 * numbers, pointer="")


def check_parameter_bytes(network: Graph) -> None:
    """Raises Refused when the parameters alone exceed the planned memory."""
    _memory(network.limits, "drawing the parameters", make_drawing_plan(network).peak_bytes)


def check_memory(network: Graph, plan: Plan, batch: int) -> None:
    """Raises Refused when the request's planned peak exceeds the limit."""
    what = "one example" if batch == 1 else f"a batch of {batch} (fewer at a time need less)"
    _memory(network.limits, what, plan.peak_bytes)

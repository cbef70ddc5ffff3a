"""Checks of a request before any arithmetic: names, shapes, dtypes, ranges, memory.

numpy turns mistakes into results: it broadcasts, wraps negative indices and casts. So nothing reaches it
unchecked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from math import inf
from typing import Any

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire_layers import ROUNDING, Array, Parameter, Shape
from deltawire_plugins.shown import shown
from deltawire_service.engine.graph import Arrays, Graph, InputSpec
from deltawire_service.engine.limits import Limits
from deltawire_service.engine.plan.memory_plan import (
    Plan,
    parameter_numbers,
    row_numbers,
)
from deltawire_service.faults import Faults, escape, nearest

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
INT64 = np.dtype(np.int64)


def check_names(
    network: Graph, params: Set[str], data: Set[str], values: frozenset[str] | None = None
) -> None:
    """Check that a request brings the network's parameters and inputs, all of them and no others.

    Args:
        network: the network of the request.
        params: names of the parameters that came.
        data: names of the inputs that came.
        values: nodes, where only these are computed; what does not lead to them may be left out.

    Raises:
        Refused: a name is unknown or missing.
    """
    if params == network.parameters.keys() and data == network.inputs.keys():
        return
    needed = {*network.parameters, *network.inputs}
    if values is not None:
        needed = network.upstream(values)
        needed |= {
            name for node in needed & network.nodes.keys() for name in network.nodes[node].parameters.values()
        }
    tied = _tied(network, params)
    faults = Faults(_names("/params", "parameter", network.parameters, needed, params - tied.keys()))
    faults += [Fault(f"/params/{escape(name)}", "unknown_parameter", tied[name]) for name in sorted(tied)]
    sent = data - network.noise.keys()
    faults += _names("/data", "data", network.inputs, needed, sent)
    for name in sorted(data - sent):
        detail = f"input '{name}' is noise, which is drawn from noise_seed: leave it out"
        faults.append(Fault(f"/data/{name}", "unknown_data", detail))
    faults.refuse()


def _tied(network: Graph, params: Set[str]) -> dict[str, str]:
    """Return what is wrong with parameters that a node has from another one, by their names."""
    details = {}
    for name in params - network.parameters.keys():
        node, _, local = name.partition(".")
        if node in network.nodes and (owner := network.nodes[node].parameters.get(local)):
            details[name] = f"node '{node}' is tied, and its {local} is '{owner}': leave {shown(name)} out"
    return details


def _names(
    pointer: str, kind: str, expected: Mapping[str, Parameter | InputSpec], needed: set[str], came: Set[str]
) -> Iterable[Fault]:
    noun = "input" if kind == "data" else kind
    for name in sorted(came - expected.keys()):
        detail = f"the network has no {noun} {shown(name)}{nearest(name, expected)}"
        yield Fault(f"{pointer}/{escape(name)}", f"unknown_{kind}", detail)
    for name, spec in expected.items():
        if name in needed and name not in came:
            batched = isinstance(spec, InputSpec) and not spec.shared
            axes = [*(["batch"] if batched else []), *map(str, spec.shape)]
            detail = f"'{name}' is missing: expected an array ({', '.join(axes)})"
            yield Fault(f"{pointer}/{name}", f"missing_{kind}", detail)


def check_arrays(network: Graph, params: Arrays, data: Arrays) -> tuple[int, np.dtype[Any]]:
    """Check that every array has the shape and the dtype that the network expects.

    Args:
        network: the network of the request.
        params: arrays by parameter, their names checked already.
        data: arrays by input, (batch, *shape), or (*shape) when shared.

    Returns:
        The number of examples, and the one float dtype of all arrays.

    Raises:
        Refused: a shape, a dtype, a label or a batch size is wrong.
    """
    faults, floats = Faults(), list(params.values())
    for name, array in params.items():
        if array.shape != (shape := network.parameters[name].shape):
            turned = ", its transpose" if array.shape == shape[::-1] else ""
            detail = f"parameter '{name}': expected shape {list(shape)}, got {list(array.shape)}{turned}"
            faults.append(Fault(f"/params/{name}", "shape_mismatch", detail))
    sized, batch = "", 1  # the first input with a batch axis, and how many examples it has
    for name, array in data.items():
        input_spec, shape = network.inputs[name], array.shape
        if input_spec.dtype == "float":
            floats.append(array)
            if input_spec.bounds is not None:
                _check_bounds(name, array, input_spec, faults, *input_spec.bounds)
        else:
            _check_labels(name, array, input_spec, faults)
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
    detail = (
        f"input '{name}': expected shape [{expected}], got {list(shape)}{_unshaped_mend(input_spec, shape)}"
    )
    return Fault(f"/data/{name}", "shape_mismatch", detail)


def _unshaped_mend(input_spec: InputSpec, shape: Shape) -> str:
    """Return the mend of a usual mistake in the shape of an input; empty for any other."""
    if input_spec.shared and shape[1:] == input_spec.shape:
        return ": a shared input has no batch axis"
    if input_spec.shared:
        return ""
    if shape == input_spec.shape:
        return ": the batch axis is missing, of size 1 for one example"
    if shape[1:] == (*input_spec.shape, 1):
        return ": leave out the last axis"
    if input_spec.dtype == "int64" and shape[1:-1] == input_spec.shape and len(shape) > 1:
        return ": one-hot rows become integers with argmax over the last axis"
    return ""


def _unequal(name: str, size: int, first: str, batch: int) -> Fault:
    if not size:
        return Fault(
            f"/data/{name}", "batch_empty", f"input '{name}': expected at least one example, got none"
        )
    detail = f"input '{name}': expected {batch} examples like '{first}', got {size}"
    return Fault(f"/data/{name}", "batch_mismatch", detail)


def _dtypes(network: Graph, params: Arrays, data: Arrays, dtype: np.dtype[Any]) -> Iterable[Fault]:
    arrays = {f"/params/{name}": array for name, array in params.items()}
    arrays |= {f"/data/{name}": data[name] for name in data if network.inputs[name].dtype == "float"}
    for pointer, array in arrays.items():
        if array.dtype not in FLOATS:
            yield Fault(pointer, "dtype_unsupported", f"expected float32 or float64, got {array.dtype}")
        elif array.dtype != dtype:
            detail = f"expected {dtype} like the other arrays of the request, got {array.dtype}"
            yield Fault(pointer, "dtype_mismatch", detail)


def _check_labels(name: str, array: Array, input_spec: InputSpec, faults: Faults) -> None:
    allowed = input_spec.ranges
    if array.dtype != INT64:
        detail = f"input '{name}': expected int64, got {array.dtype}"
        faults.append(Fault(f"/data/{name}", "dtype_mismatch", detail))
    elif allowed is not None and array.size and not _all_in(array, allowed):
        expected = (
            " or ".join(map(_in_words, allowed)) or "no integer, for the layers that take it share none"
        )
        faults.append(_out_of_range(name, array, input_spec, ~_inside(array, allowed), expected))


def _check_bounds(
    name: str, array: Array, input_spec: InputSpec, faults: Faults, least: float, most: float
) -> None:
    if array.dtype not in FLOATS:
        return
    outside = (array < least - ROUNDING) | (array > most + ROUNDING)
    if outside.any():  # NaN is not: what is not finite is refused elsewhere
        expected = f"numbers of at least {least:g}" if most == inf else f"numbers from {least:g} to {most:g}"
        faults.append(_out_of_range(name, array, input_spec, outside, expected))


def _out_of_range(name: str, array: Array, input_spec: InputSpec, outside: Array, expected: str) -> Fault:
    """Return the fault of the first number of an input that is outside of what a layer takes.

    Args:
        name: the input.
        array: what came for it.
        input_spec: its declaration.
        outside: booleans shaped like the array, at least one of them true.
        expected: the numbers that the layer takes, in words.
    """
    place = np.argwhere(outside)[0]
    steps = "".join(f"/{step}" for step in place)
    example = f" in example {place[0]}" if len(place) and not input_spec.shared else ""
    detail = f"input '{name}': expected {expected}, got {array[tuple(place)]}{example}"
    return Fault(f"/data/{name}{steps}", "label_out_of_range", detail)


def _all_in(array: Array, allowed: tuple[range, ...]) -> bool:
    """Return whether all integers are in one of the ranges."""
    if array.size == 1:
        number = array.item()
        return bool([each for each in allowed if number in each])
    if len(allowed) != 1:
        return bool(_inside(array, allowed).all())
    (one,) = allowed
    if one.start == 0:  # almost always: read without its sign, a negative one is larger than any
        return bool(np.maximum.reduce(array.view(np.uint64), axis=None) < one.stop)
    least, most = np.minimum.reduce(array, axis=None), np.maximum.reduce(array, axis=None)
    return bool(one.start <= least and most < one.stop)


def _inside(array: Array, allowed: tuple[range, ...]) -> Array:
    """Return which integers are in one of the ranges, shaped like the array."""
    inside: Array = np.zeros(array.shape, bool)
    for each in allowed:
        inside |= (array >= each.start) & (array < each.stop)
    return inside


def _in_words(allowed: range) -> str:
    if len(allowed) == 1:
        return f"{allowed.start}"
    return f"integers from {allowed.start} to {allowed.stop - 1}"


def check_numbers(limits: Limits, node: str, numbers: int) -> None:
    """Check that one example fits as far as it is known while a network is compiled.

    Args:
        limits: the bounds in force.
        node: the node that was inferred last.
        numbers: how many numbers one example and the parameters have up to there.

    Raises:
        Refused: they do not fit in float32; the pointer is relative to the spec.
    """
    if 4 * numbers > limits.planned_bytes:
        raise _exceeded(limits, f"one example in float32, up to node '{node}',", 4 * numbers, pointer="")


def check_smallest(network: Graph) -> None:
    """Raise Refused when not even one float32 example fits; the pointer is relative to the spec."""
    planned = 4 * (parameter_numbers(network) + row_numbers(network))
    if planned > network.limits.planned_bytes:
        raise _exceeded(network.limits, "one example in float32", planned, pointer="")


def check_parameter_bytes(network: Graph, plan: Plan) -> None:
    """Raise Refused when drawing the parameters, and writing them, would exceed the planned memory."""
    if plan.peak_bytes > network.limits.planned_bytes:
        raise _exceeded(network.limits, "drawing the parameters", plan.peak_bytes)


def check_plan(network: Graph, plan: Plan, batch: int) -> None:
    """Check that a request's planned peak and its planned operations are within the limits.

    Args:
        network: the network of the request.
        plan: the plan of the request.
        batch: number of examples.

    Raises:
        Refused: one of them exceeds its limit.
    """
    limits = network.limits
    if plan.peak_bytes <= limits.planned_bytes and plan.operations <= limits.planned_operations:
        return
    subject = "one example" if batch == 1 else f"a batch of {batch} (fewer at a time need less)"
    if plan.peak_bytes > limits.planned_bytes:
        raise _exceeded(limits, subject, plan.peak_bytes)
    needed = f"{subject} needs {plan.operations:.3g} operations"
    allowed = f"at most {limits.planned_operations:.3g} are allowed"
    mend = "ask for fewer samples, directions, outputs or steps"
    detail = f"{needed}, {allowed}{limits.setting('planned_operations')}: {mend}"
    raise Refused([Fault("/network", "cost_plan_exceeded", detail)])


def _exceeded(limits: Limits, subject: str, planned: int, pointer: str = "/network") -> Refused:
    detail = f"{subject} needs {planned} bytes at its peak, at most {limits.planned_bytes} are allowed"
    return Refused([Fault(pointer, "memory_plan_exceeded", detail + limits.setting("planned_bytes"))])

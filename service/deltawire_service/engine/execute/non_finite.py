"""The search for the first number of a computation that is not finite."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isfinite, isnan

import numpy as np

from deltawire.errors import Fault
from deltawire_layers import Array
from deltawire_service.engine.execute.batch_run import BatchRun
from deltawire_service.engine.execute.complex_step import Step
from deltawire_service.engine.execute.finite import is_finite, quietly
from deltawire_service.engine.graph import Arrays, Node
from deltawire_service.engine.plan.cuts import chunk_bounds
from deltawire_service.engine.plan.program import ArrayRole

Place = tuple[int, ...]


class _Found(Exception):
    """Ends a computation at the first array that has a number which is not finite."""

    def __init__(self, node: Node, role: ArrayRole, place: Place, number: float):
        self.node = node
        self.role = role
        self.place = place
        """Of the number in the chunk's array, whose first axis are rows unless it is a gradient."""
        self.number = number


class _Reached(Exception):
    """Ends a computation as soon as a node is computed."""

    def __init__(self, value: Array):
        self.value = value


@quietly
def find_non_finite(run: BatchRun, owner: str = "its") -> Fault | None:
    """Compute a run again, and look at every array, until one holds a number that is not finite.

    Args:
        run: the run to compute.
        owner: what stands before the array's role in the message: `the derivative of its`.

    Returns:
        The fault that names the parameter, the input or the node; None when all arrays are finite.

    Raises:
        DeadlineExceeded: the deadline has passed.
    """
    batched = frozenset(name for name, entry in run.network.inputs.items() if not entry.shared)
    fault = find_in_arrays(run.batch.params, "params") or find_in_arrays(run.batch.data, "data", batched)
    if fault:
        return fault
    for start, stop in chunk_bounds(run.batch.size, run.plan.chunks):
        try:
            run.both_passes(start, stop, _look)
        except _Found as found:
            node = found.node
            where = _where(found.place, None if found.role.kind == "gradient" else start)
            cause = _cause(run, found, start, stop)
            detail = (
                f"node '{node.name}' ({node.kind}): {owner} {found.role} is the first that is not finite: "
                f"{found.number}{where}{cause}"
            )
            return Fault(f"/network/nodes/{node.place}", "non_finite", detail)
    return None


def find_along_steps(run: BatchRun, steps: Iterable[Step]) -> Fault:
    """Return the fault of the first array that is not finite, in a run or in its derivatives along steps.

    Args:
        run: the run, not moved.
        steps: the steps that its derivatives were computed along.
    """
    fault = find_non_finite(run)
    derivatives = (find_non_finite(run.moved(step), "the derivative of its") for step in steps)
    fault = fault or next(filter(None, derivatives), None)
    return fault or Fault("/network", "non_finite", f"a derivative is too large for {run.batch.dtype}")


def find_in_arrays(arrays: Arrays, place: str, batched: frozenset[str] = frozenset()) -> Fault | None:
    """Return a fault for the first array that has a number which is not finite.

    Args:
        arrays: arrays by name.
        place: the field of the request that they came in.
        batched: names of the arrays whose first axis are examples.
    """
    for name, array in arrays.items():
        if not is_finite(array):
            index, number = _first(array)
            where = _where(index, 0 if name in batched else None)
            detail = f"'{name}' holds a number that is not finite: {number}{where}"
            return Fault(f"/{place}/{name}", "non_finite", detail)
    return None


def _look(node: Node, role: ArrayRole, array: Array) -> None:
    if not is_finite(array):
        raise _Found(node, role, *_first(array))


def _first(array: Array) -> tuple[Place, float]:
    """Return the place of the first number that is not finite, and that part of it which is not."""
    place = tuple(np.argwhere(~np.isfinite(array))[0].tolist())
    number = array[place]
    return place, float(number.imag if isfinite(number.real) else number.real)


def _where(place: Place, first_row: int | None) -> str:
    """Return the end of a message that says where a number is.

    Args:
        place: of the number in its array.
        first_row: the example that the first row belongs to; None when the array has no batch axis.
    """
    example = "" if first_row is None else f" in example {first_row + place[0]}"
    inside = place if first_row is None else place[1:]
    return example + (f", at {list(inside)}" if inside else "")


def _cause(run: BatchRun, found: _Found, start: int, stop: int) -> str:
    """Return the numbers that an elementwise layer got at the place, and the domain that they are outside of.

    Args:
        run: the run that was computed.
        found: the first number that is not finite.
        start: the first row of its chunk.
        stop: the row after the last.
    """
    node = found.node
    alike = node.layer.elementwise and all(shape == node.shape for shape in node.input_shapes)
    if not alike or found.role.kind not in ("value", "sent"):
        return ""
    numbers = {name: float(_input_value(run, name, start, stop)[found.place].real) for name in node.inputs}
    there = ", where " + " and ".join(f"'{name}' is {number}" for name, number in numbers.items())
    (least, most), number = node.layer.domain, next(iter(numbers.values()))
    if len(node.inputs) > 1 or least < number < most or not (isnan(found.number) or number in (least, most)):
        return there
    allowed = f"above {least:g}" if most == inf else f"between {least:g} and {most:g}"
    return f"{there}: '{node.kind}' and its derivative are defined for numbers {allowed}"


def _input_value(run: BatchRun, name: str, start: int, stop: int) -> Array:
    """Return what a node or an input has for the rows of a chunk, computed once more: it was released."""
    if name not in run.network.nodes:
        return run.inputs(start, stop)[name]

    def stop_at(node: Node, role: ArrayRole, array: Array) -> None:
        if node.name == name:
            raise _Reached(array)

    try:
        run.forward(start, stop, stop_at)
    except _Reached as reached:
        return reached.value
    raise LookupError(name)

"""The search for the first number of a computation that is not finite."""

from __future__ import annotations

import numpy as np

from deltawire.errors import Fault
from deltawire_layers import Array
from deltawire_service.engine.execute.batch_run import BatchRun
from deltawire_service.engine.execute.finite import is_finite, quietly
from deltawire_service.engine.graph import Arrays, Node
from deltawire_service.engine.plan.cuts import chunk_bounds
from deltawire_service.engine.plan.program import ArrayRole


class _Found(Exception):
    """Ends a computation at the first array that has a number which is not finite."""

    def __init__(self, node: Node, role: ArrayRole):
        self.node = node
        self.role = role


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
    fault = find_in_arrays(run.batch.params, "params") or find_in_arrays(run.batch.data, "data")
    if fault:
        return fault
    try:
        for start, stop in chunk_bounds(run.batch.size, run.plan.chunks):
            run.both_passes(start, stop, _look)
    except _Found as found:
        node = found.node
        detail = f"node '{node.name}' ({node.kind}): {owner} {found.role} is the first that is not finite"
        return Fault(f"/network/nodes/{node.place}", "non_finite", detail)
    return None


def find_in_arrays(arrays: Arrays, place: str) -> Fault | None:
    """Return a fault for the first of these arrays, given at a place of the request, that is not finite."""
    for name, array in arrays.items():
        if not is_finite(array):
            index = np.argwhere(~np.isfinite(array))[0].tolist()
            where = f", at {index}" if index else ""
            detail = f"'{name}' holds a number that is not finite{where}"
            return Fault(f"/{place}/{name}", "non_finite", f'{detail}: non_finite "return" computes with it')
    return None


def _look(node: Node, role: ArrayRole, array: Array) -> None:
    if not is_finite(array):
        raise _Found(node, role)

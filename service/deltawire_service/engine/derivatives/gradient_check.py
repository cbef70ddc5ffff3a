"""Gradient check: backprop's numbers beside two others that do not use the backward equations.

The complex step, f(x + i·h).imag / h, is exact for analytic layers. Central differences,
(f(x + h) − f(x − h)) / 2h, are coarse, but need nothing of the layers at all. They are the only check of
what leads through a layer of `orders` 1.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, NamedTuple

import numpy as np

from deltawire_layers import Array
from deltawire_service.engine.derivatives.float32_check import FLOAT32, as_dtype, compare_float32
from deltawire_service.engine.derivatives.gradients import Gradients, compute_gradients, first_non_finite
from deltawire_service.engine.execute.batch_run import BatchRun
from deltawire_service.engine.execute.complex_step import COMPLEX
from deltawire_service.engine.execute.finite import quietly
from deltawire_service.engine.execute.layer_calls import call
from deltawire_service.engine.execute.objective import Objective
from deltawire_service.engine.graph import Arrays, Graph, InputSpec
from deltawire_service.engine.plan import input_checks
from deltawire_service.engine.plan.body_cost import NO_BODY_COST, BodyCost
from deltawire_service.engine.plan.first_order import first_reached
from deltawire_service.engine.plan.memory_plan import Plan
from deltawire_service.engine.plan.program import make_program
from deltawire_service.engine.plan.targets import Targets, Wrt, loss_targets
from deltawire_service.engine.prepared import Options, Prepared

COMPLEX_STEP = 1e-200
"""Step of the complex step. Its square is 0, so where two factors move, an exact tie stays a tie."""

DIFFERENCE_STEP = float(np.cbrt(np.finfo(np.float64).eps))
"""Step of central differences, relative to the number moved, or to 1 where that is less.

At the cube root of the rounding error, the errors of rounding and of the step are equally large.
"""

FLOAT = np.dtype(np.float64)

MOST_PLACES = 5000
"""Places checked in one request, over all arrays."""

WORST = 3
"""Places reported of each array."""

COMPLEX_TOLERANCE = 1e-9
DIFFERENCE_TOLERANCE = 1e-4
"""Relative differences allowed to the complex step and to central differences."""


@dataclass(frozen=True)
class CheckedPlace:
    """One number that was checked: the derivative of the loss by it, computed in three ways."""

    index: tuple[int, ...]
    gradient: float
    complex_step: float | None
    """None where a layer of `orders` 1 is on the way to the loss."""
    differences: float
    relative_difference: float | None
    """To the complex step, relative to the largest gradient of the array, or to 1 where that is less.

    None where there is no complex step."""
    relative_difference_to_differences: float


@dataclass(frozen=True)
class CheckedArray:
    """The verdict on one parameter, input or delta."""

    name: str
    numbers: int
    checked: int
    passed: bool
    worst: tuple[CheckedPlace, ...]
    """The places with the largest differences, the largest first."""
    float32_difference: float
    """The largest, over all numbers, between backprop in float32 and in float64 at the same arguments."""
    float32_allowed: float
    """How large it may be: it follows from the condition of the gradients."""


class Moving(NamedTuple):
    """The loss as a function of one number that is moved."""

    real: BatchRun
    analytic: BatchRun
    """The same run in complex numbers."""
    objective: Objective

    @quietly
    def loss(self, part: str, name: str, index: tuple[int, ...], step: complex) -> Any:
        """Return the loss with a step added to one number; a complex step makes it complex.

        Args:
            part: `params` or `data`.
            name: the array.
            index: the place in it.
            step: the step.
        """
        run = self.analytic if isinstance(step, complex) else self.real
        parts = {"params": dict(run.batch.params), "data": dict(run.batch.data)}
        parts[part][name] = parts[part][name].copy()
        parts[part][name][index] += step
        batch = run.batch._replace(params=parts["params"], data=parts["data"])
        result = run.with_batch(batch).result()
        # Where the network is cut open at a loss, its value is among the data.
        losses = self.objective.losses({**batch.data, **result.values})
        return self.objective.reduced(losses, batch.params, run.plan.chunks)


def cut_at(run: BatchRun, name: str, value: Array) -> BatchRun:
    """Return the run on the network cut open at a node, whose value is data from there on.

    So the delta of the node is the gradient by an input, and what leads to the node is not computed again.

    Args:
        run: the run on the whole network.
        name: the node.
        value: its value, (batch, *shape).
    """
    network = run.network
    inputs = {**network.inputs, name: InputSpec(network.nodes[name].shape, "float", shared=False)}
    nodes = {other: node for other, node in network.nodes.items() if other != name}
    network = replace(network, inputs=inputs, nodes=nodes)
    program = make_program(network, run.program.targets)
    data = {**run.batch.data, name: value.astype(run.batch.dtype)}
    batch = run.batch._replace(data=data)
    return BatchRun(network, program, batch, run.plan, run.starts, run.threads, run.on_compute_seconds)


def count_checks(network: Prepared, targets: Targets, batch: int, samples: int) -> int:
    """Return how many numbers are checked over all arrays.

    Args:
        network: the network.
        targets: the parameters, inputs and deltas that are checked.
        batch: number of examples.
        samples: places of each array.
    """
    shapes = [network.parameters[name].shape for name in targets.params]
    shapes += [network.inputs[name].array_shape(batch) for name in targets.data]
    shapes += [(batch, *network.nodes[name].shape) for name in targets.deltas]
    return sum(min(prod(shape), places(len(shapes), samples)) for shape in shapes)


def check_plan(network: Prepared, targets: Targets, batch: int, samples: int, body_cost: BodyCost) -> Plan:
    """Return the plan of a check: of the gradients, and for each number of three forward passes.

    Args:
        network: the network.
        targets: the parameters, inputs and deltas that are checked.
        batch: number of examples.
        samples: places asked for in each array.
        body_cost: the cost of reading the request's body and of writing its answer.
    """
    # The complex step works in complex128, whatever the arrays are.
    plan = network.memory_plan(targets, batch, COMPLEX, body_cost)
    analytic, real = (
        network.memory_plan(loss_targets(network), batch, dtype, NO_BODY_COST) for dtype in (COMPLEX, FLOAT)
    )
    checks = count_checks(network, targets, batch, samples)
    # The arrays are in memory in float64, too, one of them once more, moved, and all of them in float32; so
    # are the gradients that are compared.
    return replace(
        plan,
        given_bytes=plan.given_bytes + plan.given_bytes // 2 + 2 * plan.given_bytes,
        answered_bytes=plan.answered_bytes + 3 * plan.answered_bytes // 2,
        stored_bytes=0,
        segments=1,  # so many small runs, one after the other, are no work for other machines
        # Gradients are computed in float32 too, and three times in float64 at its numbers and beside them.
        operations=5 * plan.operations + checks * (analytic.operations + 2 * real.operations),
    )


def places(arrays: int, samples: int) -> int:
    """Return how many places of each of so many arrays are checked at most."""
    return max(1, min(samples, MOST_PLACES // max(1, arrays)))


def check(
    network: Prepared,
    params: Arrays,
    data: Arrays,
    wrt: Wrt,
    deltas: Iterable[str],
    samples: int,
    options: Options,
) -> list[CheckedArray]:
    """Check gradients and deltas at some places of every array.

    Args:
        network: the network.
        params: arrays by parameter.
        data: arrays by input.
        wrt: the parameters and inputs whose gradients are checked.
        deltas: the nodes whose deltas are checked.
        samples: places of each array.
        options: reduction and body_cost.

    Raises:
        Refused: a name or an array is wrong, or a gradient is not finite.
    """
    nodes = tuple(deltas)
    named = network.targets(wrt, deltas=nodes)
    targets = Targets(named.params, named.data, values=named.deltas, deltas=named.deltas)
    batch = network.check_batch(params, data)
    arrays = len(targets.params) + len(targets.data) + len(nodes)
    plan = check_plan(network, targets, batch.size, samples, options.body_cost)
    input_checks.check_plan(network, plan, batch.size)
    strict = batch.dtype == FLOAT32
    batch = batch.with_arrays(as_dtype(params, FLOAT), as_dtype(data, FLOAT), FLOAT)
    once = network.memory_plan(targets, batch.size, FLOAT, options.body_cost)
    objective = network.objective(batch.size, options.reduction)
    loss = network.batch_run(batch, loss_targets(network), plan)
    run = network.batch_run(batch, targets, once, objective.starts)

    def work() -> tuple[list[CheckedArray], bool]:
        gradients, finite = compute_gradients(run, objective)
        if not finite:
            return [], False
        checked = check_gradients(loss, objective, gradients, places(arrays, samples))
        apart = compare_float32(run, objective, strict)
        return [_with_float32(array, *apart[array.name]) for array in checked], True

    return network.compute(plan, work, "error", lambda: first_non_finite(run))


def check_gradients(
    run: BatchRun, objective: Objective, gradients: Gradients, samples: int
) -> list[CheckedArray]:
    """Check gradients and deltas at up to `samples` places of every array.

    A place takes three forward passes; one of a delta, those of the nodes after it.

    Args:
        run: the run of the loss, in float64.
        objective: the reduced loss.
        gradients: gradients; and deltas, with the values of their nodes.
        samples: places of each array.

    Raises:
        DeadlineExceeded: the deadline has passed.
    """
    params, data = as_dtype(run.batch.params, COMPLEX), as_dtype(run.batch.data, COMPLEX)
    runs = run, run.with_batch(run.batch._replace(params=params, data=data, dtype=COMPLEX))
    moving = Moving(*runs, objective)

    def checked() -> Iterator[CheckedArray]:
        for name, gradient in gradients.params.items():
            constant = constant_rows(run.network, name)
            yield _check_array(f"params/{name}", moving, "params", name, gradient, samples, constant)
        for name, gradient in gradients.data.items():
            yield _check_array(f"data/{name}", moving, "data", name, gradient, samples)
        for name, delta in gradients.deltas.items():
            real, analytic = (cut_at(each, name, gradients.values[name]) for each in runs)
            after = Moving(real, analytic, objective)
            yield _check_array(f"deltas/{name}", after, "data", name, delta, samples)

    return list(checked())


def _with_float32(checked: CheckedArray, difference: float, allowed: float) -> CheckedArray:
    passed = checked.passed and not difference > allowed
    return replace(checked, passed=passed, float32_difference=difference, float32_allowed=allowed)


def constant_rows(network: Graph, name: str) -> list[tuple[int, Collection[int]]]:
    """Return the rows of a parameter that a layer takes as constants: axes, and indices along them.

    Differences would show the derivative that the loss has by them, and that gradients leave out on purpose.
    """
    return [
        (1 if local in node.transposed else 0, rows[local])
        for node in network.nodes.values()
        if name in node.parameters.values()
        if (rows := call(node.name, node.kind, "tell its constant rows", node.layer.constant_rows))
        for local, owner in node.parameters.items()
        if owner == name and local in rows
    ]


def _check_array(
    title: str,
    moving: Moving,
    part: str,
    name: str,
    gradient: Array,
    samples: int,
    constant: Sequence[tuple[int, Collection[int]]] = (),
) -> CheckedArray:
    size = max(1.0, float(np.abs(gradient).max()))
    network = moving.real.network
    analytic = first_reached(network, {name}, network.loss) is None
    checked = [
        _check_place(moving, part, name, gradient, size, index, analytic)
        for index in _indices(gradient.shape, samples)
        if not any(index[axis] in rows for axis, rows in constant)
    ]
    checked.sort(
        key=lambda place: -max(place.relative_difference or 0, place.relative_difference_to_differences)
    )
    passed = all(
        (place.relative_difference is None or place.relative_difference <= COMPLEX_TOLERANCE)
        and place.relative_difference_to_differences <= DIFFERENCE_TOLERANCE
        for place in checked
    )
    return CheckedArray(title, gradient.size, len(checked), passed, tuple(checked[:WORST]), 0.0, 0.0)


def _indices(shape: tuple[int, ...], samples: int) -> list[tuple[int, ...]]:
    """Return up to `samples` places, spread evenly over an array: the same ones every time."""
    size = int(np.prod(shape))
    flat = np.unique(np.linspace(0, size - 1, min(samples, size)).round().astype(int))
    return [tuple(map(int, np.unravel_index(place, shape))) for place in flat]


def _check_place(
    moving: Moving,
    part: str,
    name: str,
    gradient: Array,
    size: float,
    index: tuple[int, ...],
    analytic: bool,
) -> CheckedPlace:
    """Check one number. analytic: whether a complex step reaches the loss."""
    number = float(getattr(moving.real.batch, part)[name][index])
    step = DIFFERENCE_STEP * max(1.0, abs(number))
    complex_step = None
    if analytic:
        complex_step = float(moving.loss(part, name, index, 1j * COMPLEX_STEP).imag / COMPLEX_STEP)
    up, down = moving.loss(part, name, index, step), moving.loss(part, name, index, -step)
    differences = float((up - down) / (2 * step))
    backprop = float(gradient[index])
    return CheckedPlace(
        index,
        backprop,
        complex_step,
        differences,
        None if complex_step is None else abs(backprop - complex_step) / size,
        abs(backprop - differences) / size,
    )

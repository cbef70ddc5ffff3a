"""Gradient check: backprop's numbers against two others that know nothing of the backward equations.

The complex step, f(x + i·h).imag / h with h = 1e-200, is exact for analytic layers; central differences,
(f(x + h) − f(x − h)) / 2h, are coarse but need nothing from the layers at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf
from typing import Any, NamedTuple

import numpy as np

from deltawire_layers import Array
from deltawire_service.engine.execute.backprop import Arrays
from deltawire_service.engine.execute.batch_run import BatchRun, Gradients
from deltawire_service.engine.graph import InputSpec
from deltawire_service.engine.plan.memory_plan import Plan
from deltawire_service.engine.plan.program import make_program

COMPLEX_STEP = 1e-200
"""So small that its square vanishes: where two factors move, their product leaves an exact tie a tie."""
MOST_PLACES = 5000
"""Places checked in one request, over all arrays."""

EXACT = 1e-9
COARSE = 1e-4
"""Relative differences allowed to the complex step and to central differences."""


@dataclass(frozen=True)
class CheckedPlace:
    """One number that was checked: the derivative of the loss with respect to it, three times over."""

    index: tuple[int, ...]
    gradient: float
    complex_step: float
    differences: float
    relative_difference: float
    """To the complex step, relative to the largest gradient of the array, or to 1 where that is less."""
    relative_difference_to_differences: float


@dataclass(frozen=True)
class CheckedArray:
    """How one parameter, input or delta did: its worst places first."""

    name: str
    numbers: int
    checked: int
    passed: bool
    worst: tuple[CheckedPlace, ...]


class Moving(NamedTuple):
    """The work in real and in complex numbers, ready to be computed with one number moved."""

    real: BatchRun
    analytic: BatchRun
    deadline: float

    def loss(self, kind: str, name: str, index: tuple[int, ...], step: complex) -> Any:
        """The loss with a step added at one place of `params` or `data`; complex steps make it complex."""
        batch_run = self.analytic if isinstance(step, complex) else self.real
        arrays: dict[str, Array] = dict(getattr(batch_run, kind))
        arrays[name] = arrays[name].copy()
        arrays[name][index] += step
        moved: Any = {kind: arrays}
        return batch_run._replace(**moved).loss(self.deadline)


def cut_at(batch_run: BatchRun, name: str, value: Array) -> BatchRun:
    """The run on the network cut open at a node: its value, (batch, *shape), is data from there on.

    So the delta of the node is the gradient by an input, and what leads to the node is not computed again.
    """
    network = batch_run.network
    inputs = {**network.inputs, name: InputSpec(network.nodes[name].shape, "float", shared=False)}
    nodes = {other: node for other, node in network.nodes.items() if other != name}
    network = replace(network, inputs=inputs, nodes=nodes)
    data = {**batch_run.data, name: value.astype(batch_run.dtype)}
    return batch_run._replace(
        network=network, program=make_program(network, batch_run.program.targets), data=data
    )


def as_dtype(arrays: Arrays, dtype: Any) -> dict[str, Array]:
    """The arrays in another floating dtype; integers stay."""
    return {n: array if array.dtype == np.int64 else array.astype(dtype) for n, array in arrays.items()}


def check_plan(plan: Plan, arrays: int, samples: int) -> Plan:
    """What a check of so many arrays takes, where `plan` is that of their gradients in complex128.

    The arrays are there in float64, too, and one of them once more, moved; each place costs three passes.
    """
    return replace(
        plan,
        given_bytes=plan.given_bytes + plan.given_bytes // 2 + plan.given_bytes,
        cost_bytes=plan.cost_bytes * (1 + arrays * places(arrays, samples)),
    )


def places(arrays: int, samples: int) -> int:
    """How many places of each array are checked at most."""
    return max(1, min(samples, MOST_PLACES // max(1, arrays)))


def check_gradients(
    batch_run: BatchRun, result: Gradients, samples: int, deadline: float = inf, worst: int = 3
) -> list[CheckedArray]:
    """Check what a result has, at up to `samples` places of every array.

    batch_run: that of its loss, in float64. result: gradients; and deltas, with the values of their nodes.
    Every place costs three forward passes; of a delta, those of the nodes above it. Raises DeadlineExceeded
    at the time `deadline`.
    """
    wide = np.dtype(np.complex128)
    params, data = as_dtype(batch_run.params, wide), as_dtype(batch_run.data, wide)
    works = batch_run, batch_run._replace(params=params, data=data, dtype=wide)
    moving = Moving(*works, deadline)
    arrays = len(result.params) + len(result.data) + len(result.deltas)
    samples = places(arrays, samples)

    def checked() -> Iterator[CheckedArray]:
        for name, gradient in result.params.items():
            yield _checked(f"params/{name}", moving, "params", name, gradient, samples, worst)
        for name, gradient in result.data.items():
            yield _checked(f"data/{name}", moving, "data", name, gradient, samples, worst)
        for name, delta in result.deltas.items():
            real, analytic = (cut_at(one, name, result.values[name]) for one in works)
            above = Moving(real, analytic, deadline)
            yield _checked(f"deltas/{name}", above, "data", name, delta, samples, worst)

    return list(checked())


def _checked(
    called: str, moving: Moving, kind: str, name: str, gradient: Array, samples: int, worst: int
) -> CheckedArray:
    size = max(1.0, float(np.abs(gradient).max()))
    indices = _indices(gradient.shape, samples)
    places = [_place(moving, kind, name, gradient, size, index) for index in indices]
    places.sort(key=lambda place: -max(place.relative_difference, place.relative_difference_to_differences))
    passed = all(
        place.relative_difference <= EXACT and place.relative_difference_to_differences <= COARSE
        for place in places
    )
    return CheckedArray(called, gradient.size, len(places), passed, tuple(places[:worst]))


def _indices(shape: tuple[int, ...], samples: int) -> list[tuple[int, ...]]:
    """Up to `samples` places, spread evenly over an array: the same ones every time."""
    size = int(np.prod(shape))
    flat = np.unique(np.linspace(0, size - 1, min(samples, size)).round().astype(int))
    return [tuple(map(int, np.unravel_index(place, shape))) for place in flat]


def _place(
    moving: Moving, kind: str, name: str, gradient: Array, size: float, index: tuple[int, ...]
) -> CheckedPlace:
    at = float(getattr(moving.real, kind)[name][index])
    h = float(np.cbrt(np.finfo(np.float64).eps)) * max(1.0, abs(at))
    complex_step = float(moving.loss(kind, name, index, 1j * COMPLEX_STEP).imag / COMPLEX_STEP)
    up, down = moving.loss(kind, name, index, h), moving.loss(kind, name, index, -h)
    differences = float((up - down) / (2 * h))
    found = float(gradient[index])
    return CheckedPlace(
        index,
        found,
        complex_step,
        differences,
        abs(found - complex_step) / size,
        abs(found - differences) / size,
    )

"""Hessian-vector products of the loss, and estimates of the Hessian's diagonal from them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

import numpy as np

from deltawire.errors import Fault
from deltawire_layers import Array, Shape
from deltawire_service.engine.derivatives import directions
from deltawire_service.engine.derivatives.directions import Direction
from deltawire_service.engine.derivatives.repeated_plans import complex_plan, plan_with_answers, repeated_plan
from deltawire_service.engine.execute.batch_run import Batch, BatchRun
from deltawire_service.engine.execute.complex_step import COMPLEX, Step
from deltawire_service.engine.execute.finite import all_finite, quietly
from deltawire_service.engine.execute.non_finite import find_along_steps, find_in_arrays
from deltawire_service.engine.execute.objective import CotangentStarts, Objective
from deltawire_service.engine.graph import Arrays
from deltawire_service.engine.plan.first_order import check_orders
from deltawire_service.engine.plan.memory_plan import Plan
from deltawire_service.engine.plan.targets import Targets, Wrt
from deltawire_service.engine.prepared import Options, Prepared
from deltawire_service.engine.random_streams import stream


@dataclass(frozen=True)
class HessianProducts:
    """The result of `Network.hvp`: arrays by name, shaped like what they are named after.

    Where the vectors had a leading axis, so have these.
    """

    params: dict[str, Array]
    data: dict[str, Array]
    quadratic: Array | None
    """vᵀHv, () or (count,), when it was asked for."""

    def arrays(self) -> list[Array]:
        """Return the products of parameters and inputs, and `quadratic` when it was asked for."""
        sums = () if self.quadratic is None else (self.quadratic,)
        return [*self.params.values(), *self.data.values(), *sums]


@dataclass(frozen=True)
class Diagonal:
    """The result of `Network.hessian_diagonal`."""

    params: dict[str, Array]
    """Estimates of ∂²loss/∂θ² by name, shaped like θ; likewise `data`."""
    data: dict[str, Array]
    trace: float
    """The estimate of their sum over everything named."""


class _Curvature(NamedTuple):
    """A gradient to be differentiated once more."""

    network: Prepared
    batch: Batch
    rows: Targets
    """The rows of the Hessian that are asked for."""
    needed: Targets
    """The rows that are computed."""
    cotangents: Arrays
    """Where the gradient starts; empty: at the loss."""
    objective: Objective

    def plan(self, options: Options, times: int, given: list[Array], held: int) -> Plan:
        """Return the plan of so many products, `held` of them in memory at once, from given arrays."""
        network, batch, body_cost = self.network, self.batch, options.body_cost
        product = [network.parameters[name].shape for name in self.needed.params]
        product += [(batch.size, *network.inputs[name].shape) for name in self.needed.data]
        shapes = [array.shape for array in (*given, *self.cotangents.values())]
        once = network.memory_plan(self.needed, batch.size, COMPLEX, body_cost)
        once = complex_plan(once, batch.dtype, network.parameters)
        return repeated_plan(once, body_cost, 8, times, shapes, product * held)

    def run(self, plan: Plan) -> BatchRun:
        """Return the run of the gradient. Raises Refused when the plan exceeds the memory limit."""
        starts = CotangentStarts(self.cotangents) if self.cotangents else self.objective.starts
        return self.network.batch_run(self.batch, self.needed, plan, starts)

    @quietly
    def product(self, run: BatchRun, step: Step) -> Direction:
        """Compute one product in float64: the derivative of a whole gradient along the step."""
        moved, wide = run.moved(step), np.dtype(np.float64)
        result = moved.result()
        params = result.gradients(moved.program.params)
        params |= self.objective.regularized(params, moved.batch.params)
        return Direction(
            {name: step.derivative(array, wide) for name, array in params.items()},
            {name: step.derivative(array, wide) for name, array in result.deltas(moved.program.data).items()},
        )

    @quietly
    def asked(self, product: Direction) -> Direction:
        """Return the rows that are asked for, in the dtype of the request."""

        def rows(arrays: Arrays, names: Collection[str]) -> dict[str, Array]:
            dtype = self.batch.dtype
            return {name: array.astype(dtype, copy=False) for name, array in arrays.items() if name in names}

        return Direction(rows(product.params, self.rows.params), rows(product.data, self.rows.data))


def hvp(
    network: Prepared,
    params: Arrays,
    data: Arrays,
    vectors: Direction,
    wrt: Wrt,
    quadratic: bool,
    cotangents: Arrays | None,
    options: Options,
) -> HessianProducts:
    """Compute Hessian-vector products of the reduced loss by the complex step.

    Args:
        network: the network.
        params: arrays by parameter.
        data: arrays by input.
        vectors: one direction, or several in leading axes.
        wrt: the rows of the products that are asked for.
        quadratic: whether vᵀHv is asked for, too.
        cotangents: (batch, *shape) by node: Σ cotangent · node is differentiated in place of the loss.
        options: reduction, non_finite and body_cost.

    Raises:
        Refused: a name or an array is wrong, a vector would go through a layer of `orders` 1, or a result is
            not finite.
    """
    directions.check_direction(network, "vectors", vectors)
    extra = vectors if quadratic else Direction()
    curvature = _curvature(network, params, data, wrt, extra, cotangents, options)
    _check_second_order(curvature, {*vectors.params, *vectors.data})
    batch = curvature.batch
    flat, shapes = vectors.flat(), directions.shapes_of(network, batch.size, vectors)
    count = directions.count("vectors", flat, shapes, batch.dtype)
    times = 1 if count is None else count
    run = curvature.run(curvature.plan(options, times, list(flat.values()), times))

    def work() -> tuple[HessianProducts, bool]:
        products, sums = list[Direction](), list[float]()
        for vector in directions.each_direction(vectors, count):
            product = curvature.product(run, Step.along(*vector))
            if quadratic:
                sums.append(_inner(vector, product))
            products.append(curvature.asked(product))
        result = HessianProducts(
            directions.stack((product.params for product in products), count),
            directions.stack((product.data for product in products), count),
            np.array(sums if count else sums[0], batch.dtype) if quadratic else None,
        )
        return result, all_finite(result.arrays())

    def find() -> Fault:
        steps = (Step.along(*vector) for vector in directions.each_direction(vectors, count))
        return find_in_arrays(flat, "vectors") or find_along_steps(run, steps)

    return network.compute(run.plan, work, options.non_finite, find)


def hessian_diagonal(
    network: Prepared,
    params: Arrays,
    data: Arrays,
    wrt: Wrt,
    samples: int,
    seed: int,
    before: tuple[Direction, HessianProducts] | None,
    cotangents: Arrays | None,
    options: Options,
) -> Diagonal:
    """Estimate the diagonal of the loss's Hessian, and its trace, from random products.

    diag H ≈ mean of v ∘ Hv, where every number of v is −1 or 1 (Rademacher). The estimate is unbiased; the
    variance of an entry is Σ_{j≠i} H_ij² / samples, so it is exact where H is diagonal.
    Sources: Hutchinson, "A stochastic estimator of the trace of the influence matrix", Communications in
    Statistics 19, 1990; Bekas, Kokiopoulou & Saad, "An estimator for the diagonal of a matrix", Applied
    Numerical Mathematics 57, 2007.

    Args:
        network: the network.
        params: arrays by parameter.
        data: arrays by input.
        wrt: the parameters and inputs whose diagonal is asked for.
        samples: number of products.
        seed: seed of the PCG64 streams, one for each array, that v is drawn from.
        before: vectors of the same request and their products, which are in memory: for the plan.
        cotangents: (batch, *shape) by node: Σ cotangent · node is differentiated in place of the loss.
        options: reduction, non_finite and body_cost.

    Raises:
        Refused: a name or an array is wrong, a vector would go through a layer of `orders` 1, or a result is
            not finite.
    """
    curvature = _curvature(network, params, data, wrt, Direction(), cotangents, options)
    _check_second_order(curvature, curvature.needed.params | curvature.needed.data)
    vectors, answered = (before[0].flat(), before[1].arrays()) if before else ({}, [])
    plan = curvature.plan(options, samples, list(vectors.values()), 2)
    run = curvature.run(plan_with_answers(plan, options.body_cost, answered))
    empty, program = np.empty(0), run.program
    named = Direction(dict.fromkeys(program.params, empty), dict.fromkeys(program.data, empty))
    shapes = directions.shapes_of(network, curvature.batch.size, named)

    def work() -> tuple[Diagonal, bool]:
        sums = {place: np.zeros(shape) for place, shape in shapes.items()}
        for signs in _signs(seed, shapes, samples):
            product = curvature.product(run, Step.along(*Direction.from_flat(signs)))
            for place, array in product.flat().items():
                sums[place] += signs[place] * array
        for total in sums.values():
            total /= samples
        trace = _sum(sums)
        diagonal = curvature.asked(Direction.from_flat(sums))
        result = Diagonal(dict(diagonal.params), dict(diagonal.data), trace)
        return result, isfinite(trace) and all_finite(diagonal.flat().values())

    def find() -> Fault:
        signs = _signs(seed, shapes, samples)
        return find_along_steps(run, (Step.along(*Direction.from_flat(each)) for each in signs))

    return network.compute(run.plan, work, options.non_finite, find)


def _curvature(
    network: Prepared,
    params: Arrays,
    data: Arrays,
    wrt: Wrt,
    extra: Direction,
    cotangents: Arrays | None,
    options: Options,
) -> _Curvature:
    """Check a request. extra: rows that are needed beside those asked for."""
    if cotangents is not None:
        network = network.with_outputs(directions.check_outputs(network, cotangents))
    rows = network.targets(wrt)
    needed = Targets(rows.params.union(extra.params), rows.data.union(extra.data))
    batch = network.check_batch(params, data, frozenset(cotangents) if cotangents is not None else None)
    if cotangents is not None:
        shapes = {name: (batch.size, *network.nodes[name].shape) for name in cotangents}
        directions.count("cotangents", cotangents, shapes, batch.dtype, single=True)
    objective = network.objective(batch.size, options.reduction)
    return _Curvature(network, batch, rows, needed, cotangents or {}, objective)


def _check_second_order(curvature: _Curvature, moved: Collection[str]) -> None:
    """Check that no layer of `orders` 1 is between moved parameters and inputs, and the loss."""
    network = curvature.network
    check_orders(network, moved, network.loss, "vectors may move only what does not lead to it")


@quietly
def _sum(arrays: Arrays) -> float:
    return float(sum(array.sum() for array in arrays.values()))


@quietly
def _inner(vector: Direction, product: Direction) -> float:
    rows = product.flat()
    return float(sum(np.vdot(array, rows[place]) for place, array in vector.flat().items()))


def _signs(seed: int, shapes: Mapping[str, Shape], samples: int) -> Iterator[dict[str, Array]]:
    """Yield arrays of −1 or 1 at random, by place, so many times."""
    streams = {place: stream(seed, place) for place in shapes}
    for _ in range(samples):
        yield {place: streams[place].integers(0, 2, shape) * 2.0 - 1.0 for place, shape in shapes.items()}

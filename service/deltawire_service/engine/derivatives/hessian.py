"""Hessian-vector products of the loss, and what they tell of the Hessian's diagonal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire_layers import Array, Shape
from deltawire_service.engine.derivatives import directions
from deltawire_service.engine.derivatives.complex_step import COMPLEX, Step
from deltawire_service.engine.derivatives.directions import Direction
from deltawire_service.engine.derivatives.repeated_plans import complex_plan, plan_with_answers, repeated_plan
from deltawire_service.engine.execute.backprop import Arrays, is_finite
from deltawire_service.engine.execute.batch_run import BatchRun, quietly
from deltawire_service.engine.plan import input_checks
from deltawire_service.engine.plan.memory_plan import NO_BODY_COST, BodyCost
from deltawire_service.engine.plan.targets import Targets
from deltawire_service.engine.random_streams import stream

if TYPE_CHECKING:
    from deltawire_service.engine.network import Network

Wrt = bool | Iterable[str] | None


@dataclass(frozen=True)
class HessianProducts:
    """What `hvp` answers: products by name, shaped like what they are named after, with the leading axis of
    the vectors where these had one; quadratic: vᵀHv, () or (count,), when asked for."""

    params: dict[str, Array]
    data: dict[str, Array]
    quadratic: Array | None

    def finite(self) -> bool:
        """Whether every number of the answer is finite."""
        return all(map(is_finite, self.arrays()))

    def arrays(self) -> list[Array]:
        """All that was found."""
        sums = () if self.quadratic is None else (self.quadratic,)
        return [*self.params.values(), *self.data.values(), *sums]


@dataclass(frozen=True)
class Diagonal:
    """What `hessian_diagonal` answers: estimates of ∂²loss/∂θ², by name, shaped like θ; and of the trace,
    their sum over everything named."""

    params: dict[str, Array]
    data: dict[str, Array]
    trace: float

    def finite(self) -> bool:
        """Whether every number of the answer is finite."""
        return isfinite(self.trace) and all(map(is_finite, (*self.params.values(), *self.data.values())))


def hvp(
    network: Network,
    params: Arrays,
    data: Arrays,
    vectors: Direction,
    *,
    wrt_params: Wrt = None,
    wrt_data: Wrt = None,
    quadratic: bool = False,
    cotangents: Arrays | None = None,
    reduction: str = "mean",
    non_finite: str = "error",
    body_cost: BodyCost = NO_BODY_COST,
) -> HessianProducts:
    """Hessian-vector products of the reduced loss, its regularization included, by the complex step.

    vectors: arrays shaped like the parameters and data they are named after, zero for all others; or with one
    leading axis more, for several products at once. wrt_params, wrt_data: the rows of the products that are
    wanted, as for `gradients`; None: those that vectors name. quadratic: vᵀHv too.
    cotangents: (batch, *shape) by node: Σ cotangent · node is differentiated twice, in place of the loss.
    Computed in complex128, whatever the arrays are; at kinks the branch taken is differentiated. A product
    takes one gradient in complex numbers, about three times as long as one in float64.
    reduction, non_finite, body_cost, and what is raised: as for `gradients`.
    """
    directions.check_direction(network, "vectors", vectors)
    wrt = (
        tuple(vectors.params) if wrt_params is None else wrt_params,
        tuple(vectors.data) if wrt_data is None else wrt_data,
    )
    batch_run, targets = _batch_run(
        network, params, data, wrt, vectors if quadratic else Direction(), cotangents, reduction, body_cost
    )
    flat, shapes = vectors.flat(), directions.shapes_of(network, batch_run.batch, vectors)
    count = directions.counted("vectors", flat, shapes, batch_run.dtype)
    times = 1 if count is None else count
    batch_run = _planned(batch_run, body_cost, times, [*flat.values(), *(cotangents or {}).values()], times)

    def compute(deadline: float) -> HessianProducts:
        rows, sums = list[Direction](), list[float]()
        for index in range(times):
            along = Direction(*(directions.one_of(part, count, index) for part in vectors))
            step = Step(along)
            product = _product(batch_run, step, deadline)
            if quadratic:
                sums.append(_inner(along, product))
            rows.append(_only(product, targets, batch_run.dtype))
        found = HessianProducts(
            directions.stacked((row.params for row in rows), count),
            directions.stacked((row.data for row in rows), count),
            np.array(sums if count else sums[0], batch_run.dtype) if quadratic else None,
        )
        if non_finite == "error" and not found.finite():
            raise Refused(
                [directions.non_finite("vectors", flat) or step.first_non_finite(batch_run, deadline)]
            )
        return found

    return network.run(compute, batch_run.plan)


def hessian_diagonal(
    network: Network,
    params: Arrays,
    data: Arrays,
    *,
    wrt_params: bool | Iterable[str] = True,
    wrt_data: bool | Iterable[str] = False,
    samples: int = 10,
    seed: int = 0,
    before: tuple[Direction, HessianProducts] | None = None,
    cotangents: Arrays | None = None,
    reduction: str = "mean",
    non_finite: str = "error",
    body_cost: BodyCost = NO_BODY_COST,
) -> Diagonal:
    """Estimates of the diagonal of the loss's Hessian, and of its trace, from `samples` random products.

    diag H ≈ mean of v ∘ Hv with every number of v −1 or 1 (Rademacher), drawn from PCG64 streams keyed by
    `seed` and the arrays' places: the same on every machine. Unbiased; the variance of an entry is
    Σ_{j≠i} H_ij² / samples, so that it is exact where H is diagonal. before: vectors that the same request
    brought, and their products: planned for. The other arguments, and what is raised: as for `hvp`.
    Sources: Hutchinson, "A stochastic estimator of the trace of the influence matrix", Communications in
    Statistics 19, 1990; Bekas, Kokiopoulou & Saad, "An estimator for the diagonal of a matrix", Applied
    Numerical Mathematics 57, 2007.
    """
    batch_run, targets = _batch_run(
        network, params, data, (wrt_params, wrt_data), Direction(), cotangents, reduction, body_cost
    )
    brought, saved = (before[0].flat().values(), before[1].arrays()) if before else ((), ())
    batch_run = _planned(batch_run, body_cost, samples, [*(cotangents or {}).values(), *brought], 2, saved)
    nothing = np.empty(0)
    named = Direction(
        {name: nothing for name in network.parameters if name in targets.params},
        {name: nothing for name in network.inputs if name in targets.data},
    )
    shapes = directions.shapes_of(network, batch_run.batch, named)

    def compute(deadline: float) -> Diagonal:
        sums = {place: np.zeros(shape) for place, shape in shapes.items()}
        for signs in _signs(seed, shapes, samples):
            step = Step(Direction.of(signs))
            for place, product in _product(batch_run, step, deadline).flat().items():
                sums[place] += signs[place] * product
        for total in sums.values():
            total /= samples
        with np.errstate(all="ignore"):
            trace = float(sum(total.sum() for total in sums.values()))
        rows = _only(Direction.of(sums), targets, batch_run.dtype)
        found = Diagonal(dict(rows.params), dict(rows.data), trace)
        if non_finite == "error" and not found.finite():
            raise Refused([step.first_non_finite(batch_run, deadline)])
        return found

    return network.run(compute, batch_run.plan)


def _batch_run(
    network: Network,
    params: Arrays,
    data: Arrays,
    wrt: tuple[bool | Iterable[str], bool | Iterable[str]],
    more: Direction,
    cotangents: Arrays | None,
    reduction: str,
    body_cost: BodyCost,
) -> tuple[BatchRun, Targets]:
    """The gradient to be computed with steps, planned for once, and what of it was asked for.

    more: rows that are needed beside those asked for.
    """
    if cotangents is not None:
        network = network.with_outputs(directions.check_outputs(network, cotangents))
    asked = network._targets(*wrt, (), ())
    targets = asked._replace(params=asked.params.union(more.params), data=asked.data.union(more.data))
    network.check_names(params, data, frozenset(cotangents) if cotangents is not None else None)
    batch, dtype = input_checks.check_arrays(network, params, data)
    if cotangents is not None:
        shapes = {name: (batch, *network.nodes[name].shape) for name in cotangents}
        if directions.counted("cotangents", cotangents, shapes, dtype) is not None:
            detail = (
                "expected cotangents without a leading axis: the vectors are what there may be several of"
            )
            raise Refused([Fault("/cotangents", "shape_mismatch", detail)])
    plan = complex_plan(network._plan(targets, batch, COMPLEX, body_cost), dtype, network.parameters)
    program = network._program(targets)
    batch_run = BatchRun(
        network,
        program,
        params,
        data,
        batch,
        dtype,
        plan,
        network.threads,
        reduction,
        starts=cotangents,
        on_compute_seconds=network.on_compute_seconds,
    )
    return batch_run, asked


def _planned(
    batch_run: BatchRun,
    body_cost: BodyCost,
    times: int,
    given: Iterable[Array],
    answers: int,
    before: Iterable[Array] = (),
) -> BatchRun:
    """The run with its plan: so many products, of which as many are held at once as there are answers.

    before: what else the request is answered with, computed before.
    """
    network, targets = batch_run.network, batch_run.program.targets
    answer = [network.parameters[name].shape for name in targets.params]
    answer += [(batch_run.batch, *network.inputs[name].shape) for name in targets.data]
    shapes = (array.shape for array in given)
    plan = repeated_plan(batch_run.plan, body_cost, 8, times, shapes, answer * answers)
    plan = plan_with_answers(plan, body_cost, before)
    input_checks.check_memory(network, plan, batch_run.batch)
    return batch_run._replace(plan=plan)


@quietly
def _product(batch_run: BatchRun, step: Step, deadline: float) -> Direction:
    """One product in float64: the derivative of a whole gradient along the step."""
    moved = step.moved(batch_run)
    batch_result = moved.batch_result(deadline)
    regularization = moved.network.regularization
    params = {
        name: moved.decayed(name, gradient)
        if regularization.l2 and name in regularization.parameters
        else gradient
        for name, gradient in moved.gradients_of(batch_result).items()
    }
    wide = np.dtype(np.float64)
    return Direction(
        {name: step.derivative(array, wide) for name, array in params.items()},
        {name: step.derivative(array, wide) for name, array in moved.data_deltas(batch_result).items()},
    )


@quietly
def _inner(along: Direction, product: Direction) -> float:
    rows = product.flat()
    return float(sum(np.vdot(array, rows[place]) for place, array in along.flat().items()))


@quietly
def _only(product: Direction, targets: Targets, dtype: np.dtype[Any]) -> Direction:
    """The rows asked for, in the dtype of the request."""

    def rows(arrays: Arrays, names: Collection[str]) -> dict[str, Array]:
        return {name: array.astype(dtype, copy=False) for name, array in arrays.items() if name in names}

    return Direction(rows(product.params, targets.params), rows(product.data, targets.data))


def _signs(seed: int, shapes: Mapping[str, Shape], samples: int) -> Iterator[dict[str, Array]]:
    """−1 or 1 at random, arrays by place, so many times."""
    streams = {place: stream(seed, place) for place in shapes}
    for _ in range(samples):
        yield {place: streams[place].integers(0, 2, shape) * 2.0 - 1.0 for place, shape in shapes.items()}

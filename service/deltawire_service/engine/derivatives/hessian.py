"""Hessian-vector products of the loss, and what they tell of the Hessian's diagonal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from deltawire.errors import Fault, Refused
from deltawire_layers import Array, Shape
from deltawire_service.engine import checks
from deltawire_service.engine.backprop import Arrays, is_finite
from deltawire_service.engine.derivatives import directions
from deltawire_service.engine.derivatives.directions import Direction
from deltawire_service.engine.derivatives.planning import beside_answers, beside_floats, repeated
from deltawire_service.engine.derivatives.step import COMPLEX, Step
from deltawire_service.engine.plan import ARRAYS, Carriage
from deltawire_service.engine.rows import Work, quietly
from deltawire_service.engine.streams import stream
from deltawire_service.engine.wanted import Wanted

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
    carriage: Carriage = ARRAYS,
) -> HessianProducts:
    """Hessian-vector products of the reduced loss, its regularization included, by the complex step.

    vectors: arrays shaped like the parameters and data they are named after, zero for all others; or with one
    leading axis more, for several products at once. wrt_params, wrt_data: the rows of the products that are
    wanted, as for `gradients`; None: those that vectors name. quadratic: vᵀHv too.
    cotangents: (batch, *shape) by node: Σ cotangent · node is differentiated twice, in place of the loss.
    Computed in complex128, whatever the arrays are; at kinks the branch taken is differentiated. A product
    takes one gradient in complex numbers, about three times as long as one in float64.
    reduction, non_finite, carriage, and what is raised: as for `gradients`.
    """
    directions.check_direction(network, "vectors", vectors)
    wrt = (
        tuple(vectors.params) if wrt_params is None else wrt_params,
        tuple(vectors.data) if wrt_data is None else wrt_data,
    )
    work, wants = _work(
        network, params, data, wrt, vectors if quadratic else Direction(), cotangents, reduction, carriage
    )
    flat, shapes = vectors.flat(), directions.shapes_of(network, work.batch, vectors)
    count = directions.counted("vectors", flat, shapes, work.dtype)
    times = 1 if count is None else count
    work = _planned(work, carriage, times, [*flat.values(), *(cotangents or {}).values()], times)

    def compute(until: float) -> HessianProducts:
        rows, sums = list[Direction](), list[float]()
        for index in range(times):
            along = Direction(*(directions.one_of(part, count, index) for part in vectors))
            step = Step(along)
            product = _product(work, step, until)
            if quadratic:
                sums.append(_inner(along, product))
            rows.append(_only(product, wants, work.dtype))
        found = HessianProducts(
            directions.stacked((row.params for row in rows), count),
            directions.stacked((row.data for row in rows), count),
            np.array(sums if count else sums[0], work.dtype) if quadratic else None,
        )
        if non_finite == "error" and not found.finite():
            raise Refused([directions.non_finite("vectors", flat) or step.first_non_finite(work, until)])
        return found

    return network.run(compute, work.plan)


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
    carriage: Carriage = ARRAYS,
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
    work, wants = _work(
        network, params, data, (wrt_params, wrt_data), Direction(), cotangents, reduction, carriage
    )
    brought, held = (before[0].flat().values(), before[1].arrays()) if before else ((), ())
    work = _planned(work, carriage, samples, [*(cotangents or {}).values(), *brought], 2, held)
    nothing = np.empty(0)
    named = Direction(
        {name: nothing for name in network.parameters if name in wants.params},
        {name: nothing for name in network.inputs if name in wants.data},
    )
    shapes = directions.shapes_of(network, work.batch, named)

    def compute(until: float) -> Diagonal:
        sums = {place: np.zeros(shape) for place, shape in shapes.items()}
        for signs in _signs(seed, shapes, samples):
            step = Step(Direction.of(signs))
            for place, product in _product(work, step, until).flat().items():
                sums[place] += signs[place] * product
        for total in sums.values():
            total /= samples
        with np.errstate(all="ignore"):
            trace = float(sum(total.sum() for total in sums.values()))
        rows = _only(Direction.of(sums), wants, work.dtype)
        found = Diagonal(dict(rows.params), dict(rows.data), trace)
        if non_finite == "error" and not found.finite():
            raise Refused([step.first_non_finite(work, until)])
        return found

    return network.run(compute, work.plan)


def _work(
    network: Network,
    params: Arrays,
    data: Arrays,
    wrt: tuple[bool | Iterable[str], bool | Iterable[str]],
    more: Direction,
    cotangents: Arrays | None,
    reduction: str,
    carriage: Carriage,
) -> tuple[Work, Wanted]:
    """The gradient to be computed with steps, planned for once, and what of it was asked for.

    more: rows that are needed beside those asked for.
    """
    if cotangents is not None:
        network = network.toward(directions.check_outputs(network, cotangents))
    asked = network._wants(*wrt, (), ())
    wants = asked._replace(params=asked.params.union(more.params), data=asked.data.union(more.data))
    network.check_names(params, data, frozenset(cotangents) if cotangents is not None else None)
    batch, dtype = checks.check_arrays(network, params, data)
    if cotangents is not None:
        shapes = {name: (batch, *network.nodes[name].shape) for name in cotangents}
        if directions.counted("cotangents", cotangents, shapes, dtype) is not None:
            detail = (
                "expected cotangents without a leading axis: the vectors are what there may be several of"
            )
            raise Refused([Fault("/cotangents", "shape_mismatch", detail)])
    plan = beside_floats(network._plan(wants, batch, COMPLEX, carriage), dtype, network.parameters)
    program = network._program(wants)
    work = Work(
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
        spent=network.spent,
    )
    return work, asked


def _planned(
    work: Work,
    carriage: Carriage,
    times: int,
    given: Iterable[Array],
    answers: int,
    before: Iterable[Array] = (),
) -> Work:
    """The work with its plan: so many products, of which as many are held at once as there are answers.

    before: what else the request is answered with, computed before.
    """
    network, wants = work.network, work.program.wants
    answer = [network.parameters[name].shape for name in wants.params]
    answer += [(work.batch, *network.inputs[name].shape) for name in wants.data]
    shapes = (array.shape for array in given)
    plan = repeated(work.plan, carriage, 8, times, shapes, answer * answers)
    plan = beside_answers(plan, carriage, before)
    checks.check_memory(network, plan, work.batch)
    return work._replace(plan=plan)


@quietly
def _product(work: Work, step: Step, until: float) -> Direction:
    """One product in float64: the derivative of a whole gradient along the step."""
    moved = step.moved(work)
    whole = moved.whole(until)
    regularization = moved.network.regularization
    params = {
        name: moved.decayed(name, gradient)
        if regularization.l2 and name in regularization.parameters
        else gradient
        for name, gradient in moved.gradients_of(whole).items()
    }
    wide = np.dtype(np.float64)
    return Direction(
        {name: step.derivative(array, wide) for name, array in params.items()},
        {name: step.derivative(array, wide) for name, array in moved.data_deltas(whole).items()},
    )


@quietly
def _inner(along: Direction, product: Direction) -> float:
    rows = product.flat()
    return float(sum(np.vdot(array, rows[place]) for place, array in along.flat().items()))


@quietly
def _only(product: Direction, wants: Wanted, dtype: np.dtype[Any]) -> Direction:
    """The rows asked for, in the dtype of the request."""

    def rows(arrays: Arrays, names: Collection[str]) -> dict[str, Array]:
        return {name: array.astype(dtype, copy=False) for name, array in arrays.items() if name in names}

    return Direction(rows(product.params, wants.params), rows(product.data, wants.data))


def _signs(seed: int, shapes: Mapping[str, Shape], samples: int) -> Iterator[dict[str, Array]]:
    """−1 or 1 at random, arrays by place, so many times."""
    streams = {place: stream(seed, place) for place in shapes}
    for _ in range(samples):
        yield {place: streams[place].integers(0, 2, shape) * 2.0 - 1.0 for place, shape in shapes.items()}

"""Vector-Jacobian products: after one forward pass, backprop from any nodes, once for each cotangent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deltawire.errors import Fault, Refused
from deltawire_layers import Array
from deltawire_service.engine import checks
from deltawire_service.engine.backprop import Arrays, Pass, is_finite
from deltawire_service.engine.derivatives import directions
from deltawire_service.engine.derivatives.planning import repeated
from deltawire_service.engine.plan import ARRAYS, Carriage
from deltawire_service.engine.rows import Work, quietly
from deltawire_service.engine.whole import Whole

if TYPE_CHECKING:
    from deltawire_service.engine.network import Network


@dataclass(frozen=True)
class Products:
    """What `vjp` and `hvp` answer, by name; each array is shaped like what it is a product for, with the
    leading axis of the cotangents (of the vectors) where these had one. values: (batch, *shape) by node."""

    params: dict[str, Array]
    data: dict[str, Array]
    values: dict[str, Array]

    def finite(self) -> bool:
        """Whether every number of the answer is finite."""
        return all(is_finite(array) for part in vars(self).values() for array in part.values())


def vjp(
    network: Network,
    params: Arrays,
    data: Arrays,
    cotangents: Arrays,
    *,
    wrt_params: bool | Iterable[str] = True,
    wrt_data: bool | Iterable[str] = False,
    values: Iterable[str] = (),
    non_finite: str = "error",
    carriage: Carriage = ARRAYS,
) -> Products:
    """Vector-Jacobian products, Σ cotangent · ∂output/∂(parameter, input): sums over outputs and batch.

    cotangents: by node, (batch, *shape) each, or (count, batch, *shape) for `count` products at once, which
    share one forward pass. Only the parameters and inputs that lead to these nodes, or to those of `values`,
    are needed; what does not lead to them gets zeros.
    wrt_params, wrt_data, values, non_finite, carriage, and what is raised: as for `gradients`.
    """
    target = network.toward(directions.check_outputs(network, cotangents))
    wants = target._wants(wrt_params, wrt_data, values, ())
    network.check_names(params, data, wants.values | cotangents.keys())
    batch, dtype = checks.check_arrays(network, params, data)
    shapes = {name: (batch, *network.nodes[name].shape) for name in cotangents}
    count = directions.counted("cotangents", cotangents, shapes, dtype)
    times = 1 if count is None else count
    given = [array.shape for array in cotangents.values()]
    answered = [*shapes.values()]
    if count is not None:
        for _ in range(count):
            answered += [network.parameters[name].shape for name in wants.params]
            answered += [(batch, *network.inputs[name].shape) for name in wants.data]
    plan = repeated(
        target._plan(wants, batch, dtype, carriage), carriage, dtype.itemsize, times, given, answered
    )
    checks.check_memory(network, plan, batch)
    work = Work(
        target, target._program(wants), params, data, batch, dtype, plan, network.threads, spent=network.spent
    )

    def compute(until: float) -> Products:
        each = [directions.one_of(cotangents, count, index) for index in range(times)]
        wholes = _products(work, each, until)
        found = Products(
            directions.stacked((work.gradients_of(whole) for whole in wholes), count),
            directions.stacked((work.data_deltas(whole) for whole in wholes), count),
            {name: wholes[0].values[name] for name in work.program.values},
        )
        if non_finite == "error" and not found.finite():
            fault = directions.non_finite("cotangents", cotangents)
            raise Refused([fault or _first_non_finite(work, each, until)])
        return found

    return network.run(compute, plan)


@quietly
def _products(work: Work, cotangents: list[Arrays], until: float) -> list[Whole]:
    """What comes back for each of the cotangents, (batch, *shape) by node; values are with the first."""

    def compute(start: int, stop: int) -> tuple[int, list[Pass]]:
        begun = work.forward(start, stop, until)
        work.account(begun)
        passes = [begun.again() for _ in cotangents]
        passes[0].values = begun.values
        for each, starts in zip(passes, cotangents, strict=True):
            each.backward(work._replace(starts=starts).cotangents(start, stop))
            work.account(each)
        return start, passes

    wholes = [Whole(work.batch, work.dtype, work.network.inputs) for _ in cotangents]
    for start, passes in work.chunks(compute):
        for whole, done in zip(wholes, passes, strict=True):
            whole.add(start, done)
    return wholes


def _first_non_finite(work: Work, cotangents: list[Arrays], until: float) -> Fault:
    found = (work._replace(starts=starts).find_non_finite(until) for starts in cotangents)
    summed = Fault("/network", "non_finite", f"a sum over the batch is too large for {work.dtype}")
    return next(filter(None, found), summed)

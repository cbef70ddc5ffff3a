"""The gradients of a step: computed alike for the request that asks for it and for its replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from deltawire.errors import Fault, Refused
from deltawire.wire import Array
from deltawire_service.engine import BodyCost, Gradients, Network, Which, Wrt
from deltawire_service.models.numbers import Numbers

DATA, GRADIENTS = "data/", "gradients/"

STORED = BodyCost(with_parameters=False)
"""The parameters are in a slot, not in a body."""


@dataclass(frozen=True)
class AnswerArrays:
    """The arrays that the answer to a step has, beside its numbers.

    Attributes:
        params: parameters whose gradients are wanted: all, none, or globs.
        data: inputs whose deltas are wanted: all, none, or names.
        values: nodes whose values are wanted.
        deltas: nodes whose deltas are wanted.
        losses: each example's loss is wanted.
    """

    params: Which = False
    data: Which = False
    values: Sequence[str] = ()
    deltas: Sequence[str] = ()
    losses: bool = False

    def __bool__(self) -> bool:
        return bool(self.params or self.data or self.values or self.deltas or self.losses)


NOTHING = AnswerArrays()


@dataclass(frozen=True)
class StepWork:
    """A step, ready to be computed.

    Attributes:
        network: the network.
        reduction: `mean` or `sum` of the examples' losses.
        arrays: the batch by input, named `data/x`; or gradients, named `gradients/hidden.weight`.
        wanted: the arrays that are wanted beside the gradients. What is wanted decides how the batch is cut,
            so it is part of the ledger.
        body_cost: the memory that the bodies of the request take.
    """

    network: Network
    reduction: str
    arrays: Mapping[str, Array]
    wanted: AnswerArrays = NOTHING
    body_cost: BodyCost = STORED

    def data(self, before: Numbers) -> dict[str, Array]:
        """Return the batch by input, and the constants of the model. before: the numbers of the model."""
        return {**before.constants} | {name.removeprefix(DATA): array for name, array in self.arrays.items()}


class GradientsResult(NamedTuple):
    """The loss of a batch and its gradients; no loss where the caller brought the gradients."""

    loss: float | None
    gradients: Mapping[str, Array]
    arrays: Mapping[str, Any] = {}
    """The arrays that are wanted, as the answer names them."""


def compute_gradients(work: StepWork, before: Numbers) -> GradientsResult:
    """Compute the gradients of a step, or take those that the caller brought.

    Raises:
        Refused: an array does not fit, or a result is not finite.
        PluginError, DeadlineExceeded: as for `Network.gradients`.
    """
    brought = {n.removeprefix(GRADIENTS): a for n, a in work.arrays.items() if n.startswith(GRADIENTS)}
    if brought:
        if work.wanted:
            detail = "the gradients came with the request: there are no values, deltas or gradients to return"
            raise Refused([Fault("/gradients", "field_invalid", detail)])
        return GradientsResult(None, brought)
    network, wanted = work.network, work.wanted
    chosen = network.targets(Wrt(wanted.params, wanted.data), wanted.values, wanted.deltas)
    result = network.gradients(
        before.params,
        work.data(before),
        wrt_data=wanted.data,
        reduction=work.reduction,
        values=wanted.values,
        deltas=wanted.deltas,
        body_cost=work.body_cost,
    )
    return GradientsResult(result.loss, result.params, _name(result, wanted, chosen.params))


def _name(result: Gradients, wanted: AnswerArrays, params: frozenset[str]) -> dict[str, Any]:
    """Return the arrays that are wanted, by their names in an answer."""
    arrays = dict[str, Any]()
    if wanted.params or wanted.data:
        chosen = {name: array for name, array in result.params.items() if name in params}
        arrays["gradients"] = {"params": chosen, "data": result.data}
    if wanted.values:
        arrays["values"] = result.values
    if wanted.deltas:
        arrays["deltas"] = result.deltas
    if wanted.losses:
        arrays["losses"] = result.losses
    return arrays

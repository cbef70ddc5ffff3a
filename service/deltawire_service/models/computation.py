"""The gradients of a step: computed alike for the request that asks for it and for its replay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from deltawire.wire import Array
from deltawire_service.engine import Network
from deltawire_service.models.numbers import Numbers

DATA, GRADIENTS = "data/", "gradients/"


@dataclass(frozen=True)
class StepWork:
    """A step, ready to be computed.

    Attributes:
        network: the network.
        reduction: `mean` or `sum` of the examples' losses.
        arrays: the batch by input, named `data/x`; or gradients, named `gradients/hidden.weight`.
    """

    network: Network
    reduction: str
    arrays: Mapping[str, Array]


class GradientsResult(NamedTuple):
    """The loss of a batch and its gradients; no loss where the caller brought the gradients."""

    loss: float | None
    gradients: Mapping[str, Array]


def compute_gradients(work: StepWork, before: Numbers) -> GradientsResult:
    """Compute the gradients of a step, or take those that the caller brought.

    Raises:
        Refused: an array does not fit, or a result is not finite.
        PluginError, DeadlineExceeded: as for `Network.gradients`.
    """
    brought = {n.removeprefix(GRADIENTS): a for n, a in work.arrays.items() if n.startswith(GRADIENTS)}
    if brought:
        return GradientsResult(None, brought)
    data = {name.removeprefix(DATA): array for name, array in work.arrays.items()}
    result = work.network.gradients(before.params, data, reduction=work.reduction)
    return GradientsResult(result.loss, result.params)

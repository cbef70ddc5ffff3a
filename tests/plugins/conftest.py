"""What the tests of layers share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from deltawire_layers import Layer


class Answers(NamedTuple):
    """The value of a layer, the δ of each input (None where there is none), and the gradients."""

    value: NDArray[Any]
    deltas: list[NDArray[Any] | None]
    grads: dict[str, NDArray[Any]]


def _answers(
    layer: Layer,
    inputs: Sequence[ArrayLike],
    delta: ArrayLike | None = None,
    params: Mapping[str, ArrayLike] = MappingProxyType({}),
) -> Answers:
    """Forward and backward on a batch; the δ of the value is 1 everywhere unless given."""
    arrays = [np.asarray(x) for x in inputs]
    activation = layer.forward({name: np.asarray(w) for name, w in params.items()}, *arrays)
    signal = activation.signal(np.ones_like(activation.value) if delta is None else np.asarray(delta))
    deltas = [None if equation is None else equation(signal) for equation in activation.deltas]
    return Answers(activation.value, deltas, {name: f(signal) for name, f in activation.grads.items()})


@pytest.fixture
def answers() -> Callable[..., Answers]:
    return _answers

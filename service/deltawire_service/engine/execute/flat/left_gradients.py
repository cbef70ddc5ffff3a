"""Gradients of a node that another thread computes while deltas are sent down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any, NamedTuple

from deltawire_layers import Array
from deltawire_service.engine.execute.finite import is_finite

Equation = Callable[[Any], Array]

Wanted = Sequence[tuple[str, str, bool]]
"""The layer's and the network's name of parameters, and whether they are stored transposed."""


class LeftGradients(NamedTuple):
    """Gradients of one node, computed while deltas are sent down."""

    grads: dict[str, Array]
    finite: bool
    apart: tuple[str, float]


def gradients_of(kind: str, wanted: Wanted, equations: Mapping[str, Equation], signal: Any) -> LeftGradients:
    """Compute the gradients of one node.

    Args:
        kind: its kind.
        wanted: the layer's and the network's names of its parameters, and whether each is stored transposed.
        equations: its equations by the layer's names.
        signal: what they share.
    """
    begun = monotonic()
    grads = {
        name: equations[local](signal).swapaxes(-1, -2) if turned else equations[local](signal)
        for local, name, turned in wanted
    }
    finite = all(map(is_finite, grads.values()))
    return LeftGradients(grads, finite, (kind, monotonic() - begun))

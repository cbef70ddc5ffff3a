"""The equations of layers with a matrix of weights, as operations that a routine records.

They are recorded for batches whose sums BLAS computes in one go: see `most_rows`.
"""

from __future__ import annotations

from collections.abc import Callable

from deltawire_layers.gates.equations import Delta, Recorded
from deltawire_layers.gates.tapes import Recorder
from deltawire_layers.layer import Layer, Shape
from deltawire_layers.layers.linear import Linear
from deltawire_layers.numeric.multiplication import numpy_blas
from deltawire_layers.numeric.multiplication.pieces import LONG_SUM


def _linear(tape: Recorder, layer: Layer, x: int, weight: int, bias: int | None = None) -> Recorded:
    value = tape.record("project", x, weight)
    grads: dict[str, Delta] = {"weight": lambda delta: tape.record("outer", delta, x)}
    if bias is not None:
        value = tape.record("add_row", value, bias)
        grads["bias"] = lambda delta: tape.record("sum_rows", delta)
    return Recorded(value, [lambda delta: tape.record("send", delta, weight)], grads)


MATRICES: dict[type[Layer], Callable[..., Recorded]] = {Linear: _linear}
"""What records the equations of a layer, by its class."""


def most_rows(layer: Layer, inputs: tuple[Shape, ...], shape: Shape) -> int:
    """Return for how many examples a layer may be recorded; 0 for one that is not.

    For more, its gradients are long sums. A matrix with one row or column is left out: numpy treats it as a
    vector.

    Args:
        layer: the layer.
        inputs: the shapes of an example of its inputs.
        shape: that of its value.
    """
    if type(layer) not in MATRICES or not numpy_blas.hand_over():
        return 0
    known = len(shape) == 1 and all(1 < size <= LONG_SUM for size in (*inputs[0], *shape))
    return LONG_SUM if known else 0

"""The equations of layers with a matrix of weights, as operations that a routine records.

They are recorded where numpy's `dot` computes each product in one go, as for small batches: see `most_rows`.
"""

from __future__ import annotations

from collections.abc import Callable

from deltawire_layers.gates.equations import Delta, Recorded
from deltawire_layers.gates.tapes import Recorder
from deltawire_layers.layer import Layer, Shape
from deltawire_layers.layers.linear import Linear
from deltawire_layers.numeric.multiplication import blas, numpy_blas
from deltawire_layers.numeric.multiplication.pieces import LONG_SUM, PIECE
from deltawire_layers.numeric.sums import TERMS


def _linear(tape: Recorder, layer: Layer, x: int, weight: int, bias: int | None = None) -> Recorded:
    value = tape.record("project", x, weight)
    grads: dict[str, Delta] = {"weight": lambda delta: tape.record("outer", delta, x)}
    if bias is not None:
        value = tape.record("add_row", value, bias)
        grads["bias"] = lambda delta: tape.record("sum_rows", delta)
    return Recorded(value, [lambda delta: tape.record("send", delta, weight)], grads)


MATRICES: dict[type[Layer], Callable[..., Recorded]] = {Linear: _linear}
"""What records the equations of a layer, by its class."""


def most_rows(layer: Layer, inputs: tuple[Shape, ...], shape: Shape, alone: bool) -> int:
    """Return for how many examples a layer may be recorded; 0 for one that is not.

    For more, its products are cut, computed by another BLAS, or summed in another order. A matrix with one
    row or column is left out: numpy treats it as a vector.

    Args:
        layer: the layer.
        inputs: the shapes of an example of its inputs.
        shape: that of its value.
        alone: whether one thread computes; of large products, several compute gradients.
    """
    if type(layer) not in MATRICES or not numpy_blas.hand_over():
        return 0
    if len(shape) != 1 or not all(1 < size <= LONG_SUM for size in (*inputs[0], *shape)):
        return 0
    most = 2 * PIECE if alone and blas.mkl is None else blas.LEAST
    return min(TERMS, (most - 1) // (inputs[0][0] * shape[0]))

"""Layers that choose between numbers by a mask of integers: 1 for one choice, 0 for the other.

A mask broadcasts to the numbers, as in numpy: its axes are the last ones, and one of size 1 repeats.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from marshmallow import Schema

from deltawire_layers.layer import Activation, Array, Formula, Layer, LayerError, Shape
from deltawire_layers.numeric import branches
from deltawire_plugins import config


def check_mask(mask: Shape, x: Shape, position: int) -> None:
    """Check that a mask broadcasts to the shape of the numbers.

    Args:
        mask: shape of the mask.
        x: shape of the numbers.
        position: position of the mask among the inputs.

    Raises:
        LayerError: it does not.
    """
    aligned = zip(reversed(mask), reversed(x), strict=False)
    if len(mask) > len(x) or any(size not in (1, own) for size, own in aligned):
        raise LayerError(f"a mask of shape {list(mask)} does not broadcast to {list(x)}", input=position)


def spread(mask: Array, like: Array) -> Array:
    """Return a mask as booleans of the shape of `like`, without a copy for each place."""
    axes = (1,) * (like.ndim - mask.ndim)
    return np.broadcast_to((mask != 0).reshape(len(mask), *axes, *mask.shape[1:]), like.shape)


class Where(Layer):
    """y = a where the mask is 1, b where it is 0, for a and b of one shape (...) and integers mask (...)."""

    formula = Formula(
        r"{x1} \circ [{x0} = 1] + {x2} \circ [{x0} = 0]",
        (None, r"[{x0} = 1] \circ {delta}", r"[{x0} = 0] \circ {delta}"),
    )

    def output_shape(self, mask: Shape, a: Shape, b: Shape) -> Shape:
        if a != b:
            raise LayerError(f"expected the shape of the second input, {list(a)}, got {list(b)}", input=2)
        check_mask(mask, a, 0)
        return a

    def integer_inputs(self, mask: Shape, a: Shape, b: Shape) -> dict[int, range]:
        return {0: range(2)}

    def forward(self, params: Mapping[str, Array], mask: Array, a: Array, b: Array) -> Activation:
        return Activation(
            np.where(spread(mask, a), a, b),
            deltas=(
                None,
                lambda delta: branches.keep(spread(mask, delta), delta),
                lambda delta: branches.keep(~spread(mask, delta), delta),
            ),
        )


class MaskedFill(Layer):
    """y = a constant where the mask is 1, x where it is 0, for x (...) and integers mask (...)."""

    class Config(Schema):
        value = config.Number(required=True, metadata={"description": "the constant"})

    value: float

    formula = Formula(r"c\,[{x1} = 1] + {x0} \circ [{x1} = 0]", (r"[{x1} = 0] \circ {delta}", None))

    def output_shape(self, x: Shape, mask: Shape) -> Shape:
        check_mask(mask, x, 1)
        return x

    def integer_inputs(self, x: Shape, mask: Shape) -> dict[int, range]:
        return {1: range(2)}

    def forward(self, params: Mapping[str, Array], x: Array, mask: Array) -> Activation:
        return Activation(
            np.where(spread(mask, x), x.dtype.type(self.value), x),
            deltas=(lambda delta: branches.keep(~spread(mask, delta), delta), None),
        )

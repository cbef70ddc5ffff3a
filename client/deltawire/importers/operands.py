"""Say what the operations of a model take and give: values, stored arrays, or nothing that layers compute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from deltawire.wire import Array

Shape = tuple[int, ...]

BATCHES = 5, 7
"""Sizes of the two batches a foreign model is run with: an axis that changes with them is the batch axis."""


@dataclass(frozen=True)
class Value:
    """An input or a node of the network.

    Args:
        name: Its name in the network.
        shape: The shape of one example of its value.
        whole: It holds integers, which layers accept as indices only.
        axis: The axis that the model has the batch on.
    """

    name: str
    shape: Shape
    whole: bool = False
    axis: int = 0


@dataclass(frozen=True, eq=False)
class Stored:
    """An array that is stored in the model.

    Args:
        name: Its name in the model.
        array: Its numbers.
        identity: A key of the memory, equal for all names of one array.
        trainable: It may become a parameter.
        kept: It must become a parameter, and the same one wherever it is used.
        layout: The steps from the model's layout to this one: "transposed", "axes 2,0,1" or "shape 2,3" (the
            shape before the step).
    """

    name: str
    array: Array
    identity: object
    trainable: bool = False
    kept: bool = False
    layout: tuple[str, ...] = ()

    def transposed(self) -> Stored:
        """Exchange the two axes of a matrix; a second exchange restores the layout."""
        if self.layout[-1:] == ("transposed",):
            return replace(self, array=self.array.T, layout=self.layout[:-1])
        return replace(self, array=self.array.T, layout=(*self.layout, "transposed"))

    def permuted(self, order: Sequence[int]) -> Stored:
        """Return the array with its axes in another order."""
        if list(order) == [1, 0]:
            return self.transposed()
        step = "axes " + ",".join(map(str, order))
        return replace(self, array=self.array.transpose(order), layout=(*self.layout, step))

    def shaped(self, shape: Shape) -> Stored:
        """Return the same numbers in another shape; the layout notes the old shape."""
        if self.array.shape == shape:
            return self
        step = "shape " + ",".join(map(str, self.array.shape))
        return replace(self, array=self.array.reshape(shape), layout=(*self.layout, step))

    def before(self) -> tuple[Stored, list[int] | None]:
        """Return the array before its last step, and the order of axes of that step; None for a new shape."""
        *layout, step = self.layout
        if step.startswith("shape "):
            shape = [int(size) for size in step.removeprefix("shape ").split(",") if size]
            return replace(self, array=self.array.reshape(shape), layout=tuple(layout)), None
        order = [1, 0] if step == "transposed" else list(map(int, step.removeprefix("axes ").split(",")))
        return replace(self, array=self.array.transpose(np.argsort(order)), layout=tuple(layout)), order


@dataclass(frozen=True)
class Unbatched:
    """A value that is the same for every example, since it is computed from parameters alone.

    Args:
        value: A learned input or a node, of the shape that the array has in the model, without a batch axis.
    """

    value: Value


@dataclass(frozen=True)
class Rows:
    """A value whose first axis and the batch are one axis in the model, as in `x.view(-1, width)`.

    Args:
        value: A node, (rows of an example, ...).
    """

    value: Value


@dataclass(frozen=True)
class Reduced:
    """A number that a whole batch has: the mean or the sum of those of its examples.

    Args:
        value: The number of each example, of shape ().
        reduction: "mean" or "sum".
    """

    value: Value
    reduction: str


Computed = Value | Unbatched | Rows | Reduced
"""What nodes compute, or learned inputs hold."""


@dataclass(frozen=True)
class Unavailable:
    """A result that no layer computes. Only its use is refused, since the other results may suffice."""

    why: str


BY_BATCH = Unavailable("computes with the number of examples, which a network does not know")
REFUSED = Unavailable("")
"""The result of a refused operation; operations that take it are skipped and report no further fault."""

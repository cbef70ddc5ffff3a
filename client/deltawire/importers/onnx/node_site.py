"""Translate one node of an ONNX model, whose inputs and results may have the batch on any axis."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from deltawire.importers.builder import Builder
from deltawire.importers.operands import BATCHES, Shape, Value
from deltawire.importers.site import Site


def first(results: Any) -> Any:
    """Return the first result of a node, which may have several."""
    return results[0] if isinstance(results, tuple) else results


class NodeSite(Site):
    """A node that is being translated to layers.

    Args:
        builder: The network built so far.
        function: Its operator.
        label: Its name and operator, for error messages.
        name: The name of the last of its layers.
        results: The shapes and dtypes of its results for batches of `BATCHES` examples.
        batched: Its results have the batch on one of their axes.
        batch_axis: The axis of the batch in its inputs.
    """

    def __init__(
        self,
        builder: Builder,
        function: str,
        label: str,
        name: str,
        results: tuple[Any, Any],
        batched: bool,
        batch_axis: int | None,
    ):
        super().__init__(builder, function, label, name, results, batched)
        self.batch_axis = (self.result_axis() if batch_axis is None else batch_axis) if batched else -1

    def result_axis(self, pick: Callable[[Any], Any] = first) -> int:
        """Return the axis of the batch in the result, or in a part. Raises Refused when there is not one."""
        shapes = [getattr(pick(result), "shape", None) for result in self.results]
        small, large = (() if shape is None else tuple(shape) for shape in shapes)
        if None in shapes or None in (*small, *large):
            self.refuse("the shape of its result is not known, or it has several")
        axes = [axis for axis, sizes in enumerate(zip(small, large, strict=False)) if sizes[0] != sizes[1]]
        if len(small) != len(large) or [(small[axis], large[axis]) for axis in axes] != [BATCHES]:
            batches = f"batches of {BATCHES[0]} and {BATCHES[1]} gave {list(small)} and {list(large)}"
            self.refuse(f"examples are on one axis and independent of each other; {batches}")
        return axes[0]

    def shape(self, pick: Callable[[Any], Any] = first) -> Shape:
        """Return the shape of one example of the result, or of a part. Raises Refused if it is not known."""
        if not self.batched:
            return super().shape(pick)
        axis = self.result_axis(pick)
        whole: Shape = tuple(pick(self.results[0]).shape)
        return whole[:axis] + whole[axis + 1 :]

    def axis(self, axis: int, rank: int) -> int:
        """Return the axis of an example for an axis of an input. Raises Refused for the batch axis."""
        axis = axis + rank + self.batched if axis < 0 else axis
        if axis == self.batch_axis:
            self.refuse("works along the batch, and examples are independent of each other")
        return axis - (self.batched and axis > self.batch_axis)

    def require_leading_batch(self) -> None:
        """Raise Refused when the batch is on another axis of the inputs than the first."""
        if self.batched and self.batch_axis != 0:
            self.refuse(f"expected the batch on the leading axis, and it is axis {self.batch_axis}")

    def reshaped(self, x: Value, shape: Shape | None = None) -> Value:
        """Reshape x to the shape of the result; return x itself when it has that shape."""
        shape = self.shape() if shape is None else shape
        return self._viewed(x, shape, self.name)

    def view(self, x: Value, shape: Shape) -> Value:
        """Return x in another shape of as many numbers, by a node before the last one."""
        return self._viewed(x, shape, f"{self.name}_reshape")

    def _viewed(self, x: Value, shape: Shape, name: str) -> Value:
        while x.shape != shape and x.name in self.builder.views:
            x = self.builder.views[x.name]  # two in a row are one
        if x.shape == shape:
            return x
        if not shape:
            y = self.layer("sum", x, out=shape, name=name)  # of one number
        elif len(shape) == 1:
            y = self.layer("flatten", x, out=shape, name=name)
        else:
            y = self.layer("reshape", x, out=shape, name=name, shape=shape)
        self.builder.views[y.name] = x
        return y

    def check_rows(self, x: Value) -> None:
        """Raise Refused when a reshape of x moves numbers from one example to another."""
        if not self.batched:
            return
        before, after = prod(x.shape[: self.batch_axis]), prod(self.shape()[: self.result_axis()])
        if before != after:
            self.refuse("moves numbers from one example to another")

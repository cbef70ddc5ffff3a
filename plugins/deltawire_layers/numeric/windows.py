"""Windows that slide over the last axes of an example, for convolution and pooling.

Padding is never stored: places of a window outside the axis read nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np
from marshmallow import ValidationError, fields
from numpy.typing import NDArray

from deltawire_layers.deadlines import check_deadline
from deltawire_layers.layer import LayerError, Shape
from deltawire_plugins.shown import shown


class Sizes(fields.Field[tuple[int, ...]]):
    """A config field: one integer for all axes, or a list with one for each.

    Args:
        axes: the number of axes.
        least: the smallest integer allowed.
        description: its description in the schema.
        **settings: further settings of a marshmallow field, such as `required`.
    """

    def __init__(self, axes: int, least: int, description: str, **settings: Any):
        one = {"type": "integer", "minimum": least}
        each = {"type": "array", "items": one, "minItems": axes, "maxItems": axes}
        forms = [one, each, {"type": "null"}] if settings.get("allow_none") else [one, each]
        super().__init__(metadata={"description": description, "anyOf": forms}, **settings)
        self.axes, self.least = axes, least
        self.expected = f"a whole number of at least {least}, or a list of {axes} such numbers"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> tuple[int, ...]:
        sizes = value if isinstance(value, list) else [value] * self.axes
        if len(sizes) != self.axes or any(type(size) is not int or size < self.least for size in sizes):
            raise ValidationError(f"expected {self.expected}, got {shown(value)}")
        return tuple(sizes)

    def _serialize(self, value: tuple[int, ...] | None, attr: str | None, obj: Any, **_: Any) -> Any:
        return None if value is None else list(value)


PADDING_WORDS = {
    "same": "for stride 1 and an odd kernel it is dilation · (kernel − 1) / 2",
    "valid": "it is 0",
}
"""What stands here for the words of other libraries."""


class Padding(Sizes):
    """A config field: places outside at the ends of each axis, by default none.

    It is one integer for all ends, or a list with one integer or a pair [before, after] for each axis; it
    loads as pairs.

    Args:
        axes: the number of axes.
        description: its description in the schema.
    """

    def __init__(self, axes: int, description: str):
        super().__init__(axes, 0, description, load_default=((0, 0),) * axes)
        one = {"type": "integer", "minimum": 0}
        pair = {"type": "array", "items": one, "minItems": 2, "maxItems": 2}
        each = {"type": "array", "items": {"anyOf": [one, pair]}, "minItems": axes, "maxItems": axes}
        self.metadata = {"description": description, "anyOf": [one, each]}
        self.expected = f"a whole number of at least 0, or a list of {axes} such numbers or pairs of them"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> tuple[Any, ...]:
        words = PADDING_WORDS.get(value.lower()) if isinstance(value, str) else None
        if words:
            raise ValidationError(f"expected {self.expected}, got {shown(value)}: {words}")
        each = value if isinstance(value, list) else [value] * self.axes
        pairs = [pair if isinstance(pair, list) else [pair, pair] for pair in each]
        if len(pairs) != self.axes or any(not self._is_pair(pair) for pair in pairs):
            raise ValidationError(f"expected {self.expected}, got {shown(value)}")
        return tuple(map(tuple, pairs))

    @staticmethod
    def _is_pair(pair: list[Any]) -> bool:
        return len(pair) == 2 and all(type(places) is int and places >= 0 for places in pair)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> Any:
        return [before if before == after else [before, after] for before, after in value]


class Window(NamedTuple):
    """Windows along one axis: `kernel` places each, `dilation` apart, one window every `stride` numbers.

    The first window starts `padding[0]` numbers before the axis; the last one ends at most `padding[1]`
    behind it. With `ceil`, one more may end there, if it starts on a number, or before one.
    """

    kernel: int
    stride: int
    padding: tuple[int, int]
    dilation: int = 1
    ceil: bool = False

    def count(self, size: int) -> int:
        """Return the number of windows along an axis of this size; zero or negative when none fits."""
        before, after = self.padding
        room = before + size + after - self.dilation * (self.kernel - 1) - 1
        count = room // self.stride + 1
        more = self.ceil and room % self.stride and count * self.stride < size + before
        return count + 1 if more else count

    def counted(self, size: int, padded: bool) -> NDArray[np.int64]:
        """Return how many places of each window lie on an axis.

        Args:
            size: size of the axis.
            padded: whether places of the padding count too.
        """
        before, after = self.padding
        low, high = (-before, size + after) if padded else (0, size)
        # Bounded by the axis, because integers of a config may have more than 64 bits.
        most = before + size + after
        kernel, stride, dilation = (
            min(self.kernel, most),
            min(self.stride, most),
            min(self.dilation, most + 1),
        )
        exact = np.int64 if most < 2**31 else object  # integers of Python do not overflow
        starts = np.arange(self.count(size)).astype(exact) * stride - before
        first = np.maximum(0, -((starts - low) // dilation))
        last = np.minimum(kernel - 1, (high - 1 - starts) // dilation)
        return np.asarray(np.maximum(0, last - first + 1), np.int64)

    def places(self, size: int, first: int, stop: int) -> range:
        """Return the places of the kernel at which any window may read a number.

        Args:
            size: size of the axis.
            first: first window to include.
            stop: end of the windows, exclusive.
        """
        nearest = max(0, -(((stop - 1) * self.stride - self.padding[0]) // self.dilation))
        farthest = min(self.kernel - 1, (size - 1 + self.padding[0] - first * self.stride) // self.dilation)
        return range(nearest, farthest + 1)

    def reads(self, size: int, first: int, stop: int) -> Iterator[tuple[int, slice, slice]]:
        """Yield the numbers of an axis that the windows read, for each place of the kernel.

        Args:
            size: size of the axis.
            first: first window to include.
            stop: end of the windows, exclusive.

        Yields:
            (place, windows, numbers): a place of the kernel, the windows with numbers there (counted from
            `first`), and those numbers. Places where all windows read padding are omitted.
        """
        for place in self.places(size, first, stop):
            start = place * self.dilation - self.padding[0]  # the number that window 0 reads at this place
            low = max(first, -(start // self.stride))
            high = min(stop, (size - 1 - start) // self.stride + 1)
            if low < high:
                numbers = slice(low * self.stride + start, (high - 1) * self.stride + start + 1, self.stride)
                yield place, slice(low - first, high - first), numbers


Index = tuple[Any, ...]

KEPT_PLACES = 2**12
"""Places of a kernel that are listed at once; a list of all places of a large kernel takes much memory."""


def reads(
    windows: tuple[Window, ...], sizes: Shape, bounds: tuple[slice, ...]
) -> Iterator[tuple[Index, Index, Index]]:
    """Yield `Window.reads` over all axes: indices (place, windows, numbers); look at the deadline for each.

    Args:
        windows: the windows along each axis.
        sizes: the sizes of the axes.
        bounds: the windows to include along each axis.
    """
    (window, *inner), (size, *inner_sizes), (bound, *inner_bounds) = windows, sizes, bounds
    if not inner:
        for place, outs, ins in window.reads(size, bound.start, bound.stop):
            check_deadline()
            yield (place,), (outs,), (ins,)
        return
    across = tuple(inner), tuple(inner_sizes), tuple(inner_bounds)
    kept = list(reads(*across)) if prod(each.kernel for each in inner) <= KEPT_PLACES else None
    for place, outs, ins in window.reads(size, bound.start, bound.stop):
        for places, all_outs, all_ins in reads(*across) if kept is None else kept:
            check_deadline()
            yield (place, *places), (outs, *all_outs), (ins, *all_ins)


def count_places(windows: tuple[Window, ...], sizes: Shape) -> int:
    """Return how many places of a kernel read numbers, of axes of these sizes."""
    return prod(
        len(window.places(size, 0, window.count(size))) for window, size in zip(windows, sizes, strict=True)
    )


def counts(windows: tuple[Window, ...], sizes: Shape) -> Shape:
    """Return the number of windows along each axis.

    Raises:
        LayerError: no window fits into an axis.
    """
    for axis, (window, size) in enumerate(zip(windows, sizes, strict=True)):
        if window.count(size) < 1:
            reach = window.dilation * (window.kernel - 1) + 1
            outside = sum(window.padding)
            padded = f", {size + outside} with padding" if outside else ""
            message = (
                f"the kernel reaches over {reach} numbers, but axis {axis - len(sizes)} has {size}{padded}"
            )
            if axis and axis == len(sizes) - 1 and size <= 4:  # as in an image whose channels come last
                message += f"; if these are {size} channels, they come first, as in ({size}, h, w)"
            raise LayerError(message, input=0)
    return tuple(window.count(size) for window, size in zip(windows, sizes, strict=True))

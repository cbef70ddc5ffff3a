"""Windows that slide over the last axes of an example, for convolution and pooling.

Padding is never stored: places of a window outside the axis read nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

from marshmallow import ValidationError, fields

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
    """A config field: places outside at either end of each axis, by default none.

    Args:
        axes: the number of axes.
        description: its description in the schema.
    """

    def __init__(self, axes: int, description: str):
        super().__init__(axes, 0, description, load_default=(0,) * axes)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> tuple[int, ...]:
        words = PADDING_WORDS.get(value.lower()) if isinstance(value, str) else None
        if words:
            raise ValidationError(f"expected {self.expected}, got {shown(value)}: {words}")
        return super()._deserialize(value, attr, data, **rest)


class Window(NamedTuple):
    """Windows along one axis: `kernel` places each, `dilation` apart, one window every `stride` numbers.

    The first window starts `padding` numbers before the axis; the last one ends at most as far behind it.
    """

    kernel: int
    stride: int
    padding: int
    dilation: int = 1

    def count(self, size: int) -> int:
        """Return the number of windows along an axis of this size; zero or negative when none fits."""
        reach = self.dilation * (self.kernel - 1) + 1
        return (size + 2 * self.padding - reach) // self.stride + 1

    def places(self, size: int, first: int, stop: int) -> range:
        """Return the places of the kernel at which any window may read a number.

        Args:
            size: size of the axis.
            first: first window to include.
            stop: end of the windows, exclusive.
        """
        nearest = max(0, -(((stop - 1) * self.stride - self.padding) // self.dilation))
        farthest = min(self.kernel - 1, (size - 1 + self.padding - first * self.stride) // self.dilation)
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
            start = place * self.dilation - self.padding  # the number that window 0 reads at this place
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
            raise LayerError(
                f"the kernel reaches over {window.dilation * (window.kernel - 1) + 1} numbers, "
                f"but axis {axis - len(sizes)} has {size}, with padding {size + 2 * window.padding}",
                input=0,
            )
    return tuple(window.count(size) for window, size in zip(windows, sizes, strict=True))

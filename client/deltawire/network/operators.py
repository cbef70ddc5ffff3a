"""Python's operators, and a few names of numpy, for places of a network: each builds a layer.

A number beside a place becomes the layer `affine`, which adds and multiplies constants. Two places go into
`add`, `subtract`, `multiply`, `divide` or `matmul`, and need the shapes that these layers take.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from types import EllipsisType
from typing import Any, Self

import numpy as np

from deltawire.arguments.foreign_names import ForeignNames, foreign_keywords
from deltawire_plugins.foreign_keys import ForeignKeys

Index = int | slice | EllipsisType

AXES = ForeignKeys(
    {"axis": "dim axes dims"},
    {"keepdims keepdim": 'the axis goes; net.layer("reshape", …) brings one of size 1 back'},
)
"""Arguments of `sum` and `mean` in torch and jax."""


class Operators(ForeignNames, ABC):
    """The operators of a place, written in terms of `apply`."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **_: Any) -> Self:
        """Compute with a number of numpy as with one of Python: `np.float64(2) * x`.

        Raises:
            TypeError: An array stands beside the place, or a function of numpy is called with it.
        """
        operation = OPERATIONS.get(ufunc.__name__) if method == "__call__" else None
        if operation is None:
            raise no_function_of_numpy(ufunc.__name__)
        if not all(isinstance(each, Operators) or is_constant(each) for each in inputs):
            raise TypeError(
                "an array cannot stand beside a place of a network: send its numbers as data, "
                "net.input(…, shared=True), or as a parameter, net.parameter(…)"
            )
        plain = (each if isinstance(each, Operators) else float(each) for each in inputs)
        computed: Self = operation(*plain)
        return computed

    def __array_function__(self, func: Callable[..., Any], *_: Any) -> Self:
        """Refuse functions of numpy: some would see an object without axes, and do something else.

        Raises:
            TypeError: In any case, with the layer or the method that computes it.
        """
        raise no_function_of_numpy(func.__name__)

    __iter__ = None
    """Refuses a loop over a place: with `__getitem__` alone, Python would ask for places without an end."""

    @abstractmethod
    def apply(self, kind: str, /, *others: Self, **config: Any) -> Self:
        """Add a layer that takes this place, and return the place of the layer.

        Args:
            kind: Of the layer.
            others: Its further inputs.
            config: Its options.
        """

    def __add__(self, other: Self | float) -> Self:
        if isinstance(other, Operators):
            return self.apply("add", other)
        shifted: Self = self._affine(shift=other)
        return shifted

    def __radd__(self, other: float) -> Self:
        return self + other

    def __sub__(self, other: Self | float) -> Self:
        if isinstance(other, Operators):
            return self.apply("subtract", other)
        return self._affine(shift=-other) if is_constant(other) else NotImplemented

    def __rsub__(self, other: float) -> Self:
        difference: Self = self._affine(-1.0, other)
        return difference

    def __mul__(self, other: Self | float) -> Self:
        if isinstance(other, Operators):
            return self.apply("multiply", other)
        scaled: Self = self._affine(other)
        return scaled

    def __rmul__(self, other: float) -> Self:
        return self * other

    def __truediv__(self, other: Self | float) -> Self:
        if isinstance(other, Operators):
            return self.apply("divide", other)
        return self._affine(1.0 / other) if is_constant(other) else NotImplemented

    def __rtruediv__(self, other: float) -> Self:
        return self.apply("reciprocal") * other if is_constant(other) else NotImplemented

    def __pow__(self, exponent: float) -> Self:
        return self.apply("power", exponent=float(exponent)) if is_constant(exponent) else NotImplemented

    def __matmul__(self, other: Self) -> Self:
        return self.apply("matmul", other) if isinstance(other, Operators) else NotImplemented

    def __neg__(self) -> Self:
        return self.apply("negate")

    def __abs__(self) -> Self:
        return self.apply("abs")

    def __getitem__(self, index: Index | tuple[Index, ...]) -> Self:
        """Take a part of each example: `x[1:3]`, `x[-1]`, `x[..., 0]`, `x[:, 2:]`.

        The batch is no axis of an example. Bounds lie within the axis, and steps are 1.

        Raises:
            TypeError: The index has something else, as a step, an array or `np.newaxis`.
        """
        place, gone = self, list[int]()
        for axis, part in axes_of(index):
            if isinstance(part, slice):
                if part != slice(None):
                    place = place.apply("slice", axis=axis, **bounds(part))
            else:
                place = place.apply("slice", axis=axis, start=part, stop=part + 1 or None)
                gone.append(axis)
        # Each axis that an integer takes from has one number left, which is its own sum.
        return place.apply("sum", axes=gone) if gone else place

    @property
    def T(self) -> Self:
        """The example with its axes in reverse order."""
        return self.apply("transpose")

    @foreign_keywords(AXES)
    def sum(self, axis: int | Iterable[int] | None = None) -> Self:
        """Sum over axes of the example, all of them by default; the batch is none of them."""
        return self.apply("sum", **axes_config(axis))

    @foreign_keywords(AXES)
    def mean(self, axis: int | Iterable[int] | None = None) -> Self:
        """Average over axes of the example, all of them by default; the batch is none of them."""
        return self.apply("mean", **axes_config(axis))

    def _affine(self, scale: float = 1.0, shift: float = 0.0) -> Any:
        """Multiply and add constants. A 1 and a 0 add no layer: `sum` starts with such a 0."""
        if not (is_constant(scale) and is_constant(shift)):
            return NotImplemented
        if (scale, shift) == (1, 0):
            return self
        config = {
            name: float(n) for name, n, default in (("scale", scale, 1), ("shift", shift, 0)) if n != default
        }
        return self.apply("affine", **config)


OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "absolute": abs,
}
"""The functions of numpy that an operator between a number of numpy and a place calls, and `np.abs`."""

IN_PLACE_OF_NUMPY: Mapping[str, str] = {
    **{
        name: f'net.layer("{name}", x)' for name in ("tanh", "exp", "log", "sqrt", "sin", "cos", "reciprocal")
    },
    **{name: f'net.layer("{name}", x)' for name in ("transpose", "max", "min", "cumsum")},
    **{name: f'net.layer("{name}", x, y)' for name in ("maximum", "minimum", "dot")},
    "clip": 'net.layer("clip", x, …)',
    "where": 'net.layer("where", mask, x, y)',
    "broadcast_to": 'net.layer("expand", x, shape=…)',
    "expand_dims": 'net.layer("reshape", x, shape=…)',
    **{name: 'net.layer("concat", x, y)' for name in ("concatenate", "hstack", "vstack", "append")},
    "sum": "x.sum()",
    "mean": "x.mean()",
    "negative": "-x",
    "square": "x ** 2",
    "power": "x ** 2",
    "matmul": "x @ y",
    "reshape": 'net.layer("reshape", x, shape=…)',
    "ravel": 'net.layer("flatten", x)',
}
"""What computes a function of numpy here; it takes examples, without the batch."""


def no_function_of_numpy(name: str) -> TypeError:
    """Return the error about a function of numpy that was called with a place, with what computes it here."""
    mend = IN_PLACE_OF_NUMPY.get(name, "net.layer(kind, x), with a kind of client.layers()")
    return TypeError(f"np.{name} cannot compute with a place of a network, which holds no numbers: {mend}")


def is_constant(value: object) -> bool:
    """Return whether a value is one number, which a layer can have in its config."""
    return isinstance(value, Real) and not isinstance(value, bool)


def axes_config(axis: int | Iterable[int] | None) -> dict[str, list[int]]:
    """Return the config of `sum` and `mean` for numpy's argument `axis`."""
    if axis is None:
        return {}
    axes = list(axis) if isinstance(axis, Iterable) and not isinstance(axis, str) else [axis]
    if not all(isinstance(each, Integral) and not isinstance(each, bool) for each in axes):
        raise TypeError(f"axis: expected a whole number or several, got {axis!r}")
    return {"axes": [int(each) for each in axes]}


def axes_of(index: Any) -> list[tuple[int, slice | int]]:
    """Return the axis of each part of an index; after an ellipsis they count from the last.

    Raises:
        TypeError: The index has a part that no layer takes.
    """
    parts = list(index) if isinstance(index, tuple) else [index]
    for part in parts:
        number = isinstance(part, Integral) and not isinstance(part, bool)
        if not (number or part is ... or (isinstance(part, slice) and part.step in (None, 1))):
            raise TypeError(f"an index has whole numbers, slices of step 1 and one ..., got {part!r}")
    if parts.count(...) > 1:
        raise TypeError("an index has at most one ...")
    head = parts.index(...) if ... in parts else len(parts)
    tail = parts[head + 1 :]
    return [*enumerate(parts[:head]), *((axis - len(tail), part) for axis, part in enumerate(tail))]


def bounds(part: slice) -> dict[str, int]:
    """Return the config of `slice` for a slice, without the bounds that it leaves out."""
    return {name: value for name in ("start", "stop") if (value := getattr(part, name)) is not None}

"""The base of layers that write only their forward line: a framework derives the equations.

The complex step is answered by dual numbers. The value has the derivative along the imaginary parts (jvp) as
its own imaginary part, and each equation has the derivative of the equation (jvp of vjp).
"""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Callable, Mapping
from math import frexp
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from deltawire_layers.deadlines import check_deadline
from deltawire_layers.layer import Activation, Array, Layer, LayerError, Shape, Work, arity

Cotangents = tuple[Array, ...]
"""One array for each differentiable argument, shaped like it."""


class Arguments(NamedTuple):
    """The real arguments of one call: parameters first, then inputs.

    names:          the parameters' names
    arrays:         parameters, then inputs; float arrays share one dtype
    differentiable: whether each array holds floats
    """

    names: tuple[str, ...]
    arrays: tuple[Array, ...]
    differentiable: tuple[bool, ...]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return the dtype of the float arrays; float64 when there are none."""
        floats = self.floats()
        return floats[0].dtype if floats else np.dtype(np.float64)

    def floats(self) -> tuple[Array, ...]:
        """Return the differentiable arrays."""
        return tuple(a for a, moves in zip(self.arrays, self.differentiable, strict=True) if moves)

    def with_floats(self, floats: tuple[Any, ...]) -> tuple[dict[str, Any], tuple[Any, ...]]:
        """Return parameters by name, and inputs, with other arrays in the differentiable places."""
        rest = iter(floats)
        places = zip(self.arrays, self.differentiable, strict=True)
        whole = [next(rest) if moves else array for array, moves in places]
        count = len(self.names)
        return dict(zip(self.names, whole[:count], strict=True)), tuple(whole[count:])


class Measures(NamedTuple):
    """Declarations of a layer for some shapes, measured by a trace of its forward line.

    shape: the shape of one example of the value
    saved: numbers per example that the equations save or work in
    work:  operations of a forward pass
    """

    shape: Shape
    saved: int
    work: Work


def shape_of_example(name: str, traced: Mapping[int, Shape]) -> Shape:
    """Return the shape of one example of a value.

    Args:
        name: the layer's name, for messages.
        traced: the shape of the value of a batch, by the number of examples.

    Raises:
        LayerError: the first axis is not the batch, or an example has another shape in another batch.
    """
    for rows, shape in traced.items():
        if not shape or shape[0] != rows:
            problem = f"has shape {list(shape)}; its first axis has to be the batch"
            raise LayerError(f"the value of {name} for {rows} examples {problem}")
    (few, first), (more, second) = traced.items()
    if first[1:] != second[1:]:
        problem = f"has shape {list(first)}, and for {more} examples {list(second)}"
        mend = "an input with fewer axes meets the batch axis of another"
        raise LayerError(f"the value of {name} for {few} examples {problem}: {mend}")
    return first[1:]


class ForwardOnly(Layer):
    """y = value(x): a layer of which the author writes only the forward line.

    `TorchLayer`, `JaxLayer` and `NumpyLayer`, from which authors derive, define `trace`, `reverse`, `slope`
    and `reverse_slope`.
    """

    forward_line = "value"
    """The method that an author writes; its arguments after `params` are the inputs of the layer."""

    def __init_subclass__(cls, **options: Any):
        super().__init_subclass__(**options)
        if cls.forward_line in vars(cls) and "output_shape" not in vars(cls):
            names = input_names(vars(cls)[cls.forward_line], skip=cls.skipped_arguments())
            cls.output_shape = measured_shape(names)  # type: ignore[method-assign]

    def __init__(self, /, **config: Any):
        super().__init__(**config)
        # A trace of one layer for the same shapes is the same: a memo, and no state.
        self._measures: dict[tuple[Shape, ...], Measures] = {}

    @classmethod
    def skipped_arguments(cls) -> int:
        """Return how many arguments of the forward line come before the inputs: self and params."""
        return 2

    @abstractmethod
    def trace(self, shapes: tuple[Shape, ...]) -> Measures:
        """Trace the forward line for these shapes, without its numbers."""

    @abstractmethod
    def reverse(self, arguments: Arguments) -> tuple[Array, Callable[[Array], Cotangents]]:
        """Return the value, and the function from its δ to δ of each differentiable argument."""

    @abstractmethod
    def slope(self, arguments: Arguments, tangents: Cotangents) -> Array:
        """Return the derivative of the value along tangents of the differentiable arguments (jvp)."""

    @abstractmethod
    def reverse_slope(
        self, arguments: Arguments, tangents: Cotangents, delta: Array, delta_tangent: Array
    ) -> tuple[Cotangents, Cotangents]:
        """Return δ of each differentiable argument, and its derivative along the tangents (jvp of vjp).

        Args:
            arguments: the real arguments.
            tangents: a direction of the differentiable arguments.
            delta: δ of the value.
            delta_tangent: its direction.
        """

    def measures(self, *shapes: Shape) -> Measures:
        """Return what the layer declares for these shapes."""
        if not arity(self).accepts(len(shapes)):
            raise TypeError(f"{type(self).__name__} takes {arity(self)}, got {len(shapes)} shapes")
        found = self._measures.get(shapes)
        if found is None:
            try:
                found = self._measures[shapes] = self.trace(shapes)
            except IndexError as error:  # of `parameters`, which reads a size that is not there
                raise LayerError(f"{type(self).__name__} does not take these inputs: {error}") from error
        return found

    def saved(self, *inputs: Any, **_: Any) -> int:
        """Return the numbers per example that both passes save or work in, as traced."""
        return self.measures(*inputs).saved

    def work(self, *inputs: Any, **_: Any) -> Work:
        """Return the operations of a forward pass, as traced."""
        return self.measures(*inputs).work

    def forward(self, params: Mapping[str, Array], *inputs: Any, **_: Any) -> Activation:
        """Compute a batch, and derive every equation."""
        check_deadline()
        arrays = (*params.values(), *inputs)
        differentiable = tuple(array.dtype.kind in "fc" for array in arrays)
        names = tuple(params)
        if any(array.dtype.kind == "c" for array in arrays):
            real = Arguments(names, tuple(map(_real, arrays)), differentiable)
            value, signal = self._dual(real, tuple(a.imag for a in arrays if a.dtype.kind in "fc"))
        else:
            value, pull = self.reverse(Arguments(names, arrays, differentiable))

            def signal(delta: Array) -> Any:
                check_deadline()
                return pull(delta)

        places = iter(range(len(arrays)))
        equations = [itemgetter(next(places)) if moves else None for moves in differentiable]
        grads = {name: equation for name, equation in zip(names, equations, strict=False) if equation}
        return Activation(value=value, deltas=tuple(equations[len(names) :]), grads=grads, signal=signal)

    def _dual(self, real: Arguments, imaginary: Cotangents) -> tuple[Array, Callable[[Array], Any]]:
        """Return value + i · jvp, and the signal of the equations vjp + i · jvp of vjp."""
        tangents, exponent = _unit(imaginary)
        value, _ = self.reverse(real)

        def signal(delta: Array) -> Any:
            check_deadline()
            both, common = _unit((*imaginary, delta.imag))
            deltas, slopes = self.reverse_slope(real, both[:-1], np.array(delta.real), both[-1])
            return tuple(_joined(d, slope, common) for d, slope in zip(deltas, slopes, strict=True))

        return _joined(value, self.slope(real, tangents), exponent), signal


def input_names(function: Callable[..., Any], skip: int) -> list[inspect.Parameter]:
    """Return the positional parameters of a function, after the first few, that have no default."""
    parameters = list(inspect.signature(function).parameters.values())[skip:]
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [
        parameter
        for parameter in parameters
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL
        or (parameter.kind in positional and parameter.default is inspect.Parameter.empty)
    ]


def measured_shape(inputs: list[inspect.Parameter]) -> Callable[..., Shape]:
    """Return an `output_shape` that takes these inputs, and traces the forward line."""

    def output_shape(self: ForwardOnly, *inputs: Shape) -> Shape:
        return self.measures(*inputs).shape

    owner = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    named = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in inputs]
    output_shape.__signature__ = inspect.Signature([owner, *named])  # type: ignore[attr-defined]
    output_shape.__doc__ = "Return the shape of the value, as traced."
    return output_shape


def _real(array: Array) -> Array:
    return np.array(array.real) if array.dtype.kind == "c" else array


def _unit(imaginary: tuple[Array, ...]) -> tuple[tuple[Array, ...], int]:
    """Return the imaginary parts as numbers around 1, and the power of two that they lack.

    The complex step is so small that products with small numbers would underflow. A power of two is exact.
    """
    largest = max((float(np.abs(part).max(initial=0)) for part in imaginary), default=0.0)
    exponent = frexp(largest)[1] if 0 < largest < np.inf else 0
    return tuple(np.ldexp(part, -exponent) for part in imaginary), exponent


def _joined(real: Array, slope: Array, exponent: int) -> Array:
    result = np.empty(real.shape, np.complex128)
    result.real = real
    result.imag = np.ldexp(slope, exponent)
    return result

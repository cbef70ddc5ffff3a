"""The contract: a layer is its forward line and, beside it, its backward equations.

Backpropagation through a layer is two kinds of equations: one per input, the error signal passed down,
δ_in = (∂value/∂input)ᵀ δ; one per parameter, its gradient. An author writes each as a closure beside the
forward line it belongs to. `check_layer` (check.py) checks all the rules of this contract.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from math import inf
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import numpy as np
from marshmallow import RAISE, Schema
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]
Initializer = Callable[[np.random.Generator, Shape], Array]
Equation = Callable[[Any], Array]


class LayerError(ValueError):
    """The inputs do not fit the layer; the message is shown to the caller.

    `input` is the position of the input at fault, when it is one input alone.
    """

    def __init__(self, message: str, input: int | None = None):
        super().__init__(message)
        self.input = input


class Parameter(NamedTuple):
    """An array a layer owns: its shape, and how to draw its first numbers."""

    shape: Shape
    init: Initializer


class Formula(NamedTuple):
    """A layer's equations in LaTeX, for people.

    Placeholders: `{x0}`, `{x1}`, … for the inputs, `{value}`, `{delta}`, and the parameters by their names
    (`{weight}`). Only these are replaced, so LaTeX keeps its own braces.
    """

    value: str
    deltas: tuple[str | None, ...]
    grads: Mapping[str, str] = MappingProxyType({})


def identity(delta: Array) -> Any:
    """The signal of a layer whose equations share nothing: δ itself."""
    return delta


class Activation(NamedTuple):
    """What a layer computed for a batch, and its backward equations.

    value:  (batch, *output_shape)
    deltas: one per input: signal -> δ of that input, shaped like it; None for an input that has no derivative
    grads:  one per parameter: signal -> its gradient, summed over the batch, shaped like the parameter
    signal: δ of the value -> what the equations share, computed once per backward pass
    """

    value: Array
    deltas: tuple[Equation | None, ...]
    grads: Mapping[str, Equation] = MappingProxyType({})
    signal: Callable[[Array], Any] = identity


class Layer:
    """A pure function of (parameters, inputs), configured once, shared between threads.

    The keyword arguments are the JSON of a node's `config`; the loaded values become attributes.
    Raises marshmallow.ValidationError when they do not fit `Config`; unknown keys are errors.
    """

    class Config(Schema):
        """The JSON keys this layer takes: none, unless a layer says otherwise."""

    elementwise: ClassVar[bool] = False
    """Each output number depends on the same place of each input only."""

    domain: ClassVar[tuple[float, float]] = (-inf, inf)
    """The open interval of inputs on which the layer is defined (log: (0, inf))."""

    formula: ClassVar[Formula | None] = None
    """The equations in LaTeX; without them, the docstring is shown."""

    def __init__(self, /, **config: Any):
        vars(self).update(self.Config(unknown=RAISE).load(config))

    # `**_` is never given: a signature of Any may be narrowed to named arguments, for type checkers.

    def output_shape(self, *inputs: Any, **_: Any) -> Shape:
        """Shape of the value; the named arguments are the inputs this layer takes.

        Raises LayerError when the inputs do not fit.
        """
        raise TypeError(f"{type(self).__name__} must define output_shape")

    def parameters(self, *inputs: Any, **_: Any) -> dict[str, Parameter]:
        """The arrays this layer owns, by name."""
        return {}

    def integer_inputs(self, *inputs: Any, **_: Any) -> dict[int, range]:
        """Positions of the inputs that take integers (labels, indices), and the range of each."""
        return {}

    def saved(self, *inputs: Any, **_: Any) -> int:
        """Return how many numbers per example the equations save, or work in, beside inputs and value.

        Saved integers of eight bytes count as two numbers, as they do in float32. `check_layer` prints the
        line to paste when this one is missing or declares too few.
        """
        return 0

    def forward(self, params: Mapping[str, Array], *inputs: Any, **_: Any) -> Activation:
        """Compute a batch; every array has the batch as its leading axis."""
        raise TypeError(f"{type(self).__name__} must define forward")

    def per_example(
        self, params: Mapping[str, Array], delta: Array, *inputs: Any
    ) -> Mapping[str, Array] | None:
        """The gradients that `forward` sums over the batch, kept apart: (batch, *shape) by parameter.

        None: there is no way faster than to compute each example as a batch of one.
        """
        return None


class Arity(NamedTuple):
    """The names of a layer's inputs, and whether the last name stands for any number more."""

    names: tuple[str, ...]
    variadic: bool

    def accepts(self, count: int) -> bool:
        return count >= len(self.names) if self.variadic else count == len(self.names)

    def __str__(self) -> str:
        count = f"{len(self.names)} input{'' if len(self.names) == 1 else 's'}"
        return f"at least {count}" if self.variadic else f"{count} ({', '.join(self.names)})"


def arity(layer: Layer | type[Layer]) -> Arity:
    """The inputs a layer takes, read from the signature of its `output_shape`."""
    return _arity((layer if isinstance(layer, type) else type(layer)).output_shape)


@lru_cache(1024)  # a network may have hundreds of nodes of one kind, and reading takes long
def _arity(output_shape: Callable[..., Shape]) -> Arity:
    parameters = inspect.signature(output_shape).parameters.values()
    names = [p.name for p in parameters if p.kind is not p.VAR_POSITIONAL and p.name != "self"]
    return Arity(tuple(names), any(p.kind is p.VAR_POSITIONAL for p in parameters))

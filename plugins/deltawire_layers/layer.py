"""The contract: a layer is its forward line and, beside it, its backward equations.

Backpropagation through a layer is two kinds of equations. One per input passes the error signal down,
δ_in = (∂value/∂input)ᵀ δ; one per parameter is its gradient. An author writes each as a closure beside the
forward line it belongs to. `check_layer`, the conformance kit, checks every rule of this contract.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
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
Integers = range | tuple[range, ...]
"""The integers that an input takes: a range, or several that do not overlap."""


ROUNDING = 1e-6
"""How far beyond its bounds a request may send a number: rounding moves one so far, in float32."""


class LayerError(ValueError):
    """Inputs do not fit the layer; the caller reads the message.

    input: position of the input at fault, when it is a single one
    """

    def __init__(self, message: str, input: int | None = None):
        super().__init__(message)
        self.input = input


class Parameter(NamedTuple):
    """An array that a layer owns: its shape, and the initializer that draws its first numbers."""

    shape: Shape
    init: Initializer


class Formula(NamedTuple):
    """A layer's equations in LaTeX, for people.

    Placeholders are `{x0}`, `{x1}`, … for the inputs, `{value}`, `{delta}`, and the names of the parameters
    (`{weight}`). Nothing else is replaced, so that LaTeX keeps its own braces. `init` says in words how each
    parameter is first drawn.
    """

    value: str
    deltas: tuple[str | None, ...]
    grads: Mapping[str, str] = MappingProxyType({})
    init: Mapping[str, str] = MappingProxyType({})


def identity(delta: Array) -> Any:
    """Return δ itself: the signal of a layer whose equations share nothing."""
    return delta


class Activation(NamedTuple):
    """The value of a layer for a batch, and its backward equations.

    value:  (batch, *output_shape)
    deltas: one per input: signal -> δ of that input, shaped like it; None for an input without a derivative
    grads:  one per parameter: signal -> its gradient, summed over the batch, shaped like the parameter
    signal: δ of the value -> the numbers that the equations share, computed once per backward pass
    """

    value: Array
    deltas: tuple[Equation | None, ...]
    grads: Mapping[str, Equation] = MappingProxyType({})
    signal: Callable[[Array], Any] = identity


CALL = 2**15
"""Operations that take as long as a call of numpy: about a microsecond."""

NUMBER = 2**4
"""Operations that take as long as reading a number from memory, or writing one."""


class Work(NamedTuple):
    """The operations of a forward pass, beside those for reading its inputs and writing its value.

    An operation is a multiplication in a matrix product of float32. A fast core does about 2^35 of them in a
    second.

    each: operations for each example
    once: operations for a batch, however many examples it has: calls of numpy
    """

    each: int = 0
    once: int = CALL


@lru_cache(512)
def config_schema(config: type[Schema]) -> Schema:
    """Return the schema of a config, which refuses unknown keys: to make one takes longer than to read."""
    return config(unknown=RAISE)


class Layer:
    """A pure function of (parameters, inputs), configured once, shared between threads.

    The keyword arguments are the JSON of a node's `config`; the loaded values become attributes.

    Raises:
        marshmallow.ValidationError: the keys do not fit `Config`; unknown keys are errors.
    """

    class Config(Schema):
        """The JSON keys this layer takes: none by default."""

    elementwise: ClassVar[bool] = False
    """Each output number depends on the same place of each input only."""

    takes_one: ClassVar[bool] = False
    """A node that leaves its inputs out takes the value before it alone, though more inputs may follow."""

    domain: ClassVar[tuple[float, float]] = (-inf, inf)
    """The open interval of inputs on which the layer is defined (log: (0, inf))."""

    bounds: ClassVar[Mapping[int, tuple[float, float]]] = MappingProxyType({})
    """The closed interval of the numbers that a request may send as an input, by the input's position.

    For what the layer would compute without complaint, and wrongly: {1: (0, 1)} for targets that are
    probabilities. A number may lie beyond them by `ROUNDING`, 1e-6.
    """

    orders: ClassVar[int] = 2
    """How often the layer can be differentiated: 2, or 1 for a layer that takes real numbers alone.

    A layer that calls a simulator or a compiled library says 1. Its `forward` never gets complex numbers;
    requests that need the derivative of its equations, or a complex step through it, are refused by its name.
    """

    copied: ClassVar[Collection[str]] = ()
    """The parameters that a pass holds a copy of for a while, laid out for its products."""

    formula: ClassVar[Formula | None] = None
    """The equations in LaTeX; without them, the docstring is shown."""

    def __init__(self, /, **config: Any):
        vars(self).update(config_schema(self.Config).load(config))

    # `**_` stays empty: it lets type checkers accept a layer's own signature with named arguments.

    def output_shape(self, *inputs: Any, **_: Any) -> Shape:
        """Return the shape of the value; the named arguments are the inputs this layer takes.

        An argument with the default None is an input that a node may leave out; so are those after it.

        Raises:
            LayerError: the inputs do not fit.
        """
        raise TypeError(f"{type(self).__name__} must define output_shape")

    def parameters(self, *inputs: Any, **_: Any) -> dict[str, Parameter]:
        """Return the parameters this layer owns, by name."""
        return {}

    def integer_inputs(self, *inputs: Any, **_: Any) -> Mapping[int, Integers]:
        """Return the positions of inputs that take integers (labels, indices), with the range of each.

        A tuple of ranges leaves out what lies between them: (range(10), range(-100, -99)) are 10 classes, and
        -100 for a row without one.
        """
        return {}

    def constant_rows(self) -> Mapping[str, Collection[int]]:
        """Return the rows of parameters that this layer takes as constants: they get no gradient from it."""
        return {}

    def saved(self, *inputs: Any, **_: Any) -> int:
        """Return how many numbers per example the equations save, or work in, beside inputs and value.

        Saved integers of eight bytes count as two numbers, as they do in float32. `check_layer` prints the
        line to paste when this one is missing or declares too few.
        """
        return 0

    def work(self, *inputs: Any, **_: Any) -> Work:
        """Return how many operations a forward pass takes: for each example, and once for a batch.

        A request whose operations, over all passes, are too many is refused before it is computed. Each
        backward equation counts like the forward pass. The default suits a few calls of numpy.
        """
        return Work()

    def forward(self, params: Mapping[str, Array], *inputs: Any, **_: Any) -> Activation:
        """Compute a batch; every input and the value have the batch as their leading axis."""
        raise TypeError(f"{type(self).__name__} must define forward")

    def per_example(
        self, params: Mapping[str, Array], delta: Array, *inputs: Any
    ) -> Mapping[str, Array] | None:
        """Return the gradient of every example, when there is a faster way than batches of one.

        Args:
            params: the parameters, by name.
            delta: δ of the value, (batch, *output_shape).
            inputs: the inputs, batch first.

        Returns:
            Arrays (batch, *shape) by parameter; None, the default, when there is no faster way.
        """
        return None


class Arity(NamedTuple):
    """The inputs of a layer: their names, and which may be left out or repeated."""

    names: tuple[str, ...]
    """Those that every node of the layer has."""
    variadic: bool
    """Whether any number of inputs may follow them."""
    optional: tuple[str, ...] = ()
    """Those that may follow them, in this order."""

    @property
    def every(self) -> tuple[str, ...]:
        """The names of all inputs, those that may be left out last."""
        return self.names + self.optional

    def accepts(self, count: int) -> bool:
        """Return whether the layer takes this many inputs."""
        return len(self.names) <= count and (self.variadic or count <= len(self.every))

    def __str__(self) -> str:
        count = f"{len(self.names)} input{'' if len(self.names) == 1 else 's'} ({', '.join(self.names)})"
        if self.optional:
            return f"{count}, and {', then '.join(self.optional)} if wanted"
        return f"at least {count}" if self.variadic else count


def arity(layer: Layer | type[Layer]) -> Arity:
    """Return the inputs a layer takes, read from the signature of its `output_shape`.

    An input with the default None may be left out; `*more` stands for any number of inputs. Where `*x` stands
    alone, at least one input is needed: only inputs tell the size of the batch.
    """
    return _arity((layer if isinstance(layer, type) else type(layer)).output_shape)


@lru_cache(1024)  # a network may have hundreds of nodes of one kind, and a signature takes long to read
def _arity(output_shape: Callable[..., Shape]) -> Arity:
    parameters = inspect.signature(output_shape).parameters.values()
    named = [p for p in parameters if p.kind is not p.VAR_POSITIONAL and p.name != "self"]
    repeated = [p.name for p in parameters if p.kind is p.VAR_POSITIONAL]
    return Arity(
        tuple(p.name for p in named if p.default is p.empty) or (() if named else tuple(repeated)),
        bool(repeated),
        tuple(p.name for p in named if p.default is not p.empty),
    )

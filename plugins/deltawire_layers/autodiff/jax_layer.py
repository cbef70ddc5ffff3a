"""Layers whose forward line is a function of jax: `JaxLayer` and `from_jax`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from deltawire_layers.autodiff.extras import load
from deltawire_layers.autodiff.forward_only import Arguments, Cotangents, ForwardOnly, Measures
from deltawire_layers.autodiff.functions import Parameters, from_function
from deltawire_layers.autodiff.jax_trace import Traced, draws, measured, operations, peak
from deltawire_layers.layer import Array, Integers, LayerError, Shape

jax = load("jax", "jax")

STEPS = 4
"""Sizes of batches between a power of two and the next: 4, 5, 6, 7, 8, 10, 12, 14, 16, …"""

PADDING = 1.25
"""Greatest factor by which `padded` adds rows."""


class Programs:
    """The compiled programs of one layer. jax keeps one for each dtype and size of a batch."""

    __slots__ = ("back", "forward", "reverse_slope", "slope")

    def __init__(self, value: Callable[..., Any]):
        def forward(layout: Any, floats: Any, fixed: Any) -> Any:
            return jax.vjp(lambda *moving: value(layout, moving, fixed), *floats)

        def slope(layout: Any, floats: Any, fixed: Any, tangents: Any) -> Any:
            out, pull = forward(layout, floats, fixed)
            return jax.vjp(lambda delta: _inner(pull(delta), tangents), jax.numpy.ones_like(out))[1](1.0)[0]

        def reverse_slope(
            layout: Any, floats: Any, fixed: Any, tangents: Any, delta: Any, delta_tangent: Any
        ) -> Any:
            def along(*moving: Any) -> Any:
                out, pull = forward(layout, moving, fixed)
                deltas = pull(delta)
                return _inner(deltas, tangents) + (out * delta_tangent).sum(), deltas

            total, again, deltas = jax.vjp(along, *floats, has_aux=True)
            return deltas, again(jax.numpy.ones_like(total))

        # The layout of the arguments is hashable, and fixed for a layer; the arrays are not.
        self.forward = jax.jit(forward, static_argnums=0)
        self.back = jax.jit(lambda pull, delta: pull(delta))
        self.slope = jax.jit(slope, static_argnums=0)
        self.reverse_slope = jax.jit(reverse_slope, static_argnums=0)


class JaxLayer(ForwardOnly):
    """y = value(params, x): a layer whose forward line is written with jax.numpy.

    A batch is filled up with copies of its last example to one of few sizes, since jax compiles a program for
    each size.

    Example:
        class SoftGate(JaxLayer):
            '''y = s tanh(x), with x and y (..., n), s (n,).'''

            def parameters(self, x):
                return {"scale": Parameter(x[-1:], ones)}

            def value(self, params, x):
                return params["scale"] * jnp.tanh(x)
    """

    def __init__(self, /, **config: Any):
        super().__init__(**config)
        self._programs = Programs(self._value)

    def value(self, params: Any, *inputs: Any, **_: Any) -> Any:
        """Return the value of a batch, by functions of jax.

        Args:
            params: arrays by name.
            inputs: arrays, batch first.
        """
        raise TypeError(f"{type(self).__name__} must define value")

    def compiled(self) -> int:
        """Return how many programs for forward passes jax has compiled for this layer."""
        return int(self._programs.forward._cache_size())

    def trace(self, shapes: tuple[Shape, ...]) -> Measures:
        """Trace the function for batches of two sizes, without numbers."""
        with _precision(np.dtype(np.float32)):
            return measured(type(self).__name__, lambda rows: self._traced(shapes, rows), PADDING)

    def reverse(self, arguments: Arguments) -> tuple[Array, Callable[[Array], Cotangents]]:
        """Return the value and its pullback; jax keeps what that needs."""
        layout, floats, fixed, rows = _padded(arguments)
        with _precision(arguments.dtype):
            value, pull = self._programs.forward(layout, floats, fixed)
            result = np.asarray(value)[:rows]

        def pulled(delta: Array) -> Cotangents:
            with _precision(arguments.dtype):
                deltas = self._programs.back(pull, _filled(delta, len(value)))
                return _cut(arguments, deltas, rows)

        return result, pulled

    def slope(self, arguments: Arguments, tangents: Cotangents) -> Array:
        """Return the derivative of the value along tangents."""
        layout, floats, fixed, rows = _padded(arguments)
        along = _padded_tangents(arguments, tangents, rows)
        with _precision(arguments.dtype):
            return np.asarray(self._programs.slope(layout, floats, fixed, along))[:rows]

    def reverse_slope(
        self, arguments: Arguments, tangents: Cotangents, delta: Array, delta_tangent: Array
    ) -> tuple[Cotangents, Cotangents]:
        layout, floats, fixed, rows = _padded(arguments)
        along = _padded_tangents(arguments, tangents, rows)
        size = padded(rows)
        with _precision(arguments.dtype):
            deltas, slopes = self._programs.reverse_slope(
                layout, floats, fixed, along, _filled(delta, size), _filled(delta_tangent, size)
            )
            return _cut(arguments, deltas, rows), _cut(arguments, slopes, rows)

    def _value(self, layout: tuple[tuple[str, ...], tuple[bool, ...]], moving: Any, fixed: Any) -> Any:
        """Call the author's function, and return a value of the arguments' dtype."""
        names, differentiable = layout
        moving, fixed = iter(moving), iter(fixed)
        arrays = [next(moving if moves else fixed) for moves in differentiable]
        params = dict(zip(names, arrays[: len(names)], strict=True))
        value = jax.numpy.asarray(self.value(params, *arrays[len(names) :]))
        if not jax.numpy.issubdtype(value.dtype, jax.numpy.floating):
            raise LayerError(f"the value of {type(self).__name__} is {value.dtype}, expected real numbers")
        dtype = next((a.dtype for a, moves in zip(arrays, differentiable, strict=True) if moves), value.dtype)
        return value.astype(dtype)

    def _traced(self, shapes: tuple[Shape, ...], rows: int) -> Traced:
        parameters, integers = self.parameters(*shapes), self.integer_inputs(*shapes)
        names = tuple(parameters)
        floats = [jax.ShapeDtypeStruct(p.shape, np.float32) for p in parameters.values()]
        fixed = []
        for position, shape in enumerate(shapes):
            whole = (rows, *shape)
            if position in integers:
                fixed.append(jax.ShapeDtypeStruct(whole, np.int32))
            else:
                floats.append(jax.ShapeDtypeStruct(whole, np.float32))
        moves = tuple(position not in integers for position in range(len(shapes)))
        layout = (names, (True,) * len(names) + moves)

        def forward(moving: Any, fixed: Any) -> Any:
            return self._value(layout, moving, fixed)

        def passes(moving: Any, fixed: Any) -> Any:
            value, pull = jax.vjp(lambda *args: self._value(layout, args, fixed), *moving)
            return value, pull(jax.numpy.ones_like(value))

        try:
            program = jax.make_jaxpr(forward)(tuple(floats), tuple(fixed))
            whole = jax.make_jaxpr(passes)(tuple(floats), tuple(fixed))
        except (TypeError, ValueError, IndexError, jax.errors.JAXTypeError) as error:
            message = str(error).partition("\n")[0]
            raise LayerError(f"{type(self).__name__} does not take these inputs: {message}") from error
        shape = tuple(program.out_avals[0].shape)
        return Traced(shape, operations(program.jaxpr), peak(whole.jaxpr), draws(program.jaxpr))


def from_jax(
    function: Callable[..., Any],
    *,
    parameters: Parameters | None = None,
    integers: Mapping[int, Integers] | None = None,
    domain: tuple[float, float] | None = None,
    formula: str | None = None,
) -> type[JaxLayer]:
    """Make a kind of layer of a function of jax.

    Args:
        function: `function(params, x, …)`, with parameters by name; without parameters, `function(x, …)`. Its
            arguments without a default are the inputs, batch first.
        parameters: `Parameter`s by name, or a function from the inputs' shapes to them.
        integers: the positions of inputs that take integers, with the range of each.
        domain: the open interval on which the function is defined.
        formula: first line of the documentation; by default the function's own.

    Returns:
        The class, for an entry point of `deltawire.layers` or for `check_layer(cls(), shape)`.

    Raises:
        TypeError: the signature does not show the inputs, or the parameters are no parameters.
        ValueError: the formula is none.

    Example:
        `Mish = from_jax(lambda x: x * jnp.tanh(jax.nn.softplus(x)), formula="y = x tanh(softplus x)")`
    """
    return from_function(JaxLayer, function, parameters, integers, domain, formula)


def padded(rows: int) -> int:
    """Return the size to which a batch is filled up: at most a quarter more."""
    step = 1 << max(0, (rows - 1).bit_length() - STEPS.bit_length())
    return -(-rows // step) * step


def _precision(dtype: np.dtype[Any]) -> AbstractContextManager[Any]:
    """Return the context in which jax computes with float64, or with float32 throughout, in this thread."""
    home = jax if hasattr(jax, "enable_x64") else load("jax.experimental", "jax")
    context: AbstractContextManager[Any] = home.enable_x64(dtype != np.float32)
    return context


def _padded(arguments: Arguments) -> tuple[Any, tuple[Array, ...], tuple[Array, ...], int]:
    """Return the layout of arguments, the arrays that move and those that do not, filled up, and the rows."""
    count = len(arguments.names)
    rows = len(arguments.arrays[count])
    inputs = tuple(_repeated(x, padded(rows)) for x in arguments.arrays[count:])
    arrays = (*arguments.arrays[:count], *inputs)
    marked = list(zip(arrays, arguments.differentiable, strict=True))
    floats = tuple(array for array, moves in marked if moves)
    fixed = tuple(array for array, moves in marked if not moves)
    return (arguments.names, arguments.differentiable), floats, fixed, rows


def _padded_tangents(arguments: Arguments, tangents: Cotangents, rows: int) -> Cotangents:
    count = sum(arguments.differentiable[: len(arguments.names)])
    return (*tangents[:count], *(_filled(tangent, padded(rows)) for tangent in tangents[count:]))


def _repeated(x: Array, size: int) -> Array:
    """Fill up with copies of the last example: zeros might lie where the function is not defined."""
    missing = size - len(x)
    return np.concatenate((x, np.repeat(x[-1:], missing, axis=0))) if missing else x


def _filled(delta: Array, size: int) -> Array:
    """Fill up with zeros, so that added examples add nothing to a gradient."""
    missing = size - len(delta)
    return np.concatenate((delta, np.zeros((missing, *delta.shape[1:]), delta.dtype))) if missing else delta


def _cut(arguments: Arguments, deltas: Any, rows: int) -> Cotangents:
    """Return arrays without the examples that were added."""
    count = sum(arguments.differentiable[: len(arguments.names)])
    return tuple(
        np.asarray(delta) if place < count else np.asarray(delta)[:rows] for place, delta in enumerate(deltas)
    )


def _inner(deltas: Any, tangents: Any) -> Any:
    return sum((delta * tangent).sum() for delta, tangent in zip(deltas, tangents, strict=True))

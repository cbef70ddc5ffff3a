"""Layers whose forward line is plain numpy, traced by HIPS autograd: `NumpyLayer` and `from_numpy`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from deltawire_layers.autodiff.extras import load
from deltawire_layers.autodiff.forward_only import Arguments, Cotangents, ForwardOnly, Measures
from deltawire_layers.autodiff.functions import Parameters, from_function
from deltawire_layers.autodiff.numpy_trace import traced
from deltawire_layers.autodiff.tapes import make_vjp
from deltawire_layers.layer import Array, Integers, LayerError, Shape

as_tuple = load("autograd.builtins", "autograd").tuple
along = load("autograd.numpy", "autograd")


class NumpyLayer(ForwardOnly):
    """y = value(params, x): a layer whose forward line is plain numpy.

    Functions that numpy lacks, or that overflow there, are in `deltawire_layers.autodiff.analytic`: sigmoid,
    softplus, erf and more. A forward line writes to no array.

    Example:
        class SoftGate(NumpyLayer):
            '''y = s tanh(x), with x and y (..., n), s (n,).'''

            def parameters(self, x):
                return {"scale": Parameter(x[-1:], ones)}

            def value(self, params, x):
                return params["scale"] * np.tanh(x)
    """

    def value(self, params: Any, *inputs: Any, **_: Any) -> Any:
        """Return the value of a batch, by functions of numpy.

        Args:
            params: arrays by name.
            inputs: arrays, batch first.
        """
        raise TypeError(f"{type(self).__name__} must define value")

    def trace(self, shapes: tuple[Shape, ...]) -> Measures:
        """Trace the function on a few examples of one number."""
        parameters, integers = self.parameters(*shapes), self.integer_inputs(*shapes)
        names = tuple(parameters)

        def whole(arrays: Any) -> Any:
            count = len(names)
            params = {name: arrays[place] for place, name in enumerate(names)}
            inputs = [arrays[place] for place in range(count, count + len(shapes))]
            return self.value(params, *inputs)

        return traced(whole, parameters, shapes, integers, self.domain, type(self).__name__)

    def reverse(self, arguments: Arguments) -> tuple[Array, Callable[[Array], Cotangents]]:
        """Return the value and its pullback; autograd keeps the graph of the forward pass for it."""
        floats, dtype = arguments.floats(), arguments.dtype
        pull, value = make_vjp(self._function(arguments), as_tuple(floats))

        def pulled(delta: Array) -> Cotangents:
            return _arrays(pull(delta), dtype)

        return np.asarray(value, dtype), pulled

    def slope(self, arguments: Arguments, tangents: Cotangents) -> Array:
        """Return the derivative of the value along tangents: that of its pullback with respect to δ."""
        pull, value = make_vjp(self._function(arguments), as_tuple(arguments.floats()))
        through, _ = make_vjp(lambda delta: _inner(pull(delta), tangents), np.ones_like(value))
        return np.asarray(through(1.0), np.float64)

    def reverse_slope(
        self, arguments: Arguments, tangents: Cotangents, delta: Array, delta_tangent: Array
    ) -> tuple[Cotangents, Cotangents]:
        floats, function = as_tuple(arguments.floats()), self._function(arguments)
        deltas, _ = make_vjp(function, floats)

        def total(moving: Any) -> Any:
            pull, value = make_vjp(function, moving)
            return _inner(pull(delta), tangents) + along.sum(value * delta_tangent)

        slopes, _ = make_vjp(total, floats)
        dtype = np.dtype(np.float64)
        return _arrays(deltas(delta), dtype), _arrays(slopes(1.0), dtype)

    def _function(self, arguments: Arguments) -> Callable[[Any], Any]:
        """Return the value as a function of the differentiable arrays, in the arguments' dtype."""
        count = len(arguments.floats())

        def function(moving: Any) -> Any:
            params, inputs = arguments.with_floats(tuple(moving[place] for place in range(count)))
            value = self.value(params, *inputs)
            if np.shape(value) == () or _dtype(value).kind != "f":
                raise LayerError(f"the value of {type(self).__name__} is no array of real numbers")
            return value

        return function


def from_numpy(
    function: Callable[..., Any],
    *,
    parameters: Parameters | None = None,
    integers: Mapping[int, Integers] | None = None,
    domain: tuple[float, float] | None = None,
    formula: str | None = None,
) -> type[NumpyLayer]:
    """Make a kind of layer of a function of numpy.

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
        `Gaussian = from_numpy(lambda x: np.exp(-(x**2)), formula="y = e^(-x²)")`
    """
    return from_function(NumpyLayer, function, parameters, integers, domain, formula)


def _dtype(value: Any) -> np.dtype[Any]:
    dtype: np.dtype[Any] = getattr(value, "dtype", np.dtype(object))
    return dtype


def _inner(deltas: Any, tangents: Cotangents) -> Any:
    return sum(along.sum(deltas[place] * tangent) for place, tangent in enumerate(tangents))


def _arrays(deltas: Any, dtype: np.dtype[Any]) -> Cotangents:
    return tuple(np.array(delta, dtype) for delta in deltas)

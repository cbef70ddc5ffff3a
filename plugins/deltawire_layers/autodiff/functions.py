"""Make a kind of layer of a function of parameters and inputs: what `from_jax` and `from_numpy` share."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from deltawire_layers.autodiff.forward_only import ForwardOnly, input_names, measured_shape
from deltawire_layers.layer import Integers, Parameter, Shape

L = TypeVar("L", bound=ForwardOnly)

Parameters = Mapping[str, Parameter] | Callable[..., Mapping[str, Parameter]]
"""Parameters by name, or a function from the inputs' shapes to them."""


def from_function(
    base: type[L],
    function: Callable[..., Any],
    parameters: Parameters | None,
    integers: Mapping[int, Integers] | None,
    domain: tuple[float, float] | None,
    formula: str | None,
) -> type[L]:
    """Make a class whose forward line is a function.

    Args:
        base: the class of the framework.
        function: `function(params, x, …)`; without parameters, `function(x, …)`.
        parameters: the parameters, by name, or a function from the inputs' shapes to them.
        integers: the positions of inputs that take integers, with the range of each.
        domain: the open interval on which the function is defined.
        formula: first line of the documentation; by default the function's own.

    Raises:
        TypeError: the function's signature does not show its inputs, or the parameters are no parameters.
        ValueError: there is no formula.
    """
    name = getattr(function, "__name__", type(function).__name__)
    named = input_names(function, skip=0 if parameters is None else 1)
    if not named or named[0].kind is inspect.Parameter.VAR_POSITIONAL:
        raise TypeError(f"the signature of {name} does not show its inputs: wrap it, lambda x: {name}(x)")
    ranges = dict(integers or {})
    members: dict[str, Any] = {
        "__doc__": _documentation(function, formula, name, [parameter.name for parameter in named]),
        "__module__": getattr(function, "__module__", None) or base.__module__,
        "output_shape": measured_shape(named),
        "integer_inputs": lambda self, *shapes: ranges,
    }
    if domain is not None:
        members["domain"] = domain
    if parameters is None:
        members["value"] = lambda self, params, *inputs: function(*inputs)
    else:
        members["value"] = lambda self, params, *inputs: function(params, *inputs)
        members["parameters"] = _declared(parameters)
    class_name = "".join(word.title() for word in re.findall(r"[A-Za-z0-9]+", name))
    return type(class_name if class_name.isidentifier() else base.__name__, (base,), members)


def _declared(parameters: Parameters) -> Callable[..., dict[str, Parameter]]:
    """Return the method `parameters` of the class."""
    if callable(parameters):
        given = parameters
        return lambda self, *shapes: dict(given(*shapes))
    fixed = dict(parameters)
    for name, parameter in fixed.items():
        if not isinstance(parameter, Parameter):
            shown = type(parameter).__name__
            raise TypeError(f"parameter {name!r} is a {shown}, expected Parameter(shape, initializer)")

    def declared(self: ForwardOnly, *shapes: Shape) -> dict[str, Parameter]:
        return dict(fixed)

    return declared


def _documentation(function: Callable[..., Any], formula: str | None, name: str, inputs: list[str]) -> str:
    """Return the docstring of a class; its first line is a formula."""
    text = (inspect.getdoc(function) or "") if not inspect.isbuiltin(function) else ""
    first = text.partition("\n")[0]
    if formula is not None:
        if "=" not in formula:
            raise ValueError(f"formula={formula!r} is no formula: write it as y = …")
        return f"{formula}\n\n{text}".strip()
    if "=" in first:
        return text
    return f"y = {name}({', '.join(inputs)})\n\n{text}".strip()

"""Layers whose forward line is a torch module: `TorchLayer` and `from_torch`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, ClassVar

import numpy as np

from deltawire_layers.autodiff.forward_only import (
    Arguments,
    Cotangents,
    ForwardOnly,
    Measures,
    input_names,
    measured_shape,
)
from deltawire_layers.autodiff.torch_layers import derivatives
from deltawire_layers.autodiff.torch_layers.module import (
    PureModule,
    drawn_numbers,
    made,
    own_numbers,
    pure_module,
    torch,
)
from deltawire_layers.autodiff.torch_layers.threads import one_thread
from deltawire_layers.autodiff.torch_layers.trace import traced
from deltawire_layers.layer import Array, Integers, Parameter, Shape


class Templates:
    """The modules of one layer, by the shapes they are made for.

    It has no attributes that a look at a layer's state would follow: what it holds follows from the config.
    """

    __slots__ = ("constants", "lock", "made")

    def __init__(self) -> None:
        self.made: dict[tuple[Shape, ...], PureModule] = {}
        self.constants: dict[tuple[tuple[Shape, ...], Any], dict[str, Any]] = {}
        self.lock = Lock()


class TorchLayer(ForwardOnly):
    """y = module(x): a layer whose forward line is a torch module.

    Parameters are those of the module, in torch's names with underscores for dots; a name that starts with a
    digit gets `module_` before it. Buffers and frozen parameters are constants of the layer.

    Example:
        class Mixer(TorchLayer):
            '''y = W₂ gelu(W₁ x + b₁) + b₂ over the last axis.'''

            def module(self, x):
                return nn.Sequential(nn.Linear(x[-1], 64), nn.GELU(), nn.Linear(64, x[-1]))
    """

    forward_line = "module"

    keywords: ClassVar[tuple[str, ...]] = ()
    """Names by which the module takes its inputs; without them, it takes them by position."""

    def __init__(self, /, **config: Any):
        super().__init__(**config)
        self._templates = Templates()

    @classmethod
    def skipped_arguments(cls) -> int:
        """Return how many arguments of `module` come before the shapes: self."""
        return 1

    def module(self, *inputs: Any, **_: Any) -> Any:
        """Return the torch.nn.Module for inputs of these shapes, without the batch axis."""
        raise TypeError(f"{type(self).__name__} must define module")

    def choose(self, result: Any) -> Any:
        """Return the value, one tensor, from what the module returns: by default all of it."""
        return result

    def parameters(self, *inputs: Any, **_: Any) -> dict[str, Parameter]:
        """Return the module's parameters; they start as torch draws them, from a seed of the stream."""
        return drawn_numbers(self._pure(inputs), lambda: self._fresh(inputs))

    def trace(self, shapes: tuple[Shape, ...]) -> Measures:
        """Trace the module on the meta device."""
        integers = frozenset(self.integer_inputs(*shapes))
        return traced(self._pure(shapes), shapes, integers, one_thread)

    def reverse(self, arguments: Arguments) -> tuple[Array, Callable[[Array], Cotangents]]:
        """Return the value and its pullback; the graph of the forward pass is kept for it."""
        return derivatives.reverse(self._function(arguments), arguments)

    def slope(self, arguments: Arguments, tangents: Cotangents) -> Array:
        """Return the derivative of the value along tangents."""
        return derivatives.slope(self._function(arguments), arguments, tangents)

    def reverse_slope(
        self, arguments: Arguments, tangents: Cotangents, delta: Array, delta_tangent: Array
    ) -> tuple[Cotangents, Cotangents]:
        function = self._function(arguments)
        return derivatives.reverse_slope(function, arguments, tangents, delta, delta_tangent)

    def _function(self, arguments: Arguments) -> derivatives.Function:
        shapes = tuple(x.shape[1:] for x in arguments.arrays[len(arguments.names) :])
        pure = self._pure(shapes)
        constants = self._constants(pure, shapes, arguments.dtype)
        return lambda params, inputs: pure.call(params, constants, inputs)

    def _constants(self, pure: PureModule, shapes: tuple[Shape, ...], dtype: Any) -> dict[str, Any]:
        """Return the module's constants; those of floats have the dtype of the call."""
        templates = self._templates
        found = templates.constants.get((shapes, dtype))
        if found is None:
            wanted = torch.float32 if dtype == np.float32 else torch.float64
            found = {
                path: (t.to(wanted) if t.is_floating_point() else t) for path, t in pure.constants.items()
            }
            templates.constants[shapes, dtype] = found
        return found

    def _pure(self, shapes: tuple[Shape, ...]) -> PureModule:
        """Return the module for these shapes; numbers that it draws for its buffers start from seed 0."""
        templates = self._templates
        found = templates.made.get(shapes)
        if found is None:
            with templates.lock:
                found = templates.made.get(shapes)
                if found is None:
                    found = templates.made[shapes] = made(lambda: self._fresh(shapes), 0)
        return found

    def _fresh(self, shapes: tuple[Shape, ...]) -> PureModule:
        return pure_module(self.module(*shapes), self.keywords, self.choose)


def from_torch(
    module: Any,
    *,
    inputs: tuple[str, ...] | None = None,
    integers: Mapping[int, Integers] | None = None,
    value: Callable[[Any], Any] | None = None,
    formula: str | None = None,
) -> type[TorchLayer]:
    """Make a kind of layer of a torch module, or of a function that makes one.

    Args:
        module: a finished torch.nn.Module, whose numbers the parameters start from; or a function of the
            inputs' shapes that returns a new module, whose parameters are drawn anew for every seed.
        inputs: names of the module's arguments that are inputs; by default those without a default.
        integers: the positions of inputs that take integers, with the range of each.
        value: picks the value, one tensor, from what the module returns.
        formula: first line of the documentation, `y = gelu(x)`.

    Returns:
        The class, for an entry point of `deltawire.layers` or for `check_layer(cls(), shape)`.

    Raises:
        TypeError: it is neither a module nor a function of shapes.
        ValueError: the module cannot be a layer; the message names the part at fault, with the mend.

    Example:
        `Gelu = from_torch(nn.GELU(), formula="y = gelu(x)")`
    """
    finished = isinstance(module, torch.nn.Module)
    if isinstance(module, type) or not (finished or callable(module)):
        shown = module.__name__ if isinstance(module, type) else repr(module)
        raise TypeError(f"from_torch takes a module, or a function of shapes that makes one, got {shown}")
    named = input_names(module.forward if finished else module, skip=0)
    keywords: tuple[str, ...] = ()
    if inputs is not None:
        keywords = inputs if _takes(module, inputs) else ()
        named = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in inputs]
    name = type(module).__name__ if finished else module.__name__
    if not named or any(parameter.kind is parameter.VAR_POSITIONAL for parameter in named):
        mend = "name them, from_torch(module, inputs=('x',))"
        raise TypeError(f"the signature of {name} does not show its inputs: {mend}")
    ranges = dict(integers or {})
    members: dict[str, Any] = {
        "__doc__": _documentation(module, name, formula, [parameter.name for parameter in named]),
        "__module__": getattr(module, "__module__", __name__),
        "keywords": keywords,
        "module": (lambda self, *shapes: module) if finished else (lambda self, *shapes: module(*shapes)),
        "output_shape": measured_shape(named),
        "integer_inputs": lambda self, *shapes: ranges,
    }
    if value is not None:
        chosen = value
        members["choose"] = lambda self, result: chosen(result)
    if finished:
        pure = pure_module(module, keywords, value or (lambda result: result))
        members["parameters"] = lambda self, *shapes: own_numbers(pure)
    return type(name if name.isidentifier() else "FromTorch", (TorchLayer,), members)


def _takes(module: Any, inputs: tuple[str, ...]) -> bool:
    """Return whether a module takes all these names as keywords."""
    if not isinstance(module, torch.nn.Module):
        return False
    return set(inputs) <= set(inspect.signature(module.forward).parameters)


def _documentation(module: Any, name: str, formula: str | None, inputs: list[str]) -> str:
    """Return the docstring of a class: the formula, and what is inside."""
    line = formula or f"y = {name}({', '.join(inputs)})"
    if "=" not in line:
        raise ValueError(f"formula={line!r} is no formula: write it as y = …")
    if isinstance(module, torch.nn.Module):
        return f"{line}\n\nA module of torch:\n\n{module!r}\n"
    return f"{line}\n\n{inspect.getdoc(module) or 'A module of torch.'}\n"

"""The declarations of a layer: its config, its inputs, and all it says from shapes alone.

The compiler asks for them, under the guard of `layer_calls`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from marshmallow import ValidationError

from deltawire_layers import Arity, Integers, Layer, LayerError, Parameter, Shape, Work, arity, config_schema
from deltawire_service.engine.errors import PluginError
from deltawire_service.engine.execute.layer_calls import call

T = TypeVar("T")


def make(name: str, kind: str, layer: type[Layer], config: Mapping[str, Any]) -> Layer:
    """Make the layer of a node.

    Args:
        name: name of the node.
        kind: kind of the layer.
        layer: its class.
        config: its config, as posted.

    Raises:
        ValidationError: the config does not fit.
        PluginError: the layer fails otherwise.
    """
    made = call(name, kind, "read its config", lambda: layer(**config), allowed=(ValidationError,))
    if not isinstance(made, Layer):
        raise PluginError(name, kind, f"makes a {type(made).__name__}, not a layer")
    return made


def input_arity(name: str, kind: str, layer: Layer) -> Arity:
    """Return the inputs that a layer takes, at least one: only inputs tell the size of the batch.

    Args:
        name: name of the layer's node.
        kind: kind of the layer.
        layer: the layer.

    Raises:
        PluginError: the layer takes no input.
    """
    inputs = call(name, kind, "tell its inputs", lambda: arity(layer))
    if not inputs.names:
        raise PluginError(name, kind, "takes no input")
    return inputs


def dump_config(name: str, kind: str, layer: Layer) -> dict[str, Any]:
    """Return the config of a layer as JSON values, its defaults written out.

    Args:
        name: name of the layer's node.
        kind: kind of the layer.
        layer: the layer.

    Raises:
        PluginError: the layer's config cannot be written.
    """

    def write() -> Any:
        return json.loads(json.dumps(config_schema(layer.Config).dump(layer)))

    config = call(name, kind, "write its config", write)
    if not isinstance(config, dict):
        raise PluginError(name, kind, f"writes its config as a {type(config).__name__}")
    return config


class Declaration(NamedTuple):
    """A layer's declaration for input shapes: output, parameters, integer inputs, saved numbers, work."""

    shape: Shape
    parameters: Mapping[str, Parameter]
    integers: Mapping[int, Integers]
    saved: int
    work: Work


def declare(name: str, kind: str, layer: Layer, shapes: Sequence[Shape]) -> Declaration:
    """Return what a layer declares for inputs of these shapes.

    Args:
        name: name of the layer's node.
        kind: kind of the layer.
        layer: the layer.
        shapes: shape of one example of each input.

    Raises:
        LayerError: the layer refuses the shapes; its position, if any, is one of theirs.
        PluginError: the layer fails, or declares something that cannot be.
    """

    def ask(method: Callable[..., T], fits: Callable[[T], bool]) -> T:
        def answer() -> tuple[T, bool]:
            declared = method(*shapes)
            return declared, fits(declared)

        task = f"answer {method.__name__} from shapes alone"
        declared, right = call(name, kind, task, answer, allowed=(LayerError,))
        if not right:
            raise PluginError(name, kind, f"gives a wrong answer to {method.__name__}")
        return declared

    def are_integers(integers: Any) -> bool:
        return type(integers) is dict and all(
            type(position) is int and 0 <= position < len(shapes) and _are_ranges(allowed)
            for position, allowed in integers.items()
        )

    try:
        return Declaration(
            ask(layer.output_shape, _is_shape),
            ask(layer.parameters, _are_parameters),
            ask(layer.integer_inputs, are_integers),
            ask(layer.saved, _is_count),
            ask(layer.work, _is_work),
        )
    except LayerError as error:
        refusal = error
    message = call(name, kind, "say why it refuses its inputs", lambda: str(refusal))
    if refusal.input is not None and not (type(refusal.input) is int and 0 <= refusal.input < len(shapes)):
        raise PluginError(name, kind, f"refuses an input at {refusal.input!r}")
    raise LayerError(message, refusal.input)


def _is_shape(shape: Any) -> bool:
    return type(shape) is tuple and all(type(size) is int and size >= 1 for size in shape)


def _are_parameters(parameters: Any) -> bool:
    return type(parameters) is dict and all(
        type(name) is str
        and name.isidentifier()
        and type(parameter) is Parameter
        and _is_shape(parameter.shape)
        and callable(parameter.init)
        for name, parameter in parameters.items()
    )


def _are_ranges(allowed: Any) -> bool:
    ranges = allowed if type(allowed) is tuple else (allowed,)
    return all(type(each) is range and each.step == 1 for each in ranges)


def _is_work(work: Any) -> bool:
    return type(work) is Work and all(map(_is_count, work))


def _is_count(saved: Any) -> bool:
    return type(saved) is int and saved >= 0

"""The declarations of a layer: its config, its inputs, and all it says from shapes alone.

The compiler asks for them, under the guard of `layer_calls`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from marshmallow import ValidationError

from deltawire_layers import (
    Arity,
    Integers,
    Layer,
    LayerError,
    Parameter,
    Shape,
    Work,
    arity,
    breaches,
    config_schema,
)
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

    def ask(method: Callable[..., T], breach_of: Callable[[T], breaches.Breach | None]) -> T:
        def answer() -> tuple[T, breaches.Breach | None]:
            declared = method(*shapes)
            return declared, breach_of(declared)

        task = f"answer {method.__name__} from shapes alone"
        declared, breach = call(name, kind, task, answer, allowed=(LayerError,))
        if breach is not None:
            raise PluginError(name, kind, f"breaks its contract: {breach}")
        return declared

    try:
        return Declaration(
            ask(layer.output_shape, breaches.output_shape_breach),
            ask(layer.parameters, breaches.parameters_breach),
            ask(layer.integer_inputs, lambda integers: breaches.integers_breach(integers, len(shapes))),
            ask(layer.saved, breaches.saved_breach),
            ask(layer.work, breaches.work_breach),
        )
    except LayerError as error:
        refusal = error
    message = call(name, kind, "say why it refuses its inputs", lambda: str(refusal))
    if refusal.input is not None and not (type(refusal.input) is int and 0 <= refusal.input < len(shapes)):
        raise PluginError(name, kind, f"refuses an input at {refusal.input!r}")
    raise LayerError(message, refusal.input)

"""What a layer may give, held at run time: every call of a layer, in every phase, goes through here.

Layers are trusted code that may have mistakes in it; a mistake must stay with the request that met it, and be
named. So whatever a layer raises becomes a PluginError; what it gives back is held to what it declared, for
numpy would broadcast and cast instead; and what it is given, or has given, is locked: nobody writes to it
unless they unlock the array that owns the numbers on purpose. numpy's error handling is for the next layer
what it was for this one.

Not saved: a view that a layer made of its array before it gave it back stays writable; a read-only view that
it made itself (`np.broadcast_to`) can be unlocked; `x.base.setflags`, `x.ctypes` and C code such as
`torch.from_numpy` reach the numbers of any array; and what belongs to the process is everybody's: `os._exit`,
its folder, `np.random`, the filters of warnings.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context, copy_context
from threading import current_thread, main_thread
from typing import Any, NamedTuple, NoReturn, TypeVar

import numpy as np
from marshmallow import ValidationError

from deltawire_layers import Activation, Arity, Array, Layer, LayerError, Parameter, Shape, arity
from deltawire_service.engine.errors import PluginError
from deltawire_service.engine.graph import Node

T = TypeVar("T")


def called(
    name: str, kind: str, what: str, call: Callable[[], T], *, allowed: tuple[type[Exception], ...] = ()
) -> T:
    """What a call gives that runs code of the layer; `what` says in a PluginError what the layer fails to do.

    allowed: exceptions by which a layer says that its caller is wrong.
    """
    try:
        return copy_context().run(call)
    except allowed:
        raise
    except BaseException as error:
        blame(name, kind, f"fails to {what}", error)


def blame(name: str, kind: str, what: str, error: BaseException) -> NoReturn:
    """Raise as a PluginError whatever a layer raised, SystemExit and its like included.

    Only the main thread is interrupted by the keyboard, and that is no layer's doing.
    """
    if isinstance(error, KeyboardInterrupt) and current_thread() is main_thread():
        raise error
    raise PluginError(name, kind, what) from error


# Start: a layer and its config.


def make(name: str, kind: str, layer: type[Layer], config: Mapping[str, Any]) -> Layer:
    """The layer of a node. Raises ValidationError when the config does not fit."""
    made = called(name, kind, "read its config", lambda: layer(**config), allowed=(ValidationError,))
    if not isinstance(made, Layer):
        raise PluginError(name, kind, f"makes a {type(made).__name__}, not a layer")
    return made


def takes(name: str, kind: str, layer: Layer) -> Arity:
    """The inputs of a layer: one at least, for a batch has no other source."""
    found = called(name, kind, "tell its inputs", lambda: arity(layer))
    if not found.names:
        raise PluginError(name, kind, "takes no input")
    return found


def written(name: str, kind: str, layer: Layer) -> dict[str, Any]:
    """The config of a layer with its defaults, as JSON has it."""
    config = called(
        name, kind, "write its config", lambda: json.loads(json.dumps(layer.Config().dump(layer)))
    )
    if not isinstance(config, dict):
        raise PluginError(name, kind, f"writes its config as a {type(config).__name__}")
    return config


# Shape: what a layer answers from shapes alone.


class Declared(NamedTuple):
    """What a layer says about inputs of some shapes, before it computes."""

    shape: Shape
    parameters: Mapping[str, Parameter]
    ranges: Mapping[int, range]
    saved: int


def declared(name: str, kind: str, layer: Layer, shapes: Sequence[Shape]) -> Declared:
    """The answers of a layer. Raises LayerError when it refuses the shapes, with a position that exists."""

    def ask(question: Callable[..., T], fits: Callable[[T], bool]) -> T:
        def answer() -> tuple[T, bool]:
            given = question(*shapes)
            return given, fits(given)

        what = question.__name__
        given, right = called(name, kind, f"answer {what} from shapes alone", answer, allowed=(LayerError,))
        if not right:
            raise PluginError(name, kind, f"gives a wrong answer to {what}")
        return given

    def are_ranges(ranges: Any) -> bool:
        return type(ranges) is dict and all(
            type(position) is int and 0 <= position < len(shapes) and _is_range(allowed)
            for position, allowed in ranges.items()
        )

    try:
        return Declared(
            ask(layer.output_shape, _is_shape),
            ask(layer.parameters, _are_parameters),
            ask(layer.integer_inputs, are_ranges),
            ask(layer.saved, _is_count),
        )
    except LayerError as error:
        refusal = error
    message = called(name, kind, "say why it refuses its inputs", lambda: str(refusal))
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


def _is_range(allowed: Any) -> bool:
    return type(allowed) is range and allowed.step == 1


def _is_count(saved: Any) -> bool:
    return type(saved) is int and saved >= 0


def draw(node: Node, name: str, parameter: Parameter, stream: np.random.Generator) -> Array:
    """A parameter's first numbers, float64."""
    drawn = called(node.name, node.kind, f"draw '{name}'", lambda: parameter.init(stream, parameter.shape))
    return _checked(node, f"draw of '{name}'", drawn, parameter.shape, np.dtype(np.float64))


# Forward, deltas and gradients: called for every chunk of every request, and therefore written out.


def forward(
    node: Node, params: Mapping[str, Array], inputs: Sequence[Array], dtype: np.dtype[Any]
) -> tuple[Array, Activation]:
    """The value of a node for a batch, locked, and the activation with its equations."""
    try:
        activation = node.layer.forward(params, *inputs)
        value, deltas, grads, _ = activation
        fits = type(activation) is Activation and type(deltas) is tuple
        named = grads.keys() == node.parameters.keys()
    except BaseException as error:
        blame(node.name, node.kind, "fails in its forward pass", error)
    if not fits:
        raise PluginError(node.name, node.kind, "gives no Activation with a tuple of delta equations")
    if len(deltas) != len(inputs):
        what = f"gives {len(deltas)} delta equations for {len(inputs)} inputs"
        raise PluginError(node.name, node.kind, what)
    if not named:
        raise PluginError(
            node.name, node.kind, "gives gradient equations that are not those of its parameters"
        )
    return _checked(node, "value", value, (len(inputs[0]), *node.shape), dtype), activation


def signal(node: Node, activation: Activation, delta: Array) -> Any:
    """What the equations of a node share; the arrays in it are locked, for each equation may come first."""
    try:
        shared = activation.signal(delta)
    except BaseException as error:
        blame(node.name, node.kind, "fails to make its signal from delta", error)
    if shared is not delta:
        for array in shared if type(shared) is tuple else (shared,):
            if type(array) is np.ndarray:
                lock(array)
    return shared


def equation(
    node: Node,
    what: object,
    backward: Callable[[Any], Array],
    signal: Any,
    shape: Shape,
    dtype: np.dtype[Any],
) -> Array:
    """What one backward equation of a node gives, locked; `what` says which it is."""
    try:
        array = backward(signal)
    except BaseException as error:
        blame(node.name, node.kind, f"fails in the {what}", error)
    return _checked(node, what, array, shape, dtype)


def per_example(
    node: Node, params: Mapping[str, Array], inputs: Sequence[Array], delta: Array, dtype: np.dtype[Any]
) -> dict[str, Array] | None:
    """The gradients of each row, (rows, *shape) by the layer's names, if the layer has a way of its own."""

    def call() -> Mapping[str, Array] | None:
        found = node.layer.per_example(params, delta, *inputs)
        return None if found is None else dict(found)

    found = called(node.name, node.kind, "give the gradients of each example", call)
    if found is None:
        return None
    if found.keys() != params.keys():
        raise PluginError(node.name, node.kind, "gives gradients per example that are not its parameters'")
    return {
        local: _checked(
            node, f"gradient of {local} per example", array, (len(delta), *params[local].shape), dtype
        )
        for local, array in found.items()
    }


def _checked(node: Node, what: object, array: Any, shape: Shape, dtype: np.dtype[Any]) -> Array:
    """Hold an array to its declared shape and the one dtype; what is given on is a view nobody can unlock."""
    if type(array) is not np.ndarray:  # a matrix multiplies differently, a masked array hides numbers
        gives = f"gives a {type(array).__name__} for its {what}, not an array"
    elif array.shape != shape:
        gives = f"gives shape {list(array.shape)} for its {what}, expected {list(shape)}"
    elif array.dtype is not dtype and array.dtype != dtype:
        gives = f"gives {array.dtype} for its {what}, expected {dtype}"
    else:
        if array.base is None:
            array.setflags(False)  # type: ignore[call-arg]  # `lock`, without the call
        else:
            lock(array)
        return array.view()
    raise PluginError(node.name, node.kind, gives)


def restored(context: Context) -> Context:
    """Make numpy's error handling again what it is in `context`; gives the context as it is then.

    For where `copy_context() != context` shows that a layer has changed something: to compare takes a tenth
    of the time that it takes to call every layer in a context of its own.
    """
    np.seterr(**context.run(np.geterr))
    np.seterrcall(context.run(np.geterrcall))
    np.setbufsize(context.run(np.getbufsize))
    return copy_context()


def lock(array: Array) -> None:
    """Whoever holds the array from now on only reads, and reads what it holds now.

    A layer may give a view of a buffer that it means to fill fork: that is locked too. What is read-only
    already may be an argument handed back, whose numbers are its owner's.
    """
    base = array.base
    if base is not None:
        if not array.flags.writeable:
            return
        while isinstance(base, np.ndarray):
            base.setflags(write=False)
            base = base.base
    array.setflags(False)  # type: ignore[call-arg]  # by position, for by name it takes three times as long


def read_only(array: Array) -> Array:
    """A view nobody can write through: what is handed to layers."""
    view = array.view()
    view.setflags(False)  # type: ignore[call-arg]
    return view

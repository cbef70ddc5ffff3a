"""The guard of the layer contract: every call of a layer, in every phase, goes through here.

Layers are trusted code that may have mistakes. A mistake must stay with the request that met it, and be
named. So whatever a layer raises becomes a PluginError. Whatever it returns must have the shape and dtype it
declared, for numpy would broadcast and cast instead: `deltawire_layers.breaches` says what it may give, here
and in the conformance kit. Its arguments and results are locked: nobody writes to them without unlocking the
array that owns the numbers on purpose. numpy's error handling is the same for every layer.

The guard does not reach everything:
- A view that a layer made of its array before it returned the array stays writable.
- A read-only view that a layer made itself (`np.broadcast_to`) can be unlocked.
- `x.base.setflags`, `x.ctypes` and C code such as `torch.from_numpy` reach the numbers of any array.
- A layer can change what belongs to the process: `os._exit`, its folder, `np.random`, the warning filters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import Context, copy_context
from threading import current_thread, main_thread
from typing import Any, NoReturn, TypeVar

import numpy as np

from deltawire_layers import Activation, Array, DeadlineExceeded, Parameter, Shape, breaches, lock
from deltawire_service.engine.errors import PluginError
from deltawire_service.engine.execute.finite import is_finite, quietly
from deltawire_service.engine.graph import Arrays, Node

T = TypeVar("T")


def call(
    name: str, kind: str, task: str, function: Callable[[], T], *, allowed: tuple[type[Exception], ...] = ()
) -> T:
    """Call a function that runs code of a layer, and return its result.

    Args:
        name: name of the layer's node.
        kind: kind of the layer.
        task: the task of the layer, for the message: `read its config`.
        function: the call.
        allowed: exceptions by which a layer says that its caller is wrong; they are passed on.

    Raises:
        PluginError: the layer raised anything else.
    """
    try:
        return copy_context().run(function)
    except allowed:
        raise
    except BaseException as error:
        blame(name, kind, f"fails to {task}", error)


def blame(name: str, kind: str, reason: str, error: BaseException) -> NoReturn:
    """Raise whatever a layer raised as a PluginError, SystemExit and the like included.

    Two exceptions are no mistakes of the layer, and are passed on.

    Args:
        name: name of the layer's node.
        kind: kind of the layer.
        reason: what went wrong, as the end of a sentence.
        error: the exception.

    Raises:
        DeadlineExceeded: the layer looked at the deadline after it had passed.
        KeyboardInterrupt: the keyboard interrupted the main thread.
        PluginError: in all other cases.
    """
    interrupted = isinstance(error, KeyboardInterrupt) and current_thread() is main_thread()
    named = isinstance(error, PluginError) and (error.node, error.kind) == (name, kind)  # by an inner call
    if interrupted or named or isinstance(error, DeadlineExceeded):
        raise error
    raise PluginError(name, kind, reason) from error


@quietly
def draw(
    node: Node, name: str, parameter: Parameter, stream: np.random.Generator, dtype: np.dtype[Any]
) -> Array:
    """Draw the first numbers of a parameter.

    Args:
        node: the node that has the parameter.
        name: the network's name of the parameter.
        parameter: its shape and its distribution.
        stream: the random numbers it is drawn from.
        dtype: the dtype that the numbers, drawn in float64, are rounded to.

    Raises:
        PluginError: the layer fails, draws an array of another shape or dtype, or numbers that are not finite
            in this dtype.
    """
    role = f"draw of '{name}'"
    drawn = call(node.name, node.kind, f"draw '{name}'", lambda: parameter.init(stream, parameter.shape))
    breach = breaches.draw_breach(name, drawn, parameter.shape)
    if breach is not None:
        raise PluginError(node.name, node.kind, f"breaks its contract: {breach}")
    array: Array = drawn.astype(dtype)
    if not is_finite(array):
        raise PluginError(
            node.name, node.kind, f"gives numbers that are not finite in {dtype} for its {role}"
        )
    return array


# Both passes: called for every chunk of every request, and therefore without `call`.


def forward(
    node: Node, params: Arrays, inputs: Sequence[Array], dtype: np.dtype[Any]
) -> tuple[Array, Activation]:
    """Compute the value of a node for a batch.

    Args:
        node: the node.
        params: arrays by the layer's names.
        inputs: (batch, *shape) each, read-only.
        dtype: the one float dtype of all arrays.

    Returns:
        The value, (batch, *shape), locked, and the activation with the node's equations.

    Raises:
        PluginError: the layer breaks its contract.
    """
    try:
        activation = node.layer.forward(params, *inputs)
        breach = breaches.activation_breach(activation, len(inputs), node.parameters.keys())
    except BaseException as error:
        blame(node.name, node.kind, "fails in its forward pass", error)
    if breach is not None:
        raise PluginError(node.name, node.kind, f"breaks its contract: {breach}")
    return _checked(node, "value", activation.value, (len(inputs[0]), *node.shape), dtype), activation


def signal(node: Node, activation: Activation, delta: Array) -> Any:
    """Compute the signal that the equations of a node share.

    Args:
        node: the node.
        activation: the result of its forward pass.
        delta: (batch, *shape), read-only.

    Returns:
        The signal. The arrays in it are locked, since the equations may be called in any order.

    Raises:
        PluginError: the layer raised.
    """
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
    role: object,
    backward: Callable[[Any], Array],
    signal: Any,
    shape: Shape,
    dtype: np.dtype[Any],
) -> Array:
    """Compute one backward equation of a node.

    Args:
        node: the node.
        role: the role of the result, which messages name it by.
        backward: the equation.
        signal: what the equations of the node share.
        shape: the shape that the result must have.
        dtype: the one float dtype of all arrays.

    Returns:
        The delta or the gradient, locked.

    Raises:
        PluginError: the layer breaks its contract.
    """
    try:
        array = backward(signal)
    except BaseException as error:
        blame(node.name, node.kind, f"fails in the {role}", error)
    return _checked(node, role, array, shape, dtype)


def per_example(
    node: Node, params: Arrays, inputs: Sequence[Array], delta: Array, dtype: np.dtype[Any]
) -> dict[str, Array] | None:
    """Compute the gradients of each example by the layer's own method.

    Args:
        node: the node.
        params: arrays by the layer's names.
        inputs: (batch, *shape) each, read-only.
        delta: (batch, *shape) of the node, read-only.
        dtype: the one float dtype of all arrays.

    Returns:
        Gradients by the layer's names, (batch, *shape) each; None when the layer has no such method.

    Raises:
        PluginError: the layer breaks its contract.
    """

    def compute() -> Mapping[str, Array] | None:
        return node.layer.per_example(params, delta, *inputs)

    gradients = call(node.name, node.kind, "give the gradients of each example", compute)
    if gradients is None:
        return None
    breach = breaches.per_example_breach(gradients, params.keys())
    if breach is not None:
        raise PluginError(node.name, node.kind, f"breaks its contract: {breach}")
    return {
        local: _checked(
            node, f"gradient of {local} per example", array, (len(delta), *params[local].shape), dtype
        )
        for local, array in gradients.items()
    }


def _checked(node: Node, role: object, array: Any, shape: Shape, dtype: np.dtype[Any]) -> Array:
    """Return a view, which nobody can unlock, of an array of the declared shape and the one dtype."""
    breach = breaches.array_breach(role, array, shape, dtype)
    if breach is not None:
        raise PluginError(node.name, node.kind, f"breaks its contract: {breach}")
    if array.base is None:
        array.setflags(False)  # `lock`, without the call
    else:
        lock(array)
    view: Array = array.view()
    return view


def restore_errstate(context: Context) -> Context:
    """Set numpy's error handling to what it is in a context, and return the context as it is then.

    Call it where `copy_context() != context` shows that a layer has changed something. Comparing takes a
    tenth of the time that calling every layer in a context of its own would.
    """
    np.seterr(**context.run(np.geterr))
    np.seterrcall(context.run(np.geterrcall))
    np.setbufsize(context.run(np.getbufsize))
    return copy_context()

"""Say what is wrong with what a layer gives: for the guard at run time, and for the conformance kit.

Types are exact: a tuple, a dict and an ndarray, and no subclass of them. A matrix multiplies in another way,
a masked array hides numbers, and a dict of its own may answer differently the second time.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from inspect import Parameter as SignatureParameter
from inspect import signature
from itertools import pairwise
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from marshmallow import Schema

from deltawire_layers.layer import Activation, Formula, Layer, Parameter, Shape, Work, arity

PARAMETER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class Breach(NamedTuple):
    """A way in which a layer breaks the contract.

    rule:    number of the rule
    closure: what is wrong: `output_shape`, `value`, `δ of input 1`, `gradient of 'weight'`, `signal`
    problem: the mistake, as the end of a sentence that begins with the closure
    mend:    what to write instead
    """

    rule: int
    closure: object
    problem: str
    mend: str | None = None

    def __str__(self) -> str:
        text = f"{self.closure} {self.problem}"
        return text if self.mend is None else f"{text}; {self.mend}"


def delta_of(position: int) -> str:
    """Return the name, in errors, of an input's equation."""
    return f"δ of input {position}"


def gradient_of(name: str) -> str:
    """Return the name, in errors, of a parameter's equation."""
    return f"gradient of {name!r}"


# The class.


def class_breach(layer: type[Layer]) -> Breach | None:
    """Return what is wrong with the declarations of a class; None when nothing is.

    Raises:
        Exception: whatever its `Config` or its signature raises.
    """
    if not arity(layer).names:
        return Breach(5, "output_shape", "takes no input; a batch has no other source")
    if arity(layer).optional and arity(layer).variadic:
        problem = "has inputs that may be left out, and any number of others, which could be either"
        return Breach(5, "output_shape", problem)
    if not _defaults_are_none(layer):
        return Breach(5, "output_shape", "has an input with a default other than None")
    if not (isinstance(layer.Config, type) and issubclass(layer.Config, Schema)):
        return Breach(5, "Config", "is not a marshmallow Schema")
    layer.Config()
    if type(layer.elementwise) is not bool:
        return Breach(5, "elementwise", "is neither True nor False")
    if not _are_bounds(layer.bounds):
        return Breach(5, "bounds", "is not a dict of positions and pairs of numbers, the least first")
    if not (_is_pair(layer.domain) and layer.domain[0] < layer.domain[1]):
        return Breach(5, "domain", "is not a pair of numbers, the least first", "write it as (0, inf)")
    if type(layer.orders) is not int or layer.orders not in (1, 2):
        return Breach(5, "orders", "is neither 1 nor 2")
    if layer.formula is not None and type(layer.formula) is not Formula:
        return Breach(6, "formula", "is not a deltawire_layers.Formula")
    return None


def _defaults_are_none(layer: type[Layer]) -> bool:
    defaults = [p.default for p in signature(layer.output_shape).parameters.values()]
    return all(default in (SignatureParameter.empty, None) for default in defaults)


def _are_bounds(bounds: object) -> bool:
    return isinstance(bounds, Mapping) and all(
        type(position) is int and position >= 0 and _is_pair(pair) and pair[0] <= pair[1]
        for position, pair in bounds.items()
    )


def _is_pair(pair: Any) -> bool:
    return type(pair) is tuple and len(pair) == 2 and all(type(number) in (int, float) for number in pair)


# Declarations, from shapes alone.


def output_shape_breach(shape: Any) -> Breach | None:
    """Return what is wrong with the shape of a value; None when nothing is."""
    if _is_shape(shape):
        return None
    return Breach(5, "output_shape", f"is {_shown(shape)}, expected a tuple of whole numbers, 1 or more")


def parameters_breach(parameters: Any) -> Breach | None:
    """Return what is wrong with the declared parameters; None when nothing is."""
    if type(parameters) is not dict:
        return Breach(5, "parameters", f"is {_shown(parameters)}, expected a dict of Parameter by name")
    for name, parameter in parameters.items():
        closure = f"parameter {name!r}"
        if type(name) is not str or not PARAMETER_NAME.fullmatch(name):
            return Breach(5, closure, "is not named in letters, digits and underscores, at most 64")
        if type(parameter) is not Parameter or not _is_shape(parameter.shape):
            problem = f"is {_shown(parameter)}, expected Parameter(shape, init) with sizes of 1 or more"
            return Breach(5, closure, problem)
        if not callable(parameter.init):
            problem = f"starts from {_shown(parameter.init)}, which cannot be called"
            return Breach(5, closure, problem, "give an initializer, as initializers.zeros")
    return None


def integers_breach(integers: Any, inputs: int) -> Breach | None:
    """Return what is wrong with the declared integers; None when nothing is.

    Args:
        integers: what `integer_inputs` gave.
        inputs: how many inputs there are.
    """
    closure = "integer_inputs"
    if type(integers) is not dict:
        return Breach(5, closure, f"is {_shown(integers)}, expected a dict of ranges by position")
    for position, allowed in integers.items():
        if type(position) is not int or not 0 <= position < inputs:
            return Breach(5, closure, f"names input {position!r} of {inputs} inputs")
        if not _are_ranges(allowed):
            problem = f"has {_shown(allowed)} for input {position}"
            return Breach(5, closure, problem, "give a range of step 1, or a tuple of some without overlap")
    return None


def saved_breach(saved: Any) -> Breach | None:
    """Return what is wrong with the declared count of saved numbers; None when nothing is."""
    if _is_count(saved):
        return None
    return Breach(5, "saved", f"is {_shown(saved)}, expected a whole number, 0 or more")


def work_breach(work: Any) -> Breach | None:
    """Return what is wrong with the declared work; None when nothing is."""
    if type(work) is Work and all(map(_is_count, work)):
        return None
    return Breach(5, "work", f"is {_shown(work)}, expected Work of two whole numbers, 0 or more")


def constant_rows_breach(rows: Any, parameters: Mapping[str, Parameter]) -> Breach | None:
    """Return what is wrong with the declared constant rows; None when nothing is.

    Args:
        rows: what `constant_rows` gave.
        parameters: the declared parameters.
    """
    closure = "constant_rows"
    if type(rows) is not dict:
        return Breach(5, closure, f"is {_shown(rows)}, expected a dict of rows by parameter")
    for name, chosen in rows.items():
        if name not in parameters or not parameters[name].shape:
            return Breach(5, closure, f"names {name!r}, which is no parameter with rows")
        count = parameters[name].shape[0]
        fits = type(chosen) in (tuple, list, set, frozenset, range)
        if not fits or not all(type(row) is int and 0 <= row < count for row in chosen):
            return Breach(5, closure, f"has {_shown(chosen)} for {name!r}, which has {count} rows")
    return None


def draw_breach(name: str, drawn: Any, shape: Shape) -> Breach | None:
    """Return what is wrong with the first numbers of a parameter; None when nothing is.

    Args:
        name: name of the parameter.
        drawn: what its initializer gave.
        shape: its shape.
    """
    fits = type(drawn) is np.ndarray and (drawn.shape, drawn.dtype) == (shape, np.float64)
    if fits and np.isfinite(drawn).all():
        return None
    expected = f"an array of shape {shape}, finite float64 numbers"
    return Breach(5, f"parameter {name!r}", f"starts with {_shown(drawn)}, expected {expected}")


# Results of a pass.


def activation_breach(activation: Any, inputs: int, parameters: Collection[str]) -> Breach | None:
    """Return what is wrong with the form of an Activation; None when nothing is.

    Its arrays come later, when the equations are called: `array_breach`.

    Args:
        activation: what `forward` gave.
        inputs: how many inputs there are.
        parameters: the names of the parameters.
    """
    if type(activation) is not Activation:
        mend = "return Activation(value, deltas=(…,))"
        return Breach(3, "forward", f"returns {_kind(activation)}, expected an Activation", mend)
    _, deltas, grads, signal = activation
    if (
        type(deltas) is tuple
        and len(deltas) == inputs
        and (type(grads) is dict or type(grads) is MappingProxyType)
        and grads.keys() == parameters
        and callable(signal)
        and all(equation is None or callable(equation) for equation in deltas)
        and all(map(callable, grads.values()))
    ):
        return None
    return _deltas_breach(deltas, inputs) or _grads_breach(grads, parameters) or _signal_breach(signal)


def _deltas_breach(deltas: Any, inputs: int) -> Breach | None:
    if type(deltas) is not tuple:
        comma = "write the comma of a tuple: deltas=(lambda delta: …,)"
        mend = comma if callable(deltas) else "write deltas=(lambda delta: …,)"
        return Breach(3, "deltas", f"is {_kind(deltas)}, expected a tuple of equations", mend)
    for position, equation in enumerate(deltas[:inputs]):
        if equation is not None and not callable(equation):
            return Breach(3, delta_of(position), f"is {_kind(equation)}, expected an equation", EQUATION)
    if len(deltas) < inputs:
        return Breach(
            3, delta_of(len(deltas)), f"is missing: {len(deltas)} delta equations for {inputs} inputs"
        )
    if len(deltas) > inputs:
        return Breach(3, delta_of(inputs), f"has no input: {len(deltas)} delta equations for {inputs} inputs")
    return None


EQUATION = "give a function of the signal: lambda delta: …"


def _grads_breach(grads: Any, parameters: Collection[str]) -> Breach | None:
    if type(grads) not in (dict, MappingProxyType):
        mend = "leave it out where there are no parameters, else write grads={'name': lambda delta: …}"
        return Breach(3, "grads", f"is {_kind(grads)}, expected a dict of equations by parameter", mend)
    for name in parameters:
        if name not in grads:
            return Breach(3, gradient_of(name), "is missing")
    for name, equation in grads.items():
        if name not in parameters:
            declared = ", ".join(parameters) or "none"
            return Breach(3, gradient_of(name), f"has no parameter; declared: {declared}")
        if not callable(equation):
            return Breach(3, gradient_of(name), f"is {_kind(equation)}, expected an equation", EQUATION)
    return None


def _signal_breach(signal: Any) -> Breach | None:
    if callable(signal):
        return None
    mend = "leave it out, or give a function of δ: signal=lambda delta: …"
    return Breach(3, "signal", f"is {_kind(signal)}, expected a function", mend)


def array_breach(closure: object, array: Any, shape: Shape, dtype: np.dtype[Any]) -> Breach | None:
    """Return what is wrong with an array that a layer gave; None when nothing is.

    Args:
        closure: the value or the equation that gave it, whose text names it.
        array: the array.
        shape: the shape it must have.
        dtype: the dtype it must have, in the machine's byte order.
    """
    if type(array) is not np.ndarray:
        return Breach(5, closure, f"is {_kind(array)}, not an array", _array_mend(array))
    if array.shape != shape:
        return Breach(5, closure, f"has shape {list(array.shape)}, expected {list(shape)}")
    if array.dtype is not dtype and array.dtype != dtype:
        return Breach(4, closure, f"is {array.dtype}, though all arguments are {dtype}")
    return None


def per_example_breach(gradients: Any, parameters: Collection[str]) -> Breach | None:
    """Return what is wrong with the form of the gradients of each example; None when nothing is.

    Args:
        gradients: what `per_example` gave, when that is not None.
        parameters: the names of the parameters.
    """
    if type(gradients) is not dict:
        return Breach(5, "per_example", f"gives {_kind(gradients)}, expected a dict of arrays by parameter")
    if gradients.keys() != parameters:
        found, declared = (", ".join(map(str, names)) or "none" for names in (gradients, parameters))
        return Breach(3, "per_example", f"gives gradients of {found}; declared: {declared}")
    return None


def _array_mend(array: Any) -> str | None:
    """Return how to make an array of what an author gave instead of one."""
    if isinstance(array, np.ma.MaskedArray):
        return "fill the masked places: array.filled(0)"
    if isinstance(array, np.ndarray):
        return "np.asarray(…) makes it a plain array"
    if isinstance(array, np.generic | float | int | complex | list | tuple):
        return "np.asarray(…, dtype) makes it an array of the arguments' dtype"
    if array is None:
        return "let the function return its array"
    return "call it, and give the array that it returns" if callable(array) else None


def _is_shape(shape: Any) -> bool:
    return type(shape) is tuple and all(type(size) is int and size >= 1 for size in shape)


def _is_count(count: Any) -> bool:
    return type(count) is int and count >= 0


def _are_ranges(allowed: Any) -> bool:
    ranges = allowed if type(allowed) is tuple else (allowed,)
    if not ranges or not all(type(each) is range and each.step == 1 and len(each) > 0 for each in ranges):
        return False
    ordered = sorted(ranges, key=attrgetter("start"))
    return all(before.stop <= after.start for before, after in pairwise(ordered))


def _kind(thing: Any) -> str:
    """Return what something is, for an author."""
    if thing is None:
        return "None"
    if isinstance(thing, np.ma.MaskedArray):
        return "a masked array"
    name = type(thing).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def _shown(thing: Any) -> str:
    """Return a short text of something that may be large, or may fail to be shown."""
    try:
        text = repr(thing)
    except Exception as error:  # a repr of an author's own may raise anything
        return f"{_kind(thing)} whose repr raises {type(error).__name__}"
    return text if len(text) <= 200 else f"{text[:200]}…"

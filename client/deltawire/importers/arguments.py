"""Call translations; refuse, by name, every argument and result that they do not use.

A translation is a function of a `Site` and of the arguments of the foreign operation. Annotations state what
it accepts: `Value` for results of other nodes, `Stored` for stored arrays, other types for plain settings.
Arguments that a translation does not read are annotated with one of the three types below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from inspect import Parameter, Signature, signature
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import numpy as np

from deltawire.errors import DeltawireError, Fault, Refused
from deltawire.importers.operands import Reduced, Stored, Unavailable, Unbatched, Value
from deltawire.importers.site import Site, described

Default = Annotated[Any, "has its default, or the operation is refused: no layer does anything else"]
Harmless = Annotated[Any, "changes no number: how memory is used, or which kernel computes"]
Shown = Annotated[Any, "shows in the shape and the dtype of the result, which are looked at"]
UNREAD = Default, Harmless, Shown

WORDS = {
    Value: "what other nodes compute", Stored: "what the model has stored", int: "a whole number",
    float: "a number", bool: "True or False", str: "a name", NoneType: "nothing",
}  # fmt: skip


@contextmanager
def errors_named(label: str) -> Iterator[None]:
    """Turn any exception of foreign code into Refused, which names the operation; it stays the cause."""
    try:
        yield
    except (DeltawireError, MemoryError):
        raise
    except Exception as error:
        why = f"{label}: {type(error).__name__}: {first_line(error)}"
        raise Refused([Fault("", "not_expressible", why)]) from error


def first_line(error: Exception) -> str:
    """Return the beginning of an error's message, or the error's name if it has none."""
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__


def translated(site: Site, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Translate an operation by calling its function at its site.

    Args:
        site: The site of the operation.
        function: The translation.
        *args: The positional arguments of the operation.
        **kwargs: The keyword arguments of the operation.

    Returns:
        A `Value` for a tensor; a tuple of them for several.

    Raises:
        Refused: The translation does not accept an argument, or its results differ from the operation's in
            shape, dtype or number.
    """
    for value in leaves((args, kwargs)):
        if isinstance(value, Unavailable):
            site.refuse(value.why)
    form = _form(function)
    try:
        bound = form.bind(site, *args, **kwargs)
    except TypeError as error:
        site.refuse(f"called with what has no equivalent: {error}")
    for name, value in list(bound.arguments.items())[1:]:
        parameter = form.parameters[name]
        if not site.batched:
            bound.arguments[name] = value = _values(site, parameter.annotation, value)
        several = parameter.kind is Parameter.VAR_POSITIONAL
        for one in value if several else [value]:
            _check_argument(site, parameter, one)
    result = function(*bound.args, **bound.kwargs)
    _check_result(site, result, lambda results: results)
    return result if site.batched else _unbatched(result)


def _values(site: Site, kind: Any, given: Any) -> Any:
    """Return an argument of an operation without a batch, with its arrays as values where it takes those."""
    if isinstance(given, tuple | list):
        return type(given)(_values(site, Any, one) for one in given)
    if isinstance(given, Unbatched):
        return given.value
    kinds = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    if not isinstance(given, Stored) or not (Value in kinds or Any in kinds):
        return given
    if given.kept:
        return site.learned(given)
    return given if Stored in kinds or Any in kinds else site.constant(given, given.array.shape)


def _unbatched(result: Any) -> Any:
    """Return the results of an operation without a batch as values that are the same for every example."""
    if isinstance(result, tuple | list):
        return tuple(_unbatched(one) for one in result)
    return Unbatched(result) if isinstance(result, Value) else result


@cache
def _form(function: Callable[..., Any]) -> Signature:
    return signature(function, eval_str=True)


def _check_argument(site: Site, parameter: Parameter, value: Any) -> None:
    """Raise Refused for an argument that does not fit its annotation, or that no layer has a setting for."""
    kind = parameter.annotation
    if kind == Default:
        if not _same(value, parameter.default):
            site.refuse(f"{parameter.name}={_shown(value)}: no layer does this")
        return
    if kind in UNREAD or _fits(value, kind):
        return
    kinds = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    expected = " or ".join(WORDS.get(one, getattr(one, "__name__", str(one))) for one in kinds)
    site.refuse(f"expected {expected} as {parameter.name}, got {described(value)}")


def _same(value: Any, default: Any) -> bool:
    if isinstance(value, Value | Stored | Unbatched):
        return False
    equal = value is default or value == default
    return isinstance(equal, bool) and equal


def _shown(value: Any) -> str:
    return described(value) if isinstance(value, Value | Stored | Unbatched) else f"{value!r:.40}"


def _fits(value: Any, kind: Any) -> bool:
    if kind in (Any, Parameter.empty):
        return True
    if get_origin(kind) in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(kind))
    if kind is float:
        return isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int | np.integer) and not isinstance(value, bool)
    if kind is bool:
        return isinstance(value, bool | int)
    plain = get_origin(kind) or kind
    if plain in (list, tuple):
        return isinstance(value, list | tuple)
    return not isinstance(plain, type) or isinstance(value, plain)


def _check_result(site: Site, result: Any, pick: Callable[[Any], Any]) -> None:
    """Raise Refused when the results differ from the operation's in shape, dtype or number."""
    if isinstance(result, Unbatched):
        result = result.value
    if result is None or isinstance(result, Unavailable):
        return
    if isinstance(result, tuple | list):
        counts = [len(part) if isinstance(part, tuple | list) else 1 for part in map(pick, site.results)]
        if any(count != len(result) for count in counts):
            site.refuse(f"has {counts[0]} results, and its layers {len(result)}")
        for place, one in enumerate(result):
            _check_result(site, one, _part(pick, place))
        return
    if isinstance(result, Reduced):
        _check_reduced(site, pick)
        result = result.value
    elif not isinstance(result, Value):
        site.refuse("has other results than tensors")
    elif site.shape(pick) != result.shape:
        shapes = f"{list(site.shape(pick))}, and the layers give {list(result.shape)}"
        site.refuse(f"an example of its result is of shape {shapes}")
    dtype = str(pick(site.results[0]).dtype).removeprefix("torch.")
    if not result.whole and dtype != str(site.builder.dtype):
        site.refuse(f"its result is of {dtype}, other numbers of the model of {site.builder.dtype}")


def _check_reduced(site: Site, pick: Callable[[Any], Any]) -> None:
    """Raise Refused unless a result is one number for the whole batch."""
    shapes = [tuple(getattr(pick(result), "shape", (0,))) for result in site.results]
    if any(shapes):
        site.refuse(f"is reduced over the batch, and gives {list(shapes[0])}: no layer does this")


def _part(pick: Callable[[Any], Any], place: int) -> Callable[[Any], Any]:
    return lambda results: pick(results)[place]


def leaves(arguments: Any) -> Iterator[Any]:
    """Yield the values inside nested tuples, lists, dicts and slices."""
    if isinstance(arguments, dict):
        arguments = tuple(arguments.values())
    if isinstance(arguments, slice):
        arguments = arguments.start, arguments.stop, arguments.step
    if isinstance(arguments, tuple | list):
        for one in arguments:
            yield from leaves(one)
    else:
        yield arguments

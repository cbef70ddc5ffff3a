"""Functions of a client as its methods: with the help of a method, and errors that show the caller's line."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from deltawire.errors import Refused

F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
T = TypeVar("T")

CLIENT_LINE = "        client: The client that asks.\n"
"""What a function says of its first argument, which a method does not take."""


def at_the_caller(function: Callable[P, T]) -> Callable[P, T]:
    """Return a function whose refusals show the caller's line, without the lines of the SDK below it.

    A refusal is the caller's mistake, and its message names the argument. All other errors keep their lines.
    """
    required = [
        each.name
        for each in inspect.signature(function).parameters.values()
        if each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD and each.name != "client"
    ]

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except Refused as refused:
            raise refused.with_traceback(None) from refused.__cause__
        except TypeError as error:
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise  # from within the function
            raise TypeError(f"{error}; it takes ({', '.join(required)})") from None

    return call


def as_method(function: F) -> F:
    """Return a function that takes a client first as a method of the client."""
    method: Any = at_the_caller(function)
    signature = inspect.signature(function)
    first, *others = signature.parameters.values()
    method.__signature__ = signature.replace(parameters=[first.replace(name="self"), *others])
    method.__doc__ = (function.__doc__ or "").replace(CLIENT_LINE, "", 1)
    made: F = method
    return made

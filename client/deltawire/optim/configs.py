"""Make optimizers and schedules from their configs, with errors that name the argument at fault."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

from marshmallow import ValidationError

from deltawire.arrays import plain_json
from deltawire.errors import Fault, Refused, wrong_argument
from deltawire_optimizers import CONFIG_KEYS, Registry, load_optimizers
from deltawire_plugins.schema_errors import schema_errors

P = ParamSpec("P")
T = TypeVar("T")


@cache
def installed() -> Registry:
    """Return the optimizers of this machine, which are looked up once.

    Raises:
        RegistryError: An installed plugin is broken.
    """
    return load_optimizers()


def make(kind: type[T], config: dict[str, Any], **parts: Any) -> T:
    """Return an optimizer or a schedule with this config, in which numbers may be of numpy.

    Args:
        kind: Its class, which has a schema `Config`.
        config: Its arguments, which are made plain JSON first.
        **parts: Its arguments that are no JSON.

    Raises:
        Refused: The config does not fit, with a fault for every argument.
    """
    try:
        return kind(**plain_json(config, ""), **parts)
    except ValidationError as error:
        raise Refused(_faults(error, kind)) from None


def _faults(error: ValidationError, kind: Any) -> Iterator[Fault]:
    for each in schema_errors(error, kind.Config()):
        hint = _hint(str(each.path[-1]), each.known) if each.problem == "unknown" else ""
        pointer = "/".join(["", *map(str, each.path)])
        yield Fault(pointer, f"field_{each.problem}", f"{each.message}{hint}")


def checked_arguments(factory: Callable[P, T]) -> Callable[P, T]:
    """Return a factory that refuses arguments it does not have, with what stands for them.

    Python's TypeError would not lead from `lr` to `learning_rate`, nor parameters to `step`.
    """
    known = inspect.signature(factory).parameters
    first = next(iter(known.values()), None)

    @wraps(factory)
    def make_checked(*args: P.args, **kwargs: P.kwargs) -> T:
        faults = [
            Fault(f"/{key}", "field_unknown", f"unknown field '{key}'{_hint(key, known)}")
            for key in kwargs.keys() - known.keys()
        ]
        if faults:
            raise Refused(faults)
        rate = first is not None and first.name == "learning_rate"
        if args and rate and isinstance(args[0], Iterable) and not isinstance(args[0], str):
            expected = "a number first, for step(params, gradients) takes the parameters"
            raise wrong_argument("/learning_rate", expected, args[0])
        return factory(*args, **kwargs)

    return make_checked


def _hint(key: str, known: Iterable[str]) -> str:
    return CONFIG_KEYS.hint(key, known) or f"; known: {', '.join(known)}"


def positive(argument: str, value: Any) -> float | None:
    """Return a number above 0, which may be one of numpy, or None where there is none.

    Raises:
        Refused: The value is something else.
    """
    number = plain_json(value, f"/{argument}")
    if number is not None and (type(number) not in (int, float) or not number > 0):
        raise wrong_argument(f"/{argument}", "a number above 0", value)
    return None if number is None else float(number)

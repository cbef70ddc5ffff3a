"""Make optimizers and schedules from their configs, with errors that name the argument at fault."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

from marshmallow import ValidationError

from deltawire.arrays import plain_json
from deltawire.errors import Fault, Refused, wrong_argument
from deltawire_optimizers import CONFIG_KEYS, Registry, load_optimizers
from deltawire_plugins.schema_errors import schema_errors

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
        hint = CONFIG_KEYS.hint(str(each.path[-1]), each.known) if each.problem == "unknown" else ""
        known = f"; known: {', '.join(each.known)}" if each.known else ""
        pointer = "/".join(["", *map(str, each.path)])
        yield Fault(pointer, f"field_{each.problem}", f"{each.message}{hint or known}")


def positive(argument: str, value: Any) -> float | None:
    """Return a number above 0, which may be one of numpy, or None where there is none.

    Raises:
        Refused: The value is something else.
    """
    number = plain_json(value, f"/{argument}")
    if number is not None and (type(number) not in (int, float) or not number > 0):
        raise wrong_argument(f"/{argument}", "a number above 0", value)
    return None if number is None else float(number)

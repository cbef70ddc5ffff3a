"""Make optimizers and schedules from their configs, with errors that name the argument at fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeVar

from marshmallow import ValidationError

from deltawire.arrays import plain_json
from deltawire.errors import Fault, Refused, wrong_argument
from deltawire_optimizers import Registry, load_optimizers

T = TypeVar("T")


@cache
def installed() -> Registry:
    """Return the optimizers of this machine, which are looked up once.

    Raises:
        RegistryError: An installed plugin is broken.
    """
    return load_optimizers()


def make(kind: Callable[..., T], config: dict[str, Any]) -> T:
    """Return an optimizer or a schedule with this config, in which numbers may be of numpy.

    Raises:
        Refused: The config does not fit, with a fault for every argument.
    """
    try:
        return kind(**plain_json(config, ""))
    except ValidationError as error:
        raise Refused(_faults(error.normalized_messages(), "")) from None  # type: ignore[no-untyped-call]


def _faults(messages: Any, pointer: str) -> Iterator[Fault]:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _faults(inner, pointer if key == "_schema" else f"{pointer}/{key}")
    else:
        for message in messages:
            yield Fault(pointer, "field_invalid", str(message))


def positive(argument: str, value: float | None) -> float | None:
    """Return a number above 0, or None where there is none.

    Raises:
        Refused: The value is something else.
    """
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not value > 0):
        raise wrong_argument(f"/{argument}", "a number above 0", value)
    return value

"""Environment variables as values of a type; a value that does not fit is refused by the variable's name.

The configuration of gunicorn reads some before BLAS chooses its threads: this module does not import numpy.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from environs import Env, EnvError, EnvValidationError
from marshmallow import fields, validate

from deltawire_plugins.schema_errors import describe

T = TypeVar("T", int, float, bool, str)

Check = Callable[[Any], Any]
"""Raises marshmallow.ValidationError for a value that a variable may not have."""

PREFIX = "DELTAWIRE_"

POSITIVE = validate.Range(min=1)

FIELDS = {int: fields.Integer, float: fields.Float, bool: fields.Boolean, str: fields.String}
"""How messages name the values of each type."""


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def read_variable(name: str, default: T, check: Check | None = None) -> T:
    """Read an environment variable as a value of the type that its default has.

    Args:
        name: name of the variable.
        default: the value when the variable is not set.
        check: raises marshmallow.ValidationError for a value that is not allowed.

    Raises:
        environs.EnvError: the value does not fit; the variable is named.
    """
    env = Env()
    readers: dict[type, Callable[..., Any]] = {int: env.int, float: env.float, bool: env.bool, str: env.str}
    try:
        value: T = readers[type(default)](name, default, validate=check)
    except EnvValidationError as error:
        field = FIELDS[type(default)](validate=check)
        reasons = [describe(message, field, os.environ[name]) for message in error.error_messages]
        raise EnvError(f"{name}: {'; '.join(reasons)}") from None
    return value

"""The optimizers installed on this machine: the plugins of the entry-point group `deltawire.optimizers`."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint
from typing import TypeAlias

from marshmallow import Schema

from deltawire_optimizers.optimizer import Optimizer
from deltawire_plugins import Group
from deltawire_plugins import Registry as Plugins

Registry: TypeAlias = Plugins[Optimizer]
"""Optimizer classes by kind; immutable."""


def load_optimizers(points: Iterable[EntryPoint] | None = None) -> Registry:
    """Load all installed optimizers, or those of the given entry points.

    Raises:
        RegistryError: a plugin fails to import, is no usable Optimizer, or takes a kind that is
            taken already.
    """
    return OPTIMIZERS.load(points)


def _problem(optimizer: type[Optimizer]) -> str | None:
    """Return the first problem of a class's declarations; None when the class can be used."""
    if not (isinstance(optimizer.Config, type) and issubclass(optimizer.Config, Schema)):
        return "has a Config that is not a marshmallow Schema"
    if "learning_rate" not in optimizer.Config().fields:
        return "has a Config without learning_rate"
    if type(optimizer.elementwise) is not bool:
        return "has an elementwise that is neither True nor False"
    if type(optimizer.scratch) is not int or optimizer.scratch < 0:
        return "has a scratch that is no number of arrays"
    return None


OPTIMIZERS = Group("deltawire.optimizers", "optimizer", Optimizer, _problem)
"""The entry-point group of optimizers."""

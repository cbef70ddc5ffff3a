"""The layers installed on this machine: the plugins of the entry-point group `deltawire.layers`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint
from inspect import Parameter, signature
from typing import TypeAlias

from marshmallow import Schema

from deltawire_layers.layer import Formula, Layer, arity
from deltawire_plugins import Group
from deltawire_plugins import Registry as Plugins

Registry: TypeAlias = Plugins[Layer]
"""Layer classes by kind; immutable."""


def load_layers(points: Iterable[EntryPoint] | None = None) -> Registry:
    """Load all installed layers, or those of the given entry points.

    Raises:
        RegistryError: a plugin fails to import, is no usable Layer, or takes a kind that is taken already.
    """
    return LAYERS.load(points)


def installed(distribution: str | None = None) -> list[EntryPoint]:
    """Return the entry points of all layers on this machine, or of those of one distribution."""
    return LAYERS.installed(distribution)


def _problem(layer: type[Layer]) -> str | None:
    """Return the first problem of a class's declarations; None when the class can be used."""
    if not arity(layer).names:
        return "takes no input; a batch has no other source"
    if arity(layer).optional and arity(layer).variadic:
        return "has inputs that may be left out, and any number of others, which could be either"
    if not _defaults_are_none(layer):
        return "has an input with a default other than None"
    if not (isinstance(layer.Config, type) and issubclass(layer.Config, Schema)):
        return "has a Config that is not a marshmallow Schema"
    layer.Config()
    if type(layer.elementwise) is not bool:
        return "has an elementwise that is neither True nor False"
    if not _are_bounds(layer.bounds):
        return "has bounds that are not a dict of positions and pairs of numbers, the least first"
    if type(layer.orders) is not int or layer.orders not in (1, 2):
        return "has orders that are neither 1 nor 2"
    if layer.formula is not None and type(layer.formula) is not Formula:
        return "has a formula that is not a deltawire_layers.Formula"
    return None


def _defaults_are_none(layer: type[Layer]) -> bool:
    defaults = [p.default for p in signature(layer.output_shape).parameters.values()]
    return all(default in (Parameter.empty, None) for default in defaults)


def _are_bounds(bounds: object) -> bool:
    return isinstance(bounds, Mapping) and all(
        type(position) is int
        and position >= 0
        and type(pair) is tuple
        and len(pair) == 2
        and all(type(number) in (int, float) for number in pair)
        and pair[0] <= pair[1]
        for position, pair in bounds.items()
    )


LAYERS = Group("deltawire.layers", "layer", Layer, _problem)
"""The entry-point group of layers."""

"""The layers installed on this machine, found through the entry-point group `deltawire.layers`.

The kind of a layer is the name of its entry point. Built-in layers come the same way as any other:
installing a distribution that declares the group, and restarting, is all a plugin takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import NamedTuple

from marshmallow import Schema

from deltawire_layers.layer import Formula, Layer, arity

GROUP = "deltawire.layers"
KIND = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")


class RegistryError(RuntimeError):
    """A plugin distribution cannot be used; the message names it, with the way to mend it."""


class Registered(NamedTuple):
    """A layer class and the distribution it comes from (`name version`)."""

    layer: type[Layer]
    distribution: str


class Registry(Mapping[str, type[Layer]]):
    """Layer classes by kind; immutable."""

    def __init__(self, registered: Mapping[str, Registered]):
        self._registered = dict(sorted(registered.items()))

    def __getitem__(self, kind: str) -> type[Layer]:
        return self._registered[kind].layer

    def __iter__(self) -> Iterator[str]:
        return iter(self._registered)

    def __len__(self) -> int:
        return len(self._registered)

    def distribution(self, kind: str) -> str:
        """Return the distribution that a kind comes from, `name version`."""
        return self._registered[kind].distribution


def installed(distribution: str | None = None) -> list[EntryPoint]:
    """Return the entry points of all layers on this machine, or of those of one distribution."""
    points = entry_points(group=GROUP)
    return [point for point in points if distribution in (None, point.dist and point.dist.name)]


def load_layers(points: Iterable[EntryPoint] | None = None) -> Registry:
    """Load all installed layers, or those of the given entry points.

    Raises:
        RegistryError: a plugin fails to import, is no usable Layer, or takes a kind that is taken already.
    """
    registered: dict[str, Registered] = {}
    for point in installed() if points is None else points:
        distribution = f"{point.dist.name} {point.dist.version}" if point.dist else "an unnamed distribution"
        if point.name in registered:
            raise RegistryError(
                f"two distributions register the layer kind '{point.name}': "
                f"{registered[point.name].distribution} and {distribution}; uninstall one"
            )
        registered[point.name] = Registered(_load(point, distribution), distribution)
    return Registry(registered)


def _load(point: EntryPoint, distribution: str) -> type[Layer]:
    at_fault = f"layer kind '{point.name}' of distribution {distribution} ({point.value})"
    if not KIND.match(point.name):
        raise RegistryError(f"{at_fault}: a kind is lower-case letters, digits and underscores, at most 64")
    try:
        layer = point.load()
    except BaseException as error:  # a plugin may raise anything while it is imported; the start ends here
        raise RegistryError(f"{at_fault} fails to import: {type(error).__name__}: {error}") from error
    if not (isinstance(layer, type) and issubclass(layer, Layer)):
        raise RegistryError(f"{at_fault} is not a subclass of deltawire_layers.Layer")
    try:
        problem = _problem(layer)
    except BaseException as error:
        raise RegistryError(
            f"{at_fault} fails to declare its inputs: {type(error).__name__}: {error}"
        ) from error
    if problem:
        raise RegistryError(f"{at_fault} {problem}")
    return layer


def _problem(layer: type[Layer]) -> str | None:
    """Return the first problem of a class's declarations; None when the class can be used."""
    if not arity(layer).names:
        return "takes no input; a batch has no other source"
    if not (isinstance(layer.Config, type) and issubclass(layer.Config, Schema)):
        return "has a Config that is not a marshmallow Schema"
    layer.Config()
    if type(layer.elementwise) is not bool:
        return "has an elementwise that is neither True nor False"
    if layer.formula is not None and type(layer.formula) is not Formula:
        return "has a formula that is not a deltawire_layers.Formula"
    return None

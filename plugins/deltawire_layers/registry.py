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
    """A plugin distribution cannot be used; the message names it and says how to mend it."""


class Registered(NamedTuple):
    """A layer class and the distribution it comes from (`name version`)."""

    layer: type[Layer]
    distribution: str


class Registry(Mapping[str, type[Layer]]):
    """Layer classes by kind; immutable once made."""

    def __init__(self, registered: Mapping[str, Registered]):
        self._registered = dict(sorted(registered.items()))

    def __getitem__(self, kind: str) -> type[Layer]:
        return self._registered[kind].layer

    def __iter__(self) -> Iterator[str]:
        return iter(self._registered)

    def __len__(self) -> int:
        return len(self._registered)

    def distribution(self, kind: str) -> str:
        """The distribution a kind comes from, `name version`."""
        return self._registered[kind].distribution


def installed(distribution: str | None = None) -> list[EntryPoint]:
    """The entry points of the layers on this machine, or of those that come with one distribution."""
    points = entry_points(group=GROUP)
    return [point for point in points if distribution in (None, point.dist and point.dist.name)]


def load_layers(points: Iterable[EntryPoint] | None = None) -> Registry:
    """All installed layers (or those of the given entry points).

    Raises RegistryError when a plugin fails to import, is not a Layer one can use, or takes a kind that is
    already taken.
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
    except BaseException as error:  # a plugin may do anything while it is imported, and the start is over
        raise RegistryError(f"{at_fault} fails to import: {type(error).__name__}: {error}") from error
    if not (isinstance(layer, type) and issubclass(layer, Layer)):
        raise RegistryError(f"{at_fault} is not a subclass of deltawire_layers.Layer")
    try:
        wrong = _wrong(layer)
    except BaseException as error:
        raise RegistryError(
            f"{at_fault} fails to say what it takes: {type(error).__name__}: {error}"
        ) from error
    if wrong:
        raise RegistryError(f"{at_fault} {wrong}")
    return layer


def _wrong(layer: type[Layer]) -> str | None:
    """What is wrong with what a class declares, before there is a network; None when it can be used."""
    if not arity(layer).names:
        return "takes no input; a batch has no other source"
    if not (isinstance(layer.Config, type) and issubclass(layer.Config, Schema)):
        return "has a Config that is no marshmallow Schema"
    layer.Config()
    if type(layer.elementwise) is not bool:
        return "says neither True nor False to elementwise"
    if layer.formula is not None and type(layer.formula) is not Formula:
        return "has a formula that is no deltawire_layers.Formula"
    return None

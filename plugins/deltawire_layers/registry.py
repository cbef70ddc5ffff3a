"""The layers installed on this machine: the plugins of the entry-point group `deltawire.layers`."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint
from typing import TypeAlias

from deltawire_layers.breaches import class_breach
from deltawire_layers.layer import Layer
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
    breach = class_breach(layer)
    return None if breach is None else f"breaks the contract of a layer: {breach}"


LAYERS = Group("deltawire.layers", "layer", Layer, _problem)
"""The entry-point group of layers."""

"""Plugins installed on this machine, found through an entry-point group.

A plugin is a class, and the name of its entry point is its kind. Built-in plugins come the same way as any
other: installing a distribution that declares the group, and restarting, is all a plugin takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import Generic, NamedTuple, TypeVar

KIND = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")

T = TypeVar("T")


class RegistryError(RuntimeError):
    """A plugin distribution cannot be used; the message names it, with the way to mend it."""


class Registered(NamedTuple, Generic[T]):
    """A plugin's class and the distribution it comes from (`name version`)."""

    plugin: type[T]
    distribution: str


class Registry(Mapping[str, type[T]]):
    """Plugin classes by kind; immutable."""

    def __init__(self, registered: Mapping[str, Registered[T]]):
        self._registered = dict(sorted(registered.items()))

    def __getitem__(self, kind: str) -> type[T]:
        return self._registered[kind].plugin

    def __iter__(self) -> Iterator[str]:
        return iter(self._registered)

    def __len__(self) -> int:
        return len(self._registered)

    def distribution(self, kind: str) -> str:
        """Return the distribution that a kind comes from, `name version`."""
        return self._registered[kind].distribution


def _names() -> Callable[[Distribution | None], str]:
    """Return a function that names distributions, and parses the metadata of each once."""

    @cache
    def name_of(distribution: Distribution | None) -> str:
        if distribution is None:
            return "an unnamed distribution"
        metadata = distribution.metadata
        return f"{metadata['Name']} {metadata['Version']}"

    return name_of


@dataclass(frozen=True)
class Group(Generic[T]):
    """An entry-point group.

    Attributes:
        name: The group, `deltawire.layers`.
        noun: A plugin of this group in messages, `layer`.
        base: The class that its plugins derive from.
        problem: Returns the first problem of a class, as the end of a sentence; None when it can be used.
    """

    name: str
    noun: str
    base: type[T]
    problem: Callable[[type[T]], str | None]

    def installed(self, distribution: str | None = None) -> list[EntryPoint]:
        """Return the entry points of all plugins on this machine, or of those of one distribution."""
        points = entry_points(group=self.name)
        if distribution is None:
            return list(points)
        return [point for point in points if point.dist and point.dist.name == distribution]

    def load(self, points: Iterable[EntryPoint] | None = None) -> Registry[T]:
        """Load all installed plugins, or those of the given entry points.

        Raises:
            RegistryError: a plugin fails to import, cannot be used, or takes a kind that is taken already.
        """
        registered: dict[str, Registered[T]] = {}
        name_of = _names()
        for point in self.installed() if points is None else points:
            distribution = name_of(point.dist)
            if point.name in registered:
                raise RegistryError(
                    f"two distributions register the {self.noun} kind '{point.name}': "
                    f"{registered[point.name].distribution} and {distribution}; uninstall one"
                )
            registered[point.name] = Registered(self._load(point, distribution), distribution)
        return Registry(registered)

    def _load(self, point: EntryPoint, distribution: str) -> type[T]:
        at_fault = f"{self.noun} kind '{point.name}' of distribution {distribution} ({point.value})"
        if not KIND.match(point.name):
            raise RegistryError(
                f"{at_fault}: a kind is lower-case letters, digits and underscores, at most 64"
            )
        try:
            plugin = point.load()
        except (
            BaseException
        ) as error:  # a plugin may raise anything while it is imported; the start ends here
            raise RegistryError(f"{at_fault} fails to import: {type(error).__name__}: {error}") from error
        if not (isinstance(plugin, type) and issubclass(plugin, self.base)):
            base = f"{self.base.__module__.partition('.')[0]}.{self.base.__name__}"
            raise RegistryError(f"{at_fault} is not a subclass of {base}")
        try:
            problem = self.problem(plugin)
        except BaseException as error:
            raise RegistryError(f"{at_fault} cannot be examined: {type(error).__name__}: {error}") from error
        if problem:
            raise RegistryError(f"{at_fault} {problem}")
        return plugin

"""Find what the functions of a layer can write to, and take it back to what it was."""

from __future__ import annotations

import sys
import threading
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from functools import partial
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from deltawire_layers.layer import Layer

CONTAINERS = (dict, list, set, deque, bytearray, OrderedDict, defaultdict, Counter)
"""What a layer may keep numbers in, beside arrays, attributes and names."""

MOST_OBJECTS = 1000
"""Objects to look at; of a layer that reaches more, the rest is not found."""

INSTALLED = ("site-packages", "dist-packages")

Change = Callable[[], None]


class Writable:
    """Finds what a layer's functions can write to: names of modules, cells, attributes, containers."""

    def __init__(self, layer: Layer):
        self._home = type(layer).__module__.partition(".")[0]
        self._restore: list[Change] = []
        self._containers: list[Any] = []
        self.empty: list[Change] = []
        """Functions that each forget one thing that calls of an earlier check may have filled."""
        seen: dict[int, Any] = {}  # an id is one of a kind only as long as its object lives
        queue: list[Any] = [layer]
        while queue and len(seen) < MOST_OBJECTS:
            thing = queue.pop(0)
            if id(thing) not in seen:
                seen[id(thing)] = thing
                queue += self._inside(thing)

    def rewind(self) -> None:
        """Take everything back to what it was when this object was made."""
        for restore in self._restore:
            restore()

    def lengths(self) -> list[int]:
        """Return how many items each container holds."""
        return [len(container) for container in self._containers]

    def _inside(self, thing: Any) -> Iterator[Any]:
        """Remember one object, and yield those that it refers to."""
        if isinstance(thing, FunctionType):
            if self._is_own(thing.__module__ or ""):
                yield from self._function(thing)
        elif isinstance(thing, MethodType):
            yield from (thing.__func__, thing.__self__)
        elif hasattr(thing, "cache_clear") and hasattr(thing, "__wrapped__"):
            self._restore.append(thing.cache_clear)
            yield thing.__wrapped__
        elif type(thing) is np.ndarray:
            self._array(thing)
        elif type(thing) in CONTAINERS:
            yield from self._container(thing)
        elif type(thing) is tuple:
            yield from thing
        elif isinstance(thing, staticmethod | classmethod):
            yield thing.__func__
        elif isinstance(thing, type):
            if self._is_own(thing.__module__):
                yield from self._class(thing)
        elif isinstance(thing, threading.local) or self._is_own(type(thing).__module__):
            yield type(thing)
            if type(getattr(thing, "__dict__", None)) is dict:
                yield from self._container(vars(thing))

    def _is_own(self, module: str) -> bool:
        """Return whether a module is the author's, and no library."""
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names or module.startswith("deltawire_layers"):
            return False
        file = getattr(sys.modules.get(module), "__file__", None) or ""
        return top == self._home or not any(folder in file for folder in INSTALLED)

    def _function(self, function: FunctionType) -> Iterator[Any]:
        yield from (function.__defaults__, function.__kwdefaults__, function.__dict__)
        for cell in function.__closure__ or ():
            yield from self._cell(cell)
        names = function.__globals__
        for name in set(_names(function.__code__)):
            if name in names:
                yield from self._name(names, name)

    def _cell(self, cell: CellType) -> Iterator[Any]:
        try:
            content = cell.cell_contents
        except ValueError:  # it is empty yet
            return
        self._restore.append(partial(setattr, cell, "cell_contents", content))
        yield content

    def _name(self, names: dict[str, Any], name: str) -> Iterator[Any]:
        content = names[name]
        self._restore.append(partial(names.update, {name: content}))
        if not callable(content) and not isinstance(content, type(sys)):
            self.empty.append(partial(names.update, {name: None}))
        yield content

    def _array(self, array: Any) -> None:
        if array.flags.writeable:
            before = array.copy()
            self._restore.append(lambda: np.copyto(array, before) if array.flags.writeable else None)

    def _container(self, thing: Any) -> Iterator[Any]:
        before = thing.copy()
        self._containers.append(thing)

        def restore() -> None:
            thing.clear()
            (thing.update if isinstance(thing, dict | set) else thing.extend)(before)

        self._restore.append(restore)
        if before:
            self.empty.append(thing.clear)
        yield from list(before.values()) if isinstance(before, dict) else list(before)

    def _class(self, owner: type) -> Iterator[Any]:
        before = {name: value for name, value in vars(owner).items() if not name.startswith("__")}

        def restore() -> None:
            for name, value in list(vars(owner).items()):
                if not name.startswith("__") and name not in before:
                    delattr(owner, name)
                elif before.get(name, value) is not value:
                    setattr(owner, name, before[name])

        self._restore.append(restore)
        for name, value in before.items():
            if not (callable(value) or hasattr(value, "__get__") or hasattr(Layer, name)):
                self.empty.append(partial(setattr, owner, name, None))
        yield from owner.__bases__
        yield from before.values()


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names that a function and those inside it read or write."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)

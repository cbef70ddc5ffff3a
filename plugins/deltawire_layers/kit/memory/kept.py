"""Measure the memory of what equations refer to, wherever they keep it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from deltawire_layers.kit.trial import Pass
from deltawire_layers.layer import Array, Layer

SHARED = (type, ModuleType, Layer)
"""What belongs to no pass: rule 1 forbids to keep numbers there."""


def saved_bytes(run: Pass) -> int:
    """Return the bytes of the numbers that equations keep, and of those behind a value that is a view.

    They are found in cells and defaults of closures, in attributes and slots, in partials, bound methods and
    generators, in containers, and behind every view, that of the value too.
    """
    seen = {id(_owner(array)) for array in run.given.arrays()}
    behind = _owner(run.value)
    size = 0 if id(behind) in seen else max(0, _size(behind) - run.value.nbytes)
    seen.add(id(behind))
    queue: list[Any] = [run.signal, *(equation for equation, _ in run.equations.values())]
    alive: list[Any] = []  # an id is one of a kind only as long as its object lives
    while queue:
        thing = queue.pop()
        if isinstance(thing, np.ndarray):
            thing = _owner(thing)
        if id(thing) in seen or isinstance(thing, SHARED):
            continue
        seen.add(id(thing))
        alive.append(thing)
        size += _size(thing)
        queue += _referents(thing)
    return size


def _size(thing: Any) -> int:
    """Return the bytes of the numbers in one object itself."""
    if isinstance(thing, np.ndarray | np.generic):
        return thing.nbytes
    if isinstance(thing, bytes | bytearray):
        return len(thing)
    if isinstance(thing, float | complex):
        return sys.getsizeof(thing)
    try:
        return memoryview(thing).nbytes
    except (TypeError, ValueError, BufferError):
        return 0


def _referents(thing: Any) -> Iterable[Any]:
    """Return the objects that an object refers to; of a function, without the names of its module."""
    if isinstance(thing, FunctionType):
        return gc.get_referents(
            thing.__defaults__, thing.__kwdefaults__, thing.__dict__, *(thing.__closure__ or ())
        )
    if isinstance(thing, np.ndarray):
        return thing.ravel().tolist() if thing.dtype == object else ()
    return gc.get_referents(thing)


def _owner(array: Array) -> Any:
    """Return the object whose memory an array views, whatever lies between: views, strides, buffers."""
    owner: Any = array
    while True:
        behind = owner.obj if isinstance(owner, memoryview) else getattr(owner, "base", None)
        if behind is None:
            return owner
        owner = behind

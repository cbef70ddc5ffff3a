"""Where a worker gets the arrays of a task: they come with it, or lie in a file of the service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod
from typing import NamedTuple

import numpy as np

from deltawire.wire import Array

ALIGNMENT = 64
"""Bytes that the places of arrays are multiples of: as wide as the registers of processors."""


class Place(NamedTuple):
    """An array in some bytes."""

    name: str
    begin: int
    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Its bytes."""
        return prod(self.shape) * np.dtype(self.dtype).itemsize


class InlineArrays(NamedTuple):
    """Arrays that come with the task."""

    arrays: Mapping[str, Array]


class FileArrays(NamedTuple):
    """Arrays in a stretch of a file of the service."""

    path: str
    """Of the file, below the folder of the service."""
    begin: int
    size: int
    link: str
    """A signed link to the stretch, without the address of the service."""
    places: tuple[Place, ...]
    """The arrays in the stretch."""
    digest: str
    """SHA-256 of the stretch, in hex."""
    is_shared: bool = False
    """True for arrays that all segments need: a worker keeps them for the next task."""


ArraySource = InlineArrays | FileArrays


def place_all(arrays: Mapping[str, Array]) -> tuple[Place, ...]:
    """Return where arrays lie when their bytes are put one after the other, each aligned."""
    places, begin = list[Place](), 0
    for name, array in arrays.items():
        places.append(Place(name, begin, array.dtype.str, array.shape))
        begin += array.nbytes + -array.nbytes % ALIGNMENT
    return tuple(places)


def views(buffer: Array, places: Iterable[Place]) -> dict[str, Array]:
    """Return the arrays in some bytes, read-only.

    buffer: the bytes, uint8.
    """
    arrays = dict[str, Array]()
    for place in places:
        view = buffer[place.begin : place.begin + place.size].view(place.dtype).reshape(place.shape)
        view.flags.writeable = False
        arrays[place.name] = view
    return arrays

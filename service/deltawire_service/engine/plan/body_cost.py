"""The memory that a request's body and its answer take beside their arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import prod
from operator import mul
from typing import NamedTuple

from deltawire_layers import Shape


class BodyCost(NamedTuple):
    """Bytes that reading a request's body and writing its answer take beside the arrays themselves."""

    read_number: int = 0
    """For each number read."""
    read_list: int = 0
    """For each list that numbers, or other lists, are read from."""
    written_number: int = 0
    """For each number written."""
    written_list: int = 0
    """For each list that numbers, or other lists, are written in."""
    with_parameters: bool = True
    """Whether the body brings the parameters; otherwise the service keeps them, for all requests."""
    with_data: bool = True
    """Whether the body brings the data, likewise."""

    def read_bytes(self, shapes: Sequence[Shape]) -> int:
        """Return the bytes that reading arrays of these shapes takes."""
        lists = self.read_list and self.read_list * count_lists(shapes)
        return self.read_number * count_numbers(shapes) + lists

    def without_answer(self) -> BodyCost:
        """Return the cost of the same request when its answer has no arrays."""
        return self._replace(written_number=0, written_list=0)

    def written_bytes(self, shapes: Sequence[Shape]) -> int:
        """Return the bytes that arrays of these shapes take in an answer."""
        lists = self.written_list and self.written_list * count_lists(shapes)
        return self.written_number * count_numbers(shapes) + lists


NO_BODY_COST = BodyCost()
"""The cost where arrays are passed as they are."""


def count_numbers(shapes: Iterable[Shape]) -> int:
    """Return how many numbers arrays of these shapes have."""
    return sum(map(prod, shapes))


def count_lists(shapes: Iterable[Shape]) -> int:
    """Return how many lists JSON has for arrays of these shapes."""
    return sum(sum(accumulate((1, *shape[:-1]), mul)) for shape in shapes)

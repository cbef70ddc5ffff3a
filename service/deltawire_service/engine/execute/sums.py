"""Sums over the chunks of a batch, added up in a fixed order: within segments, then over segments."""

from __future__ import annotations

from collections.abc import Mapping

from deltawire_layers import Array
from deltawire_service.engine.plan.cuts import MOST_SEGMENTS, segment_bounds


class Sums:
    """Arrays by name, each the sum of the parts that were added, in the order they came.

    The first part may belong to a layer, so it is never written to.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}
        self._own: set[str] = set()

    def add(self, name: str, part: Array) -> None:
        """Add a part to the sum of a name."""
        arrays = self.arrays
        if name not in arrays:
            arrays[name] = part
        elif name in self._own:
            arrays[name] += part
        else:
            arrays[name] = arrays[name] + part
            self._own.add(name)

    def add_all(self, parts: Mapping[str, Array]) -> None:
        """Add a part to each of several sums."""
        for name, part in parts.items():
            self.add(name, part)


class SegmentedSums:
    """Sums of the parts of each chunk, added up within segments, and then over segments.

    Args:
        chunks: number of chunks of the batch.

    Attributes:
        total: the sums over all segments that have ended.
        chunks: number of chunks that have ended.
    """

    def __init__(self, chunks: int):
        self.total = Sums()
        self.chunks = 0
        self._ends = {stop for _, stop in segment_bounds(chunks)} if chunks > MOST_SEGMENTS else set()
        # Where every chunk is a segment, its parts go straight to the total.
        self._segment = Sums() if self._ends else self.total

    def add(self, name: str, part: Array) -> None:
        """Add the part that the current chunk has of a sum."""
        self._segment.add(name, part)

    def take(self, parts: dict[str, Array]) -> None:
        """Take the sums of the only chunk as they are."""
        self.total.arrays = parts
        self.chunks += 1

    def end_chunk(self) -> None:
        """Go on to the next chunk, and to the next segment when its last chunk has ended."""
        self.chunks += 1
        if self.chunks in self._ends:
            self.total.add_all(self._segment.arrays)
            self._segment = Sums()

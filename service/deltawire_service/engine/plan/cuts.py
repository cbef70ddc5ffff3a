"""Where a batch is cut: into chunks, which are computed, and segments, within which chunks are added up.

Cuts depend on the network, the batch and the dtype only, never on threads or load. Where a sum is cut decides
how it rounds, so the numbers here are part of every result: they are constants and no settings.
"""

from __future__ import annotations

MOST_SEGMENTS = 64
"""Segments of a batch. Sums over the batch add the chunks of a segment, left to right, then the segments.

So machines can share a batch, some segments each, and the same numbers are added in the same order.
"""


def chunk_bounds(batch: int, chunks: int) -> list[tuple[int, int]]:
    """Return (start, stop) of each chunk of a batch, all as long as each other, or by one row longer."""
    return [(batch * chunk // chunks, batch * (chunk + 1) // chunks) for chunk in range(chunks)]


def segment_bounds(chunks: int) -> list[tuple[int, int]]:
    """Return (first, stop) of the chunks of each segment: cut as evenly as a batch into chunks."""
    return chunk_bounds(chunks, min(chunks, MOST_SEGMENTS))


def segment_rows(batch: int, chunks: int) -> list[slice]:
    """Return the rows of each segment of a batch that is cut into so many chunks."""
    rows = chunk_bounds(batch, chunks)
    return [slice(rows[first][0], rows[stop - 1][1]) for first, stop in segment_bounds(chunks)]

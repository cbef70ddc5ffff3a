"""Cuts: they cover the batch evenly, and depend on nothing but its size and the number of chunks."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from deltawire_service.engine.plan.cuts import MOST_SEGMENTS, chunk_bounds, segment_bounds, segment_rows

COUNTS = st.integers(1, 10_000)


@given(COUNTS, COUNTS)
def test_chunks_cover_the_batch_evenly(batch: int, chunks: int) -> None:
    bounds = chunk_bounds(batch, chunks)
    assert bounds[0][0] == 0 and bounds[-1][1] == batch and len(bounds) == chunks
    assert all(stop == start for (_, stop), (start, _) in pairwise(bounds))
    sizes = [stop - start for start, stop in bounds]
    assert max(sizes) - min(sizes) <= 1


@given(COUNTS)
def test_segments_are_few_contiguous_and_even(chunks: int) -> None:
    bounds = segment_bounds(chunks)
    assert len(bounds) == min(chunks, MOST_SEGMENTS)
    assert [chunk for first, stop in bounds for chunk in range(first, stop)] == list(range(chunks))
    sizes = {stop - first for first, stop in bounds}
    assert max(sizes) - min(sizes) <= 1


@given(COUNTS, st.integers(1, 300))
def test_the_rows_of_segments_are_those_of_their_chunks(batch: int, chunks: int) -> None:
    rows, chunks = segment_rows(batch, min(batch, chunks)), min(batch, chunks)
    bounds = chunk_bounds(batch, chunks)
    assert [(each.start, each.stop) for each in rows] == [
        (bounds[first][0], bounds[stop - 1][1]) for first, stop in segment_bounds(chunks)
    ]

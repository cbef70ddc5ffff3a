"""Sums over chunks: the order of additions is fixed, and parts are not written to."""

from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deltawire_service.engine.execute.sums import SegmentedSums, Sums
from deltawire_service.engine.plan.cuts import MOST_SEGMENTS, segment_bounds


def parts_of(chunks: int, seed: int) -> list[np.ndarray]:
    """Parts whose sum depends on the order: their sizes differ by 16 orders of magnitude."""
    rng = np.random.default_rng(seed)
    return list(rng.standard_normal((chunks, 2)) * 10.0 ** rng.integers(-8, 8, (chunks, 1)))


@given(st.integers(1, 5 * MOST_SEGMENTS), st.integers(0, 2**32))
def test_chunks_add_up_within_segments_and_then_segments(chunks: int, seed: int) -> None:
    parts = parts_of(chunks, seed)
    sums = SegmentedSums(chunks)
    for part in parts:
        sums.add("a", part)
        sums.end_chunk()
    segments = [reduce(add, parts[first:stop]) for first, stop in segment_bounds(chunks)]
    assert sums.total.arrays["a"].tobytes() == reduce(add, segments).tobytes()
    assert sums.chunks == chunks


def test_segments_make_a_difference() -> None:
    """Otherwise the test above could not fail."""
    parts = parts_of(5 * MOST_SEGMENTS, 0)
    segments = [reduce(add, parts[first:stop]) for first, stop in segment_bounds(len(parts))]
    assert reduce(add, segments).tobytes() != reduce(add, parts).tobytes()


def test_a_sum_may_lack_a_part_of_some_chunks() -> None:
    chunks = 3 * MOST_SEGMENTS
    sums = SegmentedSums(chunks)
    for chunk in range(chunks):
        if chunk % 7 == 0:
            sums.add("a", np.ones(1))
        sums.add("b", np.ones(1))
        sums.end_chunk()
    assert {name: total[0] for name, total in sums.total.arrays.items()} == {
        "a": -(-chunks // 7),
        "b": chunks,
    }


def test_parts_are_not_written_to() -> None:
    part = np.ones(2)
    part.setflags(write=False)
    sums = Sums()
    for _ in range(3):
        sums.add_all({"a": part})
    assert sums.arrays["a"].tolist() == [3, 3] and part.tolist() == [1, 1]

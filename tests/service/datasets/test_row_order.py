"""The order of rows: a permutation, the same everywhere, without a pattern."""

from __future__ import annotations

import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltawire_service.datasets.row_order import (
    GOLDEN,
    MIX_1,
    MIX_2,
    ROUNDS,
    WORD,
    EpochRows,
    held_out_rows,
    row_order,
)

SEEDS = st.integers(0, 2**64 - 1)


@settings(deadline=None)
@given(rows=st.integers(0, 3000), seed=SEEDS, epoch=SEEDS)
def test_each_row_comes_once(rows: int, seed: int, epoch: int) -> None:
    assert np.array_equal(np.sort(row_order(rows, seed, epoch, 0, rows)), np.arange(rows))


def test_each_row_comes_once_for_every_small_number_of_rows() -> None:
    for rows in range(600):
        assert set(row_order(rows, 1, 2, 0, rows).tolist()) == set(range(rows))


@settings(deadline=None)
@given(rows=st.integers(1, 2**62), seed=SEEDS, data=st.data())
def test_any_part_is_computed_alone(rows: int, seed: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, rows))
    stop = min(rows, start + data.draw(st.integers(0, 50)))
    part = row_order(rows, seed, 3, start, stop)
    assert part.dtype == np.int64 and part.shape == (stop - start,)
    assert part.tolist() == [slowly(rows, seed, 3, place) for place in range(start, stop)]
    assert len(set(part.tolist())) == stop - start


def slowly(rows: int, seed: int, epoch: int, place: int) -> int:
    """The row at a place, with Python's integers."""

    def mix(number: int) -> int:
        number = ((number ^ (number >> 30)) * MIX_1) & WORD
        number = ((number ^ (number >> 27)) * MIX_2) & WORD
        return number ^ (number >> 31)

    bits = max(8, (rows - 1).bit_length())
    low_bits = bits // 2
    state = mix(mix(seed) ^ epoch)
    while True:
        low, high = place % 2**low_bits, place >> low_bits
        for turn in range(1, ROUNDS + 1, 2):
            low ^= mix((high + mix((state + turn * GOLDEN) & WORD)) & WORD) % 2**low_bits
            high ^= mix((low + mix((state + (turn + 1) * GOLDEN) & WORD)) & WORD) % 2 ** (bits - low_bits)
        place = (high << low_bits) | low
        if place < rows:
            return place


GOLDEN_VALUES = {
    (10, 0, 0): [7, 1, 3, 8, 2, 6, 5, 0, 4, 9],
    (1797, 42, 7): [1594, 524, 1435, 327, 757, 1170, 781, 1746, 1202, 405, 1411, 316],
    (10**9, 2**64 - 1, 1): [
        579380881,
        151350675,
        717727770,
        307320625,
        538917970,
        166209408,
        813304892,
        111439992,
    ],
}


@pytest.mark.parametrize(("rows", "seed", "epoch"), GOLDEN_VALUES)
def test_golden_values_never_change(rows: int, seed: int, epoch: int) -> None:
    """Replays of old ledgers depend on them."""
    expected = GOLDEN_VALUES[rows, seed, epoch]
    assert row_order(rows, seed, epoch, 0, len(expected)).tolist() == expected


def test_seeds_and_epochs_give_other_orders() -> None:
    orders = {tuple(row_order(50, seed, epoch, 0, 50)) for seed in range(50) for epoch in range(50)}
    assert len(orders) == 2500


@pytest.mark.parametrize("rows", [2, 3, 5, 17])
def test_every_place_gets_every_row_equally_often(rows: int) -> None:
    trials, each = 50 * rows, 50
    counts = Counter[tuple[int, int]]()
    for seed in range(trials):
        counts.update(enumerate(row_order(rows, seed, 1, 0, rows).tolist()))
    observed = np.array([counts[place, row] for place in range(rows) for row in range(rows)])
    squares = ((observed - each) ** 2 / each).sum()
    freedom = (rows - 1) ** 2
    assert abs(squares - freedom) < 5 * np.sqrt(2 * freedom) + 5  # chi-squared, five deviations


def test_neighbours_do_not_stay_neighbours() -> None:
    order = row_order(100_000, 0, 1, 0, 100_000)
    assert (np.abs(np.diff(order)) == 1).sum() < 20  # two are expected
    assert abs(np.corrcoef(order[:-1], order[1:])[0, 1]) < 0.02
    assert abs(np.corrcoef(order, np.arange(100_000))[0, 1]) < 0.02


def test_an_order_takes_no_memory_but_for_its_part() -> None:
    tracemalloc.start()
    row_order(2**50, 0, 1, 2**49, 2**49 + 100)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


@settings(deadline=None)
@given(rows=st.integers(1, 500), seed=SEEDS, epoch=st.integers(1, 9), data=st.data())
def test_an_epoch_takes_each_row_once_but_for_those_held_out(
    rows: int, seed: int, epoch: int, data: st.DataObject
) -> None:
    held_out = data.draw(st.integers(0, rows - 1))
    taken = EpochRows(seed, epoch, 0, rows - held_out, rows, held_out).indices()
    others = held_out_rows(rows, seed, held_out, 0, held_out)
    assert sorted([*taken.tolist(), *others.tolist()]) == list(range(rows))
    part = EpochRows(seed, epoch, 3, 5, rows, held_out)
    if rows - held_out >= 5:
        assert part.indices().tolist() == taken.tolist()[3:5]


def test_every_epoch_holds_out_the_same_rows_in_another_order() -> None:
    first, second = (EpochRows(7, epoch, 0, 80, 100, 20).indices().tolist() for epoch in (1, 2))
    assert first != second and set(first) == set(second)


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (3, 2), (0, 11)])
def test_places_outside_of_the_rows_are_an_error(start: int, stop: int) -> None:
    with pytest.raises(ValueError, match="there are no places"):
        row_order(10, 0, 0, start, stop)

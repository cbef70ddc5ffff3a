"""Which rows each step takes, and when a run is validated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.runs import recipe

from deltawire.errors import Refused
from deltawire_service.datasets.row_order import EpochRows
from deltawire_service.training import batch_sampler
from deltawire_service.training.batch_sampler import BatchSampler


def rows_of(sampler: BatchSampler, number: int) -> list[int]:
    rows = sampler.batch(number).rows
    return list(range(rows.start, rows.stop)) if isinstance(rows, slice) else rows.tolist()


@settings(deadline=None, max_examples=60)
@given(
    rows=st.integers(2, 200),
    size=st.integers(1, 250),
    shuffle=st.booleans(),
    fraction=st.none() | st.floats(0.05, 0.9),
)
def test_each_epoch_takes_each_row_once(rows: int, size: int, shuffle: bool, fraction: float | None) -> None:
    options: dict[str, Any] = {} if fraction is None else {"validation": {"fraction": fraction}}
    given_recipe = recipe(batch_size=size, shuffle=shuffle, epochs=2, **options)
    held_out = 0 if fraction is None else round(fraction * rows)
    if fraction is not None and not 0 < held_out < rows:
        with pytest.raises(Refused):
            BatchSampler(given_recipe, rows)
        return
    sampler = BatchSampler(given_recipe, rows)
    batches = [rows_of(sampler, number) for number in range(sampler.total_steps)]
    half = len(batches) // 2
    kept = sampler.held_out(0, held_out)
    others = list(range(kept.start, kept.stop)) if isinstance(kept, slice) else kept.tolist()
    for epoch in (batches[:half], batches[half:]):
        taken = [row for batch in epoch for row in batch]
        assert sorted(taken + others) == list(range(rows))
        assert all(len(batch) == size for batch in epoch[:-1])
    assert sampler.examples(half) == rows - held_out
    assert sampler.examples(half + 1) >= rows - held_out


def test_batches_do_not_depend_on_what_was_asked_for_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_sampler, "CHUNK", 10)
    sampler = BatchSampler(recipe(batch_size=7, epochs=3), 50)
    order = [3, 2, 20, 0, 21, 7, 8, 3]
    for number in order:
        record = sampler.batch(number).record
        assert rows_of(sampler, number) == EpochRows(**record).indices().tolist()
        assert rows_of(sampler, number) == rows_of(BatchSampler(recipe(batch_size=7, epochs=3), 50), number)


@pytest.mark.parametrize(
    ("every", "expected"), [(None, [5, 10, 15]), (4, [4, 8, 12, 15]), (15, [15]), (99, [15])]
)
def test_a_run_is_validated_at_each_multiple_and_at_its_end(every: int | None, expected: list[int]) -> None:
    validation = {"fraction": 0.2, "every": every}
    sampler = BatchSampler(recipe(batch_size=8, epochs=3, validation=validation), 50)
    assert sampler.total_steps == 15
    assert [steps for steps in range(16) if sampler.is_validated_after(steps)] == expected
    steps, found = 0, list[int]()
    while steps < 15:
        steps += sampler.steps_until_validation(steps)
        found.append(steps)
    assert found == expected


def test_steps_may_end_within_an_epoch() -> None:
    sampler = BatchSampler(recipe(batch_size=8, steps=9), 50)
    assert (sampler.total_steps, sampler.steps_until_validation(0)) == (9, 9)
    assert not any(sampler.is_validated_after(steps) for steps in range(10))
    assert np.array_equal(sampler.batch(7).rows, EpochRows(0, 2, 0, 8, 50).indices())

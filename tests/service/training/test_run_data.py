"""The arrays of a run: gathered from its datasets, by the columns that its recipe names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.models import OWNER
from support.runs import ROWS, add_dataset, examples, recipe

from deltawire.errors import Refused
from deltawire_service.engine import Limits
from deltawire_service.models.model_store import ModelStore
from deltawire_service.store.tables.datasets import DatasetRow
from deltawire_service.training.run_data import RunData


def data_of(store: ModelStore, other: DatasetRow | None = None, **options: Any) -> RunData:
    row = store.find(OWNER, "model")
    made = recipe(**options)
    dataset = store.datasets.find(OWNER, made.dataset)
    return RunData(store, store.network_of(row), row.dtype, made, dataset, other)


def test_a_step_has_the_rows_that_its_record_names(store: ModelStore) -> None:
    rows, arrays, record = data_of(store, shuffle=False).step(2)
    assert rows.rows == slice(16, 24)
    assert record == {"rows": {"start": 16, "stop": 24}, "columns": {"x": "x", "y": "y"}}
    assert np.array_equal(arrays["x"], examples()["x"][16:24])
    assert arrays["y"].dtype == np.int64


def test_columns_may_be_joined_and_have_other_names(store: ModelStore) -> None:
    x = examples()["x"]
    columns = {f"c{place}": x[:, place] for place in range(4)} | {"label": examples()["y"]}
    add_dataset(store, columns, "wide")
    sources = {"x": ["c0", "c1", "c2", "c3"], "y": "label"}
    joined = data_of(store, dataset="wide", columns=sources)
    plain = data_of(store)
    for number in range(7):
        for name, array in plain.step(number).arrays.items():
            assert np.array_equal(array, joined.step(number).arrays[name])


def test_a_validation_takes_all_rows_of_its_dataset_or_those_held_out(store: ModelStore) -> None:
    other = examples(20, seed=5)
    row = add_dataset(store, other, "other")
    batches = list(data_of(store, row, validation={"dataset": "other"}).validation_batches())
    assert [len(batch.arrays["x"]) for batch in batches] == [8, 8, 4]
    assert np.array_equal(np.concatenate([batch.arrays["x"] for batch in batches]), other["x"])
    for shuffle in (True, False):
        data = data_of(store, shuffle=shuffle, validation={"fraction": 0.2})
        held_out = np.concatenate([batch.arrays["x"] for batch in data.validation_batches()])
        taken = np.concatenate([data.step(number).arrays["x"] for number in range(5)])
        assert len(held_out) == 10
        both = np.concatenate([held_out, taken])
        assert len(np.unique(both, axis=0)) == ROWS


def test_a_batch_of_a_validation_has_no_more_rows_than_a_step_and_bytes_than_a_plan(
    store: ModelStore,
) -> None:
    many = add_dataset(store, examples(8 * ROWS, seed=5), "many")
    data = data_of(store, many, batch_size=10**12, validation={"dataset": "many"})
    assert [len(batch.arrays["x"]) for batch in data.validation_batches()] == 8 * [ROWS]
    wide = add_dataset(store, {"x": np.ones((5, 100)), "y": np.ones(5, int)}, "wide")  # 848 bytes a row
    row, made = store.find(OWNER, "model"), recipe(validation={"dataset": "wide"})
    network = replace(store.network_of(row), limits=Limits(planned_bytes=2000))
    data = RunData(store, network, row.dtype, made, store.datasets.find(OWNER, "table"), wide)
    assert [len(batch.arrays["x"]) for batch in data.validation_batches()] == [2, 2, 1]


def test_a_column_that_is_not_there_is_refused(store: ModelStore) -> None:
    with pytest.raises(Refused) as refused:
        data_of(store, columns={"x": "z"})
    assert refused.value.faults[0].pointer == "/columns/x"
    row = add_dataset(store, {"x": examples()["x"]}, "unlabelled")
    with pytest.raises(Refused) as refused:
        data_of(store, row, columns={"y": "y"}, validation={"dataset": "unlabelled"})
    assert refused.value.faults[0].pointer == "/validation/dataset"

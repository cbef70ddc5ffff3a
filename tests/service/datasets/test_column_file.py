"""Files of columns: read by the safetensors library, equal for equal columns, with numpy's statistics."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from support.datasets import make_table

from deltawire_service.datasets.column_file import digest, file_bytes, map_columns, write_columns
from deltawire_service.store.errors import StoreUnavailable

NUMBERS = np.random.default_rng(0)
ARRAYS = {
    "image": NUMBERS.normal(size=(10, 2, 3)).astype("float32"),
    "label": NUMBERS.integers(-5, 5, 10),
    "price (€)": NUMBERS.normal(size=10),
}


def test_the_safetensors_library_reads_the_columns(tmp_path: Path) -> None:
    path = tmp_path / "columns"
    table = make_table(ARRAYS)
    written = write_columns(path, table)
    arrays = load_file(path)
    assert arrays.keys() == ARRAYS.keys()
    assert all(np.array_equal(arrays[name], ARRAYS[name]) for name in ARRAYS)
    assert written.bytes == path.stat().st_size == file_bytes(table.columns, table.rows)
    assert written.dataset_id == hashlib.sha256(path.read_bytes()).hexdigest() == digest(path)


def test_mapped_columns_are_aligned_and_read_only(tmp_path: Path) -> None:
    write_columns(tmp_path / "columns", make_table(ARRAYS))
    for name, array in map_columns(tmp_path / "columns").items():
        assert array.flags.aligned and not array.flags.writeable
        assert array.dtype == ARRAYS[name].dtype and np.array_equal(array, ARRAYS[name])


def test_equal_columns_have_equal_ids_however_they_come(tmp_path: Path) -> None:
    ids = {
        write_columns(tmp_path / f"{at_once}", make_table(ARRAYS, at_once)).dataset_id
        for at_once in (1, 4, 10)
    }
    assert len(ids) == 1
    turned = write_columns(tmp_path / "turned", make_table(dict(reversed(ARRAYS.items()))))
    assert turned.dataset_id not in ids  # the order of the columns belongs to a dataset


def test_categories_belong_to_the_id(tmp_path: Path) -> None:
    table = make_table({"kind": np.array([0, 1, 1])})
    ids = set()
    for words in (None, ("a", "b"), ("a", "c")):
        columns = (replace(table.columns[0], categories=words),)
        ids.add(write_columns(tmp_path / f"{words}", table._replace(columns=columns)).dataset_id)
    assert len(ids) == 3


def test_statistics_are_those_of_numpy(tmp_path: Path) -> None:
    arrays = {**ARRAYS, "gaps": np.where(np.arange(10) % 3, ARRAYS["price (€)"], np.nan)}
    written = write_columns(tmp_path / "columns", make_table(arrays))
    for array, found in zip(arrays.values(), written.statistics, strict=True):
        finite = array[np.isfinite(array)].astype("float64")
        assert found["min"] == finite.min() and found["max"] == finite.max()
        assert found["mean"] == pytest.approx(finite.mean()) and found["std"] == pytest.approx(finite.std())
        assert found["non_finite"] == array.size - finite.size
    assert written.statistics[1]["distinct"] == len(np.unique(ARRAYS["label"]))
    assert "distinct" not in written.statistics[0]


def test_a_file_that_is_gone_is_the_disks_fault(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        map_columns(tmp_path / "columns")

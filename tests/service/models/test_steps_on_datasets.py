"""Steps on rows of datasets: the same bits as with the rows in the request, now and in every replay."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.datasets import step_on_rows, table_reader
from support.models import OWNER, create, id_of, numbers_of, open_store, same, step

from deltawire.wire import Array
from deltawire_service.datasets import changes
from deltawire_service.datasets.errors import DatasetInUse, DatasetNotFound
from deltawire_service.models import alterations
from deltawire_service.models.changes import commit
from deltawire_service.models.maintenance.export import export_store, import_store
from deltawire_service.models.maintenance.store_check import check_store
from deltawire_service.models.maintenance.sweeps import sweep
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.versions import read_ledger, reproduce
from deltawire_service.store.folders import StoreFolder
from deltawire_service.store.limits import StoreLimits

NUMBERS = np.random.default_rng(0)
ARRAYS: dict[str, Array] = {
    "x": NUMBERS.normal(size=(40, 4)).astype("float32"),  # computed in float64
    "y": NUMBERS.integers(0, 3, 40).astype("float64"),  # computed as integers
    **{f"f{i}": NUMBERS.normal(size=40) for i in range(4)},
}
ROWS: list[dict[str, Any]] = [
    {},
    {"rows": {"start": 3, "stop": 20}},
    {"rows": {"indices": [5, 5, 39, 0]}},
    {"columns": {"x": ["f3", "f0", "f1", "f2"]}, "rows": {"indices": [7, 1]}},
]


def inline(document: dict[str, Any]) -> dict[str, Array]:
    """The batch that the rows stand for, made by numpy."""
    rows = document.get("rows", {})
    chosen = rows["indices"] if rows.get("indices") else slice(rows.get("start"), rows.get("stop"))
    joined = document.get("columns", {}).get("x")
    x = np.stack([ARRAYS[name] for name in joined], axis=1) if joined else ARRAYS["x"].astype("float64")
    return {"data/x": x[chosen].copy(), "data/y": ARRAYS["y"].astype("int64")[chosen].copy()}


def make(path: Path, **limits: Any) -> ModelStore:
    store = open_store(path, limits=StoreLimits(**limits))
    create(store)
    changes.put(store.datasets, OWNER, "table", table_reader(ARRAYS), inf)
    return store


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return make(tmp_path / "store")


def test_rows_give_the_bits_of_the_same_batch_and_replays_give_them_again(store: ModelStore) -> None:
    create(store, "other")
    for document in ROWS:
        mine, others = step_on_rows(store, document), step(store, 0, "other", arrays=inline(document))
        assert {**mine, "replayed": 0} == {**others, "replayed": 0}
    assert same(numbers_of(store), numbers_of(store, "other"))
    for version in range(5):
        with reproduce(store, store.find(OWNER, "model"), version) as again:
            assert same(again.numbers, numbers_of(store, "other", version))
    assert check_store(store, replay=True) == []


def test_a_replay_opens_a_dataset_once(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for document in ROWS:
        step_on_rows(store, document)
    opened, whole = list[str](), store.datasets.open
    monkeypatch.setattr(store.datasets, "open", lambda row: opened.append(row.id) or whole(row))
    assert check_store(store, replay=True) == []
    assert opened == [store.datasets.find(OWNER, "table").id]


def test_the_ledger_says_which_rows(store: ModelStore) -> None:
    for document in ROWS:
        step_on_rows(store, document)
    entries = read_ledger(store, OWNER, "model", 0, 9)
    assert [entry["rows"] for entry in entries] == [
        *({"start": 0, "stop": 40}, {"start": 3, "stop": 20}, {"indices": 4}, {"indices": 2})
    ]
    assert {entry["dataset"] for entry in entries} == {"table"}
    assert entries[3]["columns"]["x"] == ["f3", "f0", "f1", "f2"]


def test_a_dataset_stays_while_a_ledger_needs_it(store: ModelStore) -> None:
    step_on_rows(store, ROWS[1])
    alterations.change_optimizer(store, OWNER, "model", {"config": {"learning_rate": 0.5}}, inf)
    with pytest.raises(DatasetInUse, match="ledger of model 'model'"):
        changes.delete(store.datasets, OWNER, "table", inf)
    alterations.restore(store, OWNER, "model", 0, inf)
    with pytest.raises(DatasetInUse):  # the earlier versions can still be computed
        changes.delete(store.datasets, OWNER, "table", inf)
    alterations.delete(store, OWNER, "model", inf)
    changes.delete(store.datasets, OWNER, "table", inf)


def test_a_dataset_is_free_when_its_entries_have_no_data_any_more(tmp_path: Path) -> None:
    store = make(tmp_path / "store", history_bytes=1)
    step_on_rows(store, ROWS[1])
    version = alterations.restore(store, OWNER, "model", 1, inf)["version"]  # a snapshot: the floor moves
    sweep(store)
    changes.delete(store.datasets, OWNER, "table", inf)
    with reproduce(store, store.find(OWNER, "model"), version):
        assert check_store(store, replay=True) == []


def test_a_step_fails_whose_dataset_is_deleted_meanwhile(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete_first(*given: Any) -> Any:
        changes.delete(store.datasets, OWNER, "table", inf)
        return commit(*given)

    monkeypatch.setattr("deltawire_service.models.steps.commit", delete_first)
    before = numbers_of(store)
    with pytest.raises(DatasetNotFound):
        step_on_rows(store, ROWS[1])
    assert store.find(OWNER, "model").version == 0 and same(numbers_of(store), before)


@pytest.mark.parametrize("count", [3, 200_000])
def test_a_step_that_is_not_durable_keeps_its_rows_where_they_are_few(store: ModelStore, count: int) -> None:
    answer = step_on_rows(store, {"rows": {"indices": [*range(40)] * (count // 40) or [1]}}, durable=False)
    row = store.find(OWNER, "model")
    assert row.unlogged == (answer["version"] if count > 1000 else 0)


def test_an_export_leaves_out_a_dataset_without_a_file_and_who_needs_it(
    store: ModelStore, tmp_path: Path
) -> None:
    create(store, "other")
    step_on_rows(store, ROWS[1])
    changes.put(store.datasets, OWNER, "unused", table_reader({"x": ARRAYS["f0"]}), inf)
    changes.put(store.datasets, OWNER, "whole", table_reader({"x": ARRAYS["f1"]}), inf)
    for name in ("table", "unused"):
        store.folder.dataset(store.datasets.find(OWNER, name).id).unlink()
    exported = export_store(store, tmp_path / "export")
    assert exported.count == 1 and exported.left_out == [
        "model 'model' of 'anna': it needs dataset 'table', whose file is gone",
        "dataset 'table' of 'anna': its file is gone",
        "dataset 'unused' of 'anna': its file is gone",
    ]
    assert import_store(tmp_path / "export", StoreFolder(tmp_path / "copy")) == 1
    copy = open_store(tmp_path / "copy")
    assert [each.name for each in copy.datasets.page(OWNER, "", 9)] == ["whole"]
    assert copy.find(OWNER, "other") and check_store(copy, replay=True) == []
    copy.database.close()


def test_an_export_has_the_datasets(store: ModelStore, tmp_path: Path) -> None:
    for document in ROWS:
        step_on_rows(store, document)
    export_store(store, tmp_path / "export")
    import_store(tmp_path / "export", StoreFolder(tmp_path / "copy"))
    copy = open_store(tmp_path / "copy")
    assert copy.datasets.find(OWNER, "table") == store.datasets.find(OWNER, "table")
    assert check_store(copy, replay=True) == [] and id_of(copy) == id_of(store)
    assert id_of(copy, version=2) == id_of(store, version=2)
    step_on_rows(copy, ROWS[2])

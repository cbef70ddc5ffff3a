"""Datasets that are made and deleted: whole or not at all, and once for each key."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from pathlib import Path

import numpy as np
import pytest
from support.datasets import table_reader
from support.models import OWNER, open_store

from deltawire.errors import Fault, Refused
from deltawire_service.datasets import changes
from deltawire_service.datasets.changes import delete, put
from deltawire_service.datasets.dataset_store import DatasetStore
from deltawire_service.datasets.errors import DatasetExists, DatasetInUse, DatasetNotFound
from deltawire_service.datasets.table import CheckTable, Table, check_table
from deltawire_service.models.maintenance.store_check import check_store
from deltawire_service.models.maintenance.sweeps import sweep
from deltawire_service.models.model_store import ModelStore
from deltawire_service.store.errors import AnswerExpired, KeyReused, OutcomeUnknown, QuotaExceeded, StoreFull
from deltawire_service.store.limits import StoreLimits
from deltawire_service.store.tables import idempotency_keys
from deltawire_service.store.tables.idempotency_keys import RequestKey


@pytest.fixture
def models(tmp_path: Path) -> ModelStore:
    return open_store(tmp_path / "store")


@pytest.fixture
def store(models: ModelStore) -> DatasetStore:
    return models.datasets


def table(first: float = 0.0, rows: int = 5) -> Callable[[CheckTable], Table]:
    return table_reader({"x": np.arange(rows) + first, "y": np.arange(rows)})


def key(name: str, digest: bytes = b"") -> RequestKey:
    return RequestKey(OWNER, name, digest)


def folders(store: DatasetStore) -> list[str]:
    return sorted(path.name for path in store.folder.datasets.iterdir())


def test_a_dataset_is_found_and_read(store: DatasetStore) -> None:
    answer = put(store, OWNER, "d", table(), inf)
    row = store.find(OWNER, "d")
    assert answer["dataset_id"] == row.dataset_id and answer["rows"] == 5 and not answer["unchanged"]
    assert store.open(row).gather("x", slice(1, 3), "float64").tolist() == [1.0, 2.0]
    assert folders(store) == [row.id]


def test_the_same_numbers_change_nothing_and_others_are_refused(store: DatasetStore) -> None:
    first = put(store, OWNER, "d", table(), inf)
    again = put(store, OWNER, "d", table(), inf)
    assert again == first | {"unchanged": True}
    with pytest.raises(DatasetExists):
        put(store, OWNER, "d", table(1.0), inf)
    assert folders(store) == [store.find(OWNER, "d").id]


def test_a_dataset_stays_that_more_requests_have_uploaded(store: DatasetStore) -> None:
    for _ in range(2):  # a request that comes again is one request
        put(store, OWNER, "d", table(), inf, key("1"))
    put(store, OWNER, "d", table(), inf)
    with pytest.raises(DatasetInUse, match="2 requests have uploaded dataset 'd'"):
        delete(store, OWNER, "d", inf, most_uploads=1)
    assert delete(store, OWNER, "d", inf, most_uploads=2)["name"] == "d"


def test_a_key_is_answered_once(store: DatasetStore) -> None:
    first = put(store, OWNER, "d", table(), inf, key("1"))
    assert put(store, OWNER, "d", table(), inf, key("1")) == first | {"replayed": True}
    with pytest.raises(KeyReused):
        put(store, OWNER, "e", table(), inf, key("1", b"other"))
    with store.database.reading() as transaction:
        answered = idempotency_keys.find(transaction, key("1"))
    assert answered and len(answered.answer) < 50  # the columns are described again
    gone = delete(store, OWNER, "d", inf, key("2"))
    assert delete(store, OWNER, "d", inf, key("2")) == gone | {"replayed": True}
    with pytest.raises(AnswerExpired, match="made dataset 'd', which is deleted"):
        put(store, OWNER, "d", table(), inf, key("1"))
    put(store, OWNER, "d", table(2.0), inf)
    with pytest.raises(KeyReused, match="earlier dataset 'd'"):
        put(store, OWNER, "d", table(), inf, key("1"))


def test_owners_have_names_of_their_own(store: DatasetStore) -> None:
    put(store, "anna", "d", table(), inf)
    with pytest.raises(DatasetNotFound):
        store.find("bert", "d")
    put(store, "bert", "d", table(1.0), inf)
    delete(store, "anna", "d", inf)
    assert store.find("bert", "d").rows == 5


def test_a_deleted_dataset_is_gone_but_not_for_who_reads_it(store: DatasetStore) -> None:
    put(store, OWNER, "d", table(), inf)
    row = store.find(OWNER, "d")
    columns = store.open(row)
    delete(store, OWNER, "d", inf)
    assert columns.gather("x", slice(0, 5), "float64").tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    for ask in (
        lambda: store.find(OWNER, "d"),
        lambda: store.open(row),
        lambda: delete(store, OWNER, "d", inf),
    ):
        with pytest.raises(DatasetNotFound):
            ask()
    assert folders(store) == []


def test_a_block_that_cannot_be_read_leaves_nothing(store: DatasetStore) -> None:
    good = table()(check_table)

    def blocks():  # type: ignore[no-untyped-def]
        yield from list(good.blocks())[:1]
        raise Refused([Fault("", "dataset_invalid", "line 7")])

    with pytest.raises(Refused):
        put(store, OWNER, "d", lambda check: good._replace(blocks=blocks), inf)
    assert folders(store) == []


def test_quotas_count_datasets_and_their_bytes(tmp_path: Path) -> None:
    size = put(open_store(tmp_path / "a").datasets, OWNER, "d", table(), inf)["bytes"]
    store = open_store(tmp_path / "b", limits=StoreLimits(bytes_per_owner=2 * size - 1)).datasets
    put(store, OWNER, "d", table(), inf)
    put(store, OWNER, "d", table(), inf)  # unchanged: no more of it
    with pytest.raises(QuotaExceeded, match="bytes"):
        put(store, OWNER, "e", table(), inf)
    put(store, "bert", "e", table(), inf)
    few = open_store(tmp_path / "c", limits=StoreLimits(datasets_per_owner=1)).datasets
    put(few, OWNER, "d", table(), inf)
    with pytest.raises(QuotaExceeded, match="you have 1 datasets"):
        put(few, OWNER, "e", table(), inf)
    full = open_store(tmp_path / "f", limits=StoreLimits(free_bytes=2**60)).datasets
    with pytest.raises(StoreFull):
        put(full, OWNER, "d", table(), inf)


def test_what_a_killed_process_leaves_is_swept(
    models: ModelStore, store: DatasetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, OWNER, "kept", table(), inf)
    with monkeypatch.context() as patched:
        patched.setattr(changes, "_commit", lambda *given: (_ for _ in ()).throw(OutcomeUnknown()))
        with pytest.raises(OutcomeUnknown):
            put(store, OWNER, "d", table(), inf)
    assert len(folders(store)) == 2
    sweep(models)
    assert folders(store) == [store.find(OWNER, "kept").id]


def test_a_check_finds_what_is_wrong(models: ModelStore, store: DatasetStore) -> None:
    put(store, OWNER, "d", table(), inf)
    assert check_store(models) == []
    path = store.folder.dataset(store.find(OWNER, "d").id)
    body = path.read_bytes()
    path.write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
    (problem,) = check_store(models)
    assert "dataset 'd' of 'anna'" in problem and "other numbers" in problem
    path.unlink()
    (problem,) = check_store(models)
    assert "cannot be read" in problem

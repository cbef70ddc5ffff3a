"""A process dies before lines of a change of the datasets: it is made whole, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from math import inf
from pathlib import Path

import numpy as np
import pytest
from support.datasets import table_reader
from support.dying import dies_before, executions
from support.models import OWNER, open_store

from deltawire_service.datasets.changes import Answer, delete, put
from deltawire_service.datasets.dataset_store import DatasetStore
from deltawire_service.models.maintenance.store_check import check_store
from deltawire_service.models.maintenance.sweeps import sweep
from deltawire_service.store.tables.idempotency_keys import RequestKey

KEY = RequestKey(OWNER, "key", b"digest")
STRIDE = 11


def make(store: DatasetStore, name: str = "d", key: RequestKey | None = KEY) -> Answer:
    return put(store, OWNER, name, table_reader({"x": np.arange(9.0), "y": np.arange(9)}), inf, key)


def remove(store: DatasetStore) -> Answer:
    return delete(store, OWNER, "kept", inf, KEY)


@pytest.mark.parametrize("change", [make, remove])
def test_a_change_is_made_whole_or_not_at_all(
    tmp_path: Path, change: Callable[[DatasetStore], Answer]
) -> None:
    base, path = tmp_path / "base", tmp_path / "store"
    store = open_store(base)
    make(store.datasets, "kept", None)
    store.close()

    def fresh() -> None:
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(base, path)
        open_store(path).close()

    def act() -> Answer:
        store = open_store(path)
        answer = change(store.datasets)
        store.close()
        return answer

    fresh()
    act()  # once here: what is cached afterwards is no line of the child
    fresh()
    places, ends = executions(act), set[bool]()
    for place in places[int(np.random.default_rng().integers(STRIDE)) :: STRIDE]:
        fresh()
        assert dies_before(act, place), place
        after = open_store(path)
        assert check_store(after) == []
        answer = change(after.datasets)
        ends.add(answer["replayed"])
        assert answer == change(after.datasets) | {"replayed": answer["replayed"]}
        sweep(after)
        names = [row.name for row in after.datasets.page(OWNER, "", 9)]
        assert names == (["d", "kept"] if change is make else [])
        folders = {each.name for each in after.folder.datasets.iterdir()}
        assert folders == {row.id for row in after.datasets.page(OWNER, "", 9)}
        assert check_store(after) == []
        after.close()
    assert ends == {True, False}

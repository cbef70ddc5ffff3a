"""A store with a model and a dataset."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.models import create, open_store
from support.runs import add_dataset

from deltawire_service.models.model_store import ModelStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ModelStore]:
    store = open_store(tmp_path / "store")
    create(store)
    add_dataset(store)
    yield store
    store.database.close()

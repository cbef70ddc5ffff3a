"""An empty store of models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.models import open_store

from deltawire_service.models.model_store import ModelStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ModelStore]:
    store = open_store(tmp_path / "store")
    yield store
    store.database.close()

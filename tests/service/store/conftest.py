"""A store in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deltawire_service.store.database import Database
from deltawire_service.store.file_locks import FileLocks
from deltawire_service.store.folders import StoreFolder


@pytest.fixture
def folder(tmp_path: Path) -> StoreFolder:
    folder = StoreFolder(tmp_path / "store")
    folder.prepare()
    return folder


@pytest.fixture
def database(folder: StoreFolder) -> Iterator[Database]:
    database = Database(folder, FileLocks())
    database.prepare()
    yield database
    database.close()

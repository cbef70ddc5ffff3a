"""A folder of datasets of this machine, and a table in the current folder."""

from __future__ import annotations

from pathlib import Path

import pytest

TABLE = "size,shop,price\n1,north,1.5\n2,south,2.5\n3,north,\n"


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The table `shops.csv`; one price is missing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DELTAWIRE_DATA_DIR", str(tmp_path / "data"))
    path = tmp_path / "shops.csv"
    path.write_text(TABLE)
    return path

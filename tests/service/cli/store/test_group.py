"""deltawire store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.commands import BATCH, FLOW, document
from support.console import run


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the model `flow`, which has taken a step."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DELTAWIRE_DATA_DIR", str(tmp_path / "data"))
    np.savez("batch.npz", **BATCH)
    document("models", "create", "flow", FLOW, "--learning-rate", "0.01")
    document("models", "step", "flow", "batch.npz")
    return tmp_path / "data"


def params() -> Any:
    return document("models", "params", "flow")["params"]


def test_an_export_is_imported_elsewhere(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = params()
    assert run("store", "export", "copy").output == "1 model exported to copy\n"
    monkeypatch.setenv("DELTAWIRE_DATA_DIR", "elsewhere")
    assert run("store", "import", "copy").output == "1 model imported into elsewhere\n"
    assert params() == before
    assert document("models", "show", "flow")["version"] == 1
    assert run("store", "check", "--replay").output == "nothing is wrong\n"


def test_a_check_says_what_is_gone(data_dir: Path) -> None:
    assert document("store", "check") == {"problems": []}
    next(data_dir.glob("models/*/snapshots/*")).unlink()
    result = run("store", "check", columns=200)
    assert result.exit_code == 1 and "the snapshot of version 0 cannot be read" in result.output
    (problem,) = document("store", "check", code=1)["problems"]
    assert problem in result.output


def test_an_export_names_what_it_leaves_out(data_dir: Path) -> None:
    next(data_dir.glob("models/*/snapshots/*")).unlink()
    result = run("store", "export", "copy", columns=200)
    assert result.exit_code == 1
    assert "0 models exported to copy" in result.output
    assert "not exported: model 'flow' of '': its files" in result.output


@pytest.mark.parametrize(
    "arguments, code, words",
    [
        (["check", "--data-dir", "none"], 2, "there are no models in none"),
        (["export", "data"], 2, "data is there already"),
        (["import", "data", "--data-dir", "new"], 5, "is a store, and no export"),
        (["import", ".", "--data-dir", "new"], 5, "is no export"),
    ],
)
def test_what_cannot_be_done_is_said(data_dir: Path, arguments: list[str], code: int, words: str) -> None:
    result = run("store", *arguments, columns=200)
    assert result.exit_code == code and words in result.output


def test_a_disk_that_fails_is_said(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data_dir / "database.sqlite3").write_bytes(b"no database" * 1000)
    result = run("store", "check", columns=200)
    assert result.exit_code == 5 and "failed: the disk" in result.output

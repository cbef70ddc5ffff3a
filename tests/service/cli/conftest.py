"""Files that the tests of commands share."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from support.commands import BATCH, SPEC


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: empty, and modules in it are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    return tmp_path


@pytest.fixture
def spec(here: Path) -> Path:
    """A file with a spec alone."""
    path = here / "spec.json"
    path.write_text(json.dumps(SPEC))
    return path


@pytest.fixture
def batch(here: Path) -> Path:
    np.savez(here / "batch.npz", **BATCH)
    return here / "batch.npz"

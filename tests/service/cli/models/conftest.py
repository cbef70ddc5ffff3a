"""A folder of models of this machine, with the network of the lecture's flow graph in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.commands import BATCH, FLOW, document

from deltawire import Client


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of models; the current folder has a batch."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DELTAWIRE_DATA_DIR", str(tmp_path / "data"))
    np.savez("batch.npz", **BATCH)
    return tmp_path / "data"


@pytest.fixture
def flow(data_dir: Path) -> Client:
    """A client of the folder, in which there is the model `flow`."""
    document("models", "create", "flow", FLOW, "--learning-rate", "0.01")
    return Client(data_dir=data_dir)

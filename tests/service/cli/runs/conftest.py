"""A folder of this machine with a model that learns to add, and a table to learn from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from client.runs.conftest import examples, network

from deltawire import Client, optim


@pytest.fixture
def adder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of the folder, in which there are the model `adder` and the dataset `sums`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DELTAWIRE_DATA_DIR", str(tmp_path / "data"))
    with Client() as client:
        client.create_model(network(), name="adder", optimizer=optim.sgd(0.01), seed=0)
        client.upload_dataset("sums", examples())
        yield client

"""A service in this process that keeps models in a folder, and one model in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.classifier import classifier

from deltawire import Client, Model, optim


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(data_dir=tmp_path / "data")


@pytest.fixture
def model(client: Client) -> Model:
    return client.create_model(classifier(), name="digits", optimizer=optim.adam(0.01), seed=0)

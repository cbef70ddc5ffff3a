"""A service with a model and a dataset, for the tests of runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.http_models import DescribedClient, make_client, make_model
from support.runs import add_dataset

from deltawire_service.models.model_store import ModelStore


@pytest.fixture
def client(tmp_path: Path) -> DescribedClient:
    """Of a service that keeps one model, `model`, and one dataset, `table`. It allows three open runs."""
    client = make_client(tmp_path, runs_per_key=3)
    make_model(client)
    add_dataset(store_of(client), owner="")
    return client


def store_of(client: DescribedClient) -> ModelStore:
    store = client.application.extensions["deltawire"].models
    assert isinstance(store, ModelStore)
    return store


@pytest.fixture
def store(client: DescribedClient) -> ModelStore:
    """The store of the client's service."""
    return store_of(client)

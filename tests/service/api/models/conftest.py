"""A service with a model, for the tests of its routes."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.http_models import DescribedClient, make_client, make_model


@pytest.fixture
def client(tmp_path: Path) -> DescribedClient:
    """Of a service that keeps one model, `model`."""
    client = make_client(tmp_path)
    make_model(client)
    return client


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> DescribedClient:
    """Of a service that keeps the same model, for requests that change nothing."""
    client = make_client(tmp_path_factory.mktemp("unchanged"))
    make_model(client)
    return client

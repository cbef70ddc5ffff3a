"""A service that has published the networks of support.clients."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from support.clients import publish_all

from deltawire_service.app import create_app
from deltawire_service.settings import Settings


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder = tmp_path_factory.mktemp("networks")
    publish_all(folder)
    return create_app(Settings(log_level="error", networks_dir=str(folder))).test_client()

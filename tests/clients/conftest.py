"""A real gunicorn with two workers, for the clients of others."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from support.clients import publish_all
from support.service import Service, running_service


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Without the extra there is nothing to import; where they are not wanted, importing takes seconds."""
    return True if find_spec("umbridge") is None or "not clients" in config.option.markexpr else None


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("networks")
    publish_all(folder)
    with running_service("-w", "2", networks_dir=str(folder), queue_seconds="5") as service:
        yield service

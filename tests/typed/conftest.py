"""Fixtures of the tests of typed clients: a service as shipped, and its own description."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from support.publishing import publish
from support.service import free_port, running_service


@pytest.fixture(scope="session")
def page_port() -> int:
    """The port of the pages whose scripts may call the service."""
    return free_port()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, page_port: int) -> Iterator[str]:
    """A service that keeps models, with a network in float32, `line`, which has data of its own."""
    folder = tmp_path_factory.mktemp("networks")
    data = {"x": [[1.0, 2.0]], "y": [0]}
    publish(folder, "line", dtype="float32", data=data, values=["scores"])
    origin = f"http://127.0.0.1:{page_port}"
    models = str(tmp_path_factory.mktemp("models"))
    with running_service("-w", "1", networks_dir=str(folder), data_dir=models, cors_origins=origin) as url:
        yield url


@pytest.fixture(scope="session")
def document(service: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The OpenAPI document of the service."""
    path = tmp_path_factory.mktemp("openapi") / "openapi.json"
    path.write_bytes(requests.get(f"{service}/openapi.json", timeout=30).content)
    return path

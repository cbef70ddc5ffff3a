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
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table with two columns, in a folder that the service may read."""
    path = tmp_path_factory.mktemp("tables") / "points.csv"
    path.write_text("a,b\n1,2\n3,4\n5,6\n")
    return path


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, page_port: int, table: Path) -> Iterator[str]:
    """A service that keeps models, with a network in float32, `line`, which has data of its own."""
    folder = tmp_path_factory.mktemp("networks")
    data = {"x": [[1.0, 2.0]], "y": [0]}
    publish(folder, "line", dtype="float32", data=data, values=["scores"])
    origin = f"http://127.0.0.1:{page_port}"
    settings = {"networks_dir": str(folder), "data_dir": str(tmp_path_factory.mktemp("models"))}
    settings |= {"dataset_roots": str(table.parent), "cors_origins": origin}
    with running_service("-w", "1", **settings) as url:
        yield url


@pytest.fixture(scope="session")
def document(service: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The OpenAPI document of the service."""
    path = tmp_path_factory.mktemp("openapi") / "openapi.json"
    path.write_bytes(requests.get(f"{service}/openapi.json", timeout=30).content)
    return path

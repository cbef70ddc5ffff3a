"""A real gunicorn with two workers, for the clients of others."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from support.clients import publish_all
from support.service import Service, running_service

if find_spec("umbridge") is None:  # the extra is not installed
    collect_ignore_glob = ["test_*.py"]
else:
    with warnings.catch_warnings():  # what it warns of as it is imported is no fault of ours
        warnings.simplefilter("ignore")
        import pymc  # noqa: F401


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("networks")
    publish_all(folder)
    with running_service("-w", "2", networks_dir=str(folder), queue_seconds="5") as service:
        yield service

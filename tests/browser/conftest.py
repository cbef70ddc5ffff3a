"""Fixtures of the browser tests: a service as shipped, a browser, and a page that is watched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from support.browser import chromium, watched_page
from support.service import running_service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def service() -> Iterator[str]:
    """Return the address of the service at DELTAWIRE_URL, or else start one for the tests."""
    if url := os.environ.get("DELTAWIRE_URL"):
        yield url.rstrip("/")
    else:
        with running_service(queue_seconds="10") as url:  # on a busy machine a page waits and does not fail
            yield url


@pytest.fixture(scope="session")
def training_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a service that keeps models, and takes runs."""
    folder = str(tmp_path_factory.mktemp("models"))
    with running_service(queue_seconds="10", data_dir=folder, trainer="true") as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def faults() -> list[str]:
    """Return the list of the page's faults so far."""
    return []


@pytest.fixture
def page(browser: Browser, service: str, faults: list[str]) -> Iterator[Page]:
    """Open a page of the service, which must have no faults when the test ends."""
    with watched_page(browser, service, faults) as page:
        yield page


@pytest.fixture
def training_page(browser: Browser, training_service: str, faults: list[str]) -> Iterator[Page]:
    """Open a page of the service that keeps models, which must have no faults when the test ends."""
    with watched_page(browser, training_service, faults) as page:
        yield page

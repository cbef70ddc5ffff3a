"""What the tests of pages share: a service as shipped, and a browser."""

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
    """The address of the service at DELTAWIRE_URL, or else of one made for the tests."""
    if url := os.environ.get("DELTAWIRE_URL"):
        yield url.rstrip("/")
    else:
        with running_service(queue_seconds="10") as url:  # a busy machine keeps a page waiting, not failing
            yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def faults() -> list[str]:
    """What the page of this test did wrong so far."""
    return []


@pytest.fixture
def page(browser: Browser, service: str, faults: list[str]) -> Iterator[Page]:
    """A page of the service, which must have done nothing wrong when the test ends."""
    with watched_page(browser, service, faults) as page:
        yield page

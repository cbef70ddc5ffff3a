"""The address: it holds the whole state of the page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_the_address_is_the_whole_state(page: Page) -> None:
    explorer = Explorer(page, "example=circuit")
    page.locator('[data-input="x"]').fill("7")
    page.locator('[data-value="q"] text', has_text="12").wait_for()
    explorer.at(3)
    page.wait_for_url(re.compile("#state=.*step=3"))
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    page.locator('[data-step="3"]').wait_for()
    assert explorer.values() == {"x": "7", "y": "5", "z": "−4", "q": "12", "f": "−48"}


def test_a_link_that_was_cut_short_opens_the_first_network(page: Page) -> None:
    explorer = Explorer(page, "state=zVbrTp&step=2")
    assert explorer.values().keys() == {"x", "y", "z", "q", "f"} and explorer.step() == 2

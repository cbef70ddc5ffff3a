"""The form of a node's config."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_config_is_a_form(page: Page) -> None:
    explorer = Explorer(page, "example=flow_graph&at=hidden")
    page.get_by_text("Config and parameters").click()
    page.locator(".fields input[type=checkbox]").click()
    page.locator('[data-weight="hidden.bias"]').wait_for(state="detached")
    assert explorer.page.locator('[data-weight="hidden.weight"]').count() == 1

"""The button that copies the page's address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_the_link_is_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.add_init_script(  # what is said stays: a busy machine may look later than it would go
        "const real = setTimeout; window.setTimeout = (f, ms) => ms === 2000 ? 0 : real(f, ms);"
    )
    Explorer(page, "example=fan_out&step=2")
    page.wait_for_function("() => location.hash.includes('at=m')")
    page.locator("[data-link]").click()
    page.get_by_role("button", name="copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url

"""Zoom and pan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_zoom_and_pan(page: Page) -> None:
    Explorer(page, "example=residual")
    name = page.locator('[data-node="h5"] .name')
    before = name.evaluate("one => one.getBoundingClientRect().width")
    assert page.locator("[data-value]").count() == 0  # names only, from far
    box = page.locator('[data-node="h5"]').bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    for _ in range(4):
        page.mouse.wheel(0, -200)
    page.locator('[data-value="h5"]').wait_for()
    assert name.evaluate("one => one.getBoundingClientRect().width") > 0 < before
    page.locator(".zoom button").last.click()
    page.locator('[data-value="h5"]').wait_for(state="detached")

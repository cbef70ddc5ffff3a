"""The height of the drawer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import open_editor

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def tall(page: Page, share: float) -> None:
    """Wait until the drawer has this share of the window's 900 pixels."""
    page.wait_for_function(
        "most => Math.abs(document.querySelector('.drawer').clientHeight - most) < 3", arg=share * 900
    )


def test_the_drawer_can_be_made_taller(page: Page) -> None:
    """Keys, dragging and a double click change its height, and a reload keeps it."""
    open_editor(page, "example=deep_sigmoid")
    edge = page.get_by_role("separator")
    edge.focus()
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    tall(page, 0.42)
    page.keyboard.press("ArrowDown")
    tall(page, 0.37)
    assert edge.get_attribute("aria-valuenow") == "37"
    page.keyboard.press("Enter")
    tall(page, 0.55)
    box = edge.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 6)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, 540, steps=4)
    page.mouse.up()
    tall(page, 0.4)
    assert page.locator(".editor textarea").evaluate("one => one.clientHeight") > 14 * 19  # lines
    page.reload()
    page.locator(".card").first.wait_for()
    tall(page, 0.4)
    edge.dblclick()
    tall(page, 0.55)

"""Scrolling: the panel to its top or to a section of the tour, on a phone the page to the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def scrolled(page: Page) -> float:
    return float(page.locator("aside").evaluate("one => one.scrollTop"))


def scroll_down(page: Page) -> None:
    page.locator("aside").evaluate("one => { one.scrollTop = one.scrollHeight; }")
    assert scrolled(page) > 0


def test_the_panel_goes_to_its_top(page: Page) -> None:
    explorer = Explorer(page, "example=window_classifier&at=z1")
    scroll_down(page)
    explorer.select("z2")
    assert scrolled(page) == 0
    scroll_down(page)
    explorer.press("ArrowLeft")
    page.locator('[data-step="29"]').wait_for()
    assert scrolled(page) == 0
    explorer.select("z1")
    scroll_down(page)
    page.locator(".tours button").nth(1).click()
    page.locator('[data-tour="1.0"]').wait_for()
    page.locator('[data-panel="f"]').wait_for()
    assert page.locator(".tour").bounding_box()["y"] < 100  # type: ignore[index]


def test_a_tour_shows_the_section_it_speaks_of(page: Page) -> None:
    Explorer(page, "tour=0.2")
    named = page.locator('.named[data-section="gradient"]')
    named.wait_for()
    card, section = page.locator(".tour").bounding_box(), named.bounding_box()
    assert card and section
    assert card["y"] >= 40 and card["y"] + card["height"] <= section["y"] < 800
    page.locator('[data-tour-go="next"]').click()
    page.locator('[data-tour="0.3"]').wait_for()
    page.locator(".named").wait_for()
    assert page.locator(".named").count() == 1


def test_on_a_phone_a_tap_brings_the_panel_over_the_picture(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    Explorer(page, "example=circuit")
    assert not page.locator(".panel").is_visible()
    field = page.locator('[data-input="x"]').bounding_box()
    assert field and field["y"] + field["height"] < 1.5 * 844  # the inputs follow the picture
    page.locator('[data-node="q"]').click()
    page.locator('[data-panel="q"]').wait_for()
    sums, top = page.locator('[data-sum="q"]').bounding_box(), page.locator(".panel").bounding_box()
    assert sums and sums["y"] + sums["height"] < 844
    assert top and top["y"] > 300  # the picture is still there
    page.locator("[data-close-panel]").click()
    page.locator(".panel").wait_for(state="hidden")

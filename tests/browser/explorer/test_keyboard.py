"""The page by the keyboard, and as a screen reader tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

FOCUSED = "document.activeElement"


def test_the_page_by_the_keyboard(page: Page) -> None:
    explorer = Explorer(page, "example=circuit")
    last = explorer.step()
    page.get_by_role("tab", name="Inputs").focus()
    explorer.press("ArrowRight")
    assert page.evaluate(f"{FOCUSED}.textContent").startswith("Findings")
    explorer.press("ArrowLeft")
    explorer.press("ArrowLeft")
    assert page.get_by_role("tab", name="Kept").get_attribute("aria-selected") == "true"
    assert explorer.step() == last  # the arrow keys of tabs are no steps
    page.locator('[data-node="q"]').focus()
    explorer.press(" ")
    page.wait_for_timeout(300)
    assert page.locator(".keys .play").inner_text() == "▶"  # it does not play
    page.keyboard.press("Tab")
    assert page.locator('[data-node="f"]').get_attribute("aria-label") == "f, multiply, −12, δ 1"
    assert page.locator('[data-edge-button="q→f/0"]').get_attribute("aria-label") == "q → f, δ −4"
    explorer.at(2)
    assert "f is computed: −12" in page.locator(".step-text").inner_text()
    page.locator(".skip").focus()
    explorer.press("Enter")
    assert page.evaluate(f"{FOCUSED}.tagName") == "ASIDE"


def test_the_focus_goes_back_when_the_tour_is_closed(page: Page) -> None:
    Explorer(page, "tour=1.0")
    page.locator('[data-tour-go="close"]').click()
    page.locator("[data-tour]").wait_for(state="detached")
    assert page.evaluate(f"{FOCUSED}.textContent") == "2 · Circuits"


def test_the_browser_s_language_comes_first_and_the_choice_is_remembered(page: Page) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'language', { value: 'ko-KR' });")
    Explorer(page)
    assert page.locator("html").get_attribute("lang") == "ko"
    page.get_by_role("button", name="English").click()
    page.wait_for_function("() => document.documentElement.lang === 'en'")
    page.goto("about:blank")
    Explorer(page)
    assert page.locator("html").get_attribute("lang") == "en"

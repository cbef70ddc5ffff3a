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
    page.locator('[data-node="q"] .ring').focus()
    explorer.press(" ")
    page.locator('[data-panel="q"]').wait_for()  # it presses the card
    page.wait_for_timeout(300)
    assert page.locator(".keys .play").inner_text() == "▶"  # it does not play
    page.keyboard.press("Tab")
    assert page.locator('[data-node="f"] .ring').get_attribute("aria-label") == "f, multiply, −12, δ 1"
    assert page.locator('[data-edge-button="q→f/0"] .touch').get_attribute("aria-label") == "q → f, δ −4"
    explorer.at(2)
    assert "f is computed: −12" in page.locator(".step-text").inner_text()
    page.locator(".skip").focus()
    explorer.press("Enter")
    assert page.evaluate(f"{FOCUSED}.tagName") == "ASIDE"


def test_the_current_card_shows_the_focus_in_both_passes(page: Page) -> None:
    explorer = Explorer(page, "example=circuit")
    ring = page.locator(".card.current .ring")
    for step in (2, 4):
        explorer.at(step)
        assert ring.evaluate("one => getComputedStyle(one).stroke") == "none"
        explorer.press("Tab")  # keys, so that the browser shows the focus
        ring.focus()
        assert ring.evaluate("one => getComputedStyle(one).stroke") != "none"


def test_the_focus_stays_on_the_tour(page: Page) -> None:
    """The button that led to it is gone; at its end there is no next stop."""
    explorer = Explorer(page, "example=circuit")
    page.locator("[data-welcome]").focus()
    explorer.press("Enter")
    page.locator('[data-tour="0.0"]').wait_for()
    page.wait_for_function(f"() => {FOCUSED}.dataset.tourGo === 'next'")
    explorer.press("Enter")
    page.locator('[data-tour="0.1"]').wait_for()
    assert page.evaluate(f"{FOCUSED}.dataset.tourGo") == "next"
    for _ in range(60):
        if page.locator('[data-tour-go="next"]').is_disabled():
            break
        here = page.locator("[data-tour]").get_attribute("data-tour")
        explorer.press("Enter")
        page.locator(f'[data-tour="{here}"]').wait_for(state="detached")
    page.wait_for_function(f"() => {FOCUSED}.dataset.tourGo === 'back'")


def test_the_panel_of_a_phone_gives_the_focus_back(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    explorer = Explorer(page, "example=circuit&at=q")
    page.locator("[data-open-panel]").click()
    page.locator("[data-close-panel]").focus()
    explorer.press("Enter")
    page.wait_for_function(f"() => 'openPanel' in {FOCUSED}.dataset")


def test_tab_indents_in_the_editor_and_leaves_it_after_escape(page: Page) -> None:
    explorer = Explorer(page, "example=circuit&tab=edit")
    editor = page.locator(".editor textarea")
    described = editor.get_attribute("aria-describedby")
    assert "press Esc, then Tab" in page.locator(f"#{described}").inner_text()
    before = editor.input_value()
    editor.focus()
    editor.evaluate("one => one.setSelectionRange(0, 0)")
    explorer.press("Tab")
    assert editor.input_value() == f"  {before}"
    assert page.evaluate(f"{FOCUSED}.tagName") == "TEXTAREA"
    explorer.press("Escape")
    explorer.press("Tab")
    assert page.evaluate(f"{FOCUSED}.tagName") != "TEXTAREA"
    assert editor.input_value() == f"  {before}"
    explorer.press("Shift+Tab")
    assert page.evaluate(f"{FOCUSED}.tagName") == "TEXTAREA"
    explorer.press("Shift+Tab")
    assert page.evaluate(f"{FOCUSED}.tagName") != "TEXTAREA"


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

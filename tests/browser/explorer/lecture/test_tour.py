"""The tour: the way in, all its stops, and the way back to one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_the_welcome_leads_to_the_first_tour(page: Page) -> None:
    Explorer(page)
    assert page.locator(".welcome").inner_text().endswith("start here: 1 · Two equations")
    page.locator("[data-welcome]").click()
    page.locator('[data-tour="0.0"]').wait_for()
    assert page.locator(".welcome").count() == 0


@pytest.mark.parametrize("lang, word", [("en", "Two equations"), ("ko", "두 개의 식")])
def test_the_tour_goes_through_all_stops(page: Page, lang: str, word: str) -> None:
    explorer = Explorer(page, f"lang={lang}")
    page.locator(".tours button").first.click()
    assert word in page.locator(".tour").inner_text()
    seen = []
    while True:
        page.locator("[data-panel]").wait_for()
        stop = page.locator(".tour").get_attribute("data-tour")
        seen.append(stop)
        assert page.locator(".tour p").inner_text()
        forth = page.locator('[data-tour-go="next"]')
        if forth.is_disabled():
            break
        forth.click()
        page.locator(f'.tour:not([data-tour="{stop}"])').wait_for()
    assert len(seen) == len(set(seen)) == 18
    assert explorer.panel()


def test_a_button_leads_back_to_the_stop(page: Page) -> None:
    explorer = Explorer(page, "tour=1.1")
    page.locator('[data-tour="1.1"]').wait_for()
    back = page.locator('[data-tour-go="here"]')
    page.wait_for_function("() => !document.querySelector('[data-tour-go=here]')")
    step = explorer.step()
    next_at = page.locator('[data-tour-go="next"]').bounding_box()
    explorer.press("ArrowRight")
    back.click()
    page.locator(f'[data-step="{step}"]').wait_for()
    assert back.count() == 0
    page.locator('[data-tour-go="next"]').click()
    page.locator('[data-tour="1.2"]').wait_for()
    assert page.locator('[data-tour-go="next"]').bounding_box() == next_at  # it does not move with the text


def test_a_changed_network_makes_the_numbers_of_the_card_the_lectures(page: Page) -> None:
    Explorer(page, "tour=1.0")
    page.locator('[data-tour="1.0"]').wait_for()
    assert page.locator("[data-lecture-numbers]").count() == 0
    page.locator('[data-input="x"]').fill("7")
    page.locator("[data-lecture-numbers]").wait_for()
    page.locator('[data-tour-go="here"]').click()
    page.locator("[data-lecture-numbers]").wait_for(state="detached")
    page.locator('[data-value="x"] text', has_text="−2").wait_for()

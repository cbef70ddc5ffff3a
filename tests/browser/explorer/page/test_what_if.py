"""The numbers that a change is compared with: until when they stay, and what makes them go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

CARD = "[data-what-if]"


def change(page: Page, name: str, text: str) -> None:
    page.locator(f'[data-input="{name}"]').fill(text)
    page.locator(CARD).wait_for()


def test_a_change_is_compared_with_the_numbers_before_the_first_one(page: Page) -> None:
    Explorer(page, "example=circuit")
    change(page, "x", "7")
    assert page.locator("[data-predicted]").inner_text() == "∇·Δx = (−4) · 9 = −36"
    change(page, "z", "-3")
    page.locator("[data-predicted]", has_text="(−4) · 9 + 3 · 1 = −33").wait_for()
    assert page.locator("[data-actual]").inner_text() == "−12 → −36: −24"
    assert page.locator("[data-difference]").inner_text() == "9"
    page.locator('[data-input="x"]').fill("-2")
    page.locator('[data-input="z"]').fill("-4")
    page.locator(CARD).wait_for(state="detached")  # all numbers are as they were


def test_what_is_dismissed_begins_the_next_comparison(page: Page) -> None:
    Explorer(page, "example=circuit")
    change(page, "x", "7")
    page.locator("[data-what-if-dismiss]").focus()
    page.keyboard.press("Enter")
    page.locator(CARD).wait_for(state="detached")
    assert page.locator("[data-before]").count() == 0
    assert page.evaluate("document.activeElement.tagName") == "ASIDE"
    change(page, "x", "8")
    assert page.locator("[data-actual]").inner_text() == "−48 → −52: −4"


def test_another_example_or_network_ends_it(page: Page) -> None:
    explorer = Explorer(page, "example=flow_graph")
    change(page, "x", "[1, 1, 1, 1]")
    page.locator("select.example").select_option("1")
    page.locator(CARD).wait_for(state="detached")
    change(page, "x", "[1, 1, 1, 1]")
    page.locator("select.network").select_option("circuit")
    page.locator(CARD).wait_for(state="detached")
    assert explorer.values()["f"] == "−12"


def test_an_opened_network_is_no_change(page: Page) -> None:
    explorer = Explorer(page, "example=circuit")
    change(page, "x", "7")
    explorer.tab("Kept")
    page.locator("[data-keep]").click()
    explorer.tab("Inputs")
    change(page, "x", "8")
    explorer.tab("Kept")
    page.locator("[data-open]").first.click()
    page.locator('[data-value="x"] text', has_text="7").wait_for()
    page.locator(CARD).wait_for(state="detached")


def test_a_training_is_no_change_of_the_readers(page: Page) -> None:
    explorer = Explorer(page, "example=moons")
    explorer.tab("Train")
    page.locator("[data-train]").click()
    page.locator(".training .chart .line path").first.wait_for()
    assert page.locator(CARD).count() == 0

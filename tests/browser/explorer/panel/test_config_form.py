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


def test_what_is_typed_stays_when_the_page_is_drawn_anew(page: Page) -> None:
    """A number that is being typed is taken when its field is left, whatever else changes meanwhile."""
    explorer = Explorer(page, "example=flow_graph&at=scores")
    page.get_by_text("Config and parameters").click()
    units = page.locator(".fields input[type=number]").first
    units.fill("5")
    turn = page.locator("[data-turn]")
    before = turn.inner_text()
    turn.evaluate("one => one.click()")  # the focus stays where it is
    page.wait_for_function("old => document.querySelector('[data-turn]').innerText !== old", arg=before)
    assert units.input_value() == "5"
    units.press("Tab")
    page.locator(".panel h2 small", has_text="· 5").wait_for()
    assert units.input_value() == "5"
    explorer.select("hidden")
    assert page.locator(".fields input[type=number]").first.input_value() != "5"

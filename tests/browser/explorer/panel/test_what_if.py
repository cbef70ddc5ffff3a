"""The card of a change: what it says, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_the_card_says_how_good_the_prediction_was(page: Page) -> None:
    Explorer(page, "example=circuit")
    region = page.locator(".what-if-region")
    assert region.get_attribute("role") == "status"  # it was there before what it says
    field = page.locator('[data-input="x"]')
    field.fill("7")
    page.locator(".what-if", has_text="along a straight line, so the prediction is exact").wait_for()
    assert page.locator("[data-difference]").inner_text() == "0"
    page.goto("about:blank")
    Explorer(page, "example=sigmoid_neuron_layer")
    before = page.locator('[data-input="w0"]').input_value()
    page.locator('[data-input="w0"]').fill(str(float(before) + 0.05))
    page.locator(".what-if", has_text="The smaller the step, the smaller the difference").wait_for()
    page.locator('[data-input="w0"]').fill(str(float(before) + 6))
    page.locator(".what-if", has_text="This step is large for the curve").wait_for()


@pytest.mark.parametrize("width, height", [(1280, 720), (390, 844)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_card_fits_and_moves_no_field_on_a_phone(
    page: Page, width: int, height: int, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": height})
    Explorer(page, "example=circuit")
    field = page.locator('[data-input="x"]')
    field.scroll_into_view_if_needed()
    before = field.bounding_box()
    field.fill("7")
    card = page.locator(".what-if")
    card.wait_for()
    after = field.bounding_box()
    assert before and after and abs(after["y"] - before["y"]) < 2  # pixels: scrolling rounds
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert card.evaluate("one => one.scrollWidth <= one.clientWidth")
    card.scroll_into_view_if_needed()
    box = card.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= width


def test_many_numbers_are_summed_up(page: Page) -> None:
    Explorer(page, "example=flow_graph")
    page.locator('[data-input="x"]').fill("[9, 9, 9, 9]")
    card = page.locator('[data-what-if="numbers"]')
    card.wait_for()
    assert "and 1 more" in card.inner_text() and "+ … = " in card.inner_text()

"""What twice an input would do to the loss, said before anyone tries it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_the_prediction_is_what_the_change_is_then_compared_with(page: Page) -> None:
    Explorer(page, "example=circuit&at=x")
    line = page.locator('[data-doubled="x"]')
    assert line.inner_text() == "∇·Δx = (−4) · (−2) = 8"
    page.locator('[data-input="x"]').fill("-4")
    page.locator("[data-predicted]", has_text="= 8").wait_for()
    assert page.locator("[data-actual]").inner_text() == "−12 → −4: 8"


def test_an_array_has_its_largest_products_first(page: Page) -> None:
    """x = [0.5, −1, 0.25, 2] times its δ; the fifth product and further ones would be an ellipsis."""
    Explorer(page, "example=flow_graph&at=x")
    text = page.locator('[data-doubled="x"]').inner_text()
    first = text.removeprefix("∇·Δx = ").split(" + ")[0]
    assert first.endswith(" · 2") and text.count(" · ") == 4 and "…" not in text


def test_it_says_nothing_of_labels_nodes_and_hidden_numbers(page: Page) -> None:
    explorer = Explorer(page, "example=flow_graph&at=y")
    assert page.locator("[data-doubled]").count() == 0
    explorer.select("hidden")
    assert page.locator("[data-doubled]").count() == 0
    explorer.select("x")
    page.locator("[data-doubled]").wait_for()
    page.locator("[data-predict-toggle]").click()
    page.locator("[data-doubled]").wait_for(state="detached")

"""Sliders and fields of the inputs, typed in key by key while answers come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer, script

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("delay", [0, 120])
@pytest.mark.parametrize("typed", ["2.5", "0.05", "-1.25", "2.50", ".5", "1e3"])
def test_a_number_stays_as_it_is_typed(page: Page, typed: str, delay: int) -> None:
    explorer = Explorer(page, "example=circuit")
    field = page.locator('[data-input="z"]')
    field.press("Control+a")
    field.press_sequentially(typed, delay=delay)
    page.wait_for_timeout(300)  # for answers to all that was typed
    assert float(field.input_value()) == float(typed) and field.input_value().endswith(typed[-1])
    assert float(explorer.values()["z"].replace("−", "-")) == pytest.approx(float(typed), abs=5e-3)


def test_what_is_no_number_goes_when_the_field_is_left(page: Page) -> None:
    Explorer(page, "example=circuit")
    field = page.locator('[data-input="z"]')
    field.press("Control+a")
    field.press("Delete")
    page.wait_for_timeout(200)
    assert field.input_value() == ""
    field.press("Tab")
    page.wait_for_function("""() => document.querySelector('[data-input="z"]').value === "-4" """)


def test_an_array_is_taken_as_it_is_typed(page: Page) -> None:
    explorer = Explorer(page, "example=deep_sigmoid")
    field = page.locator('[data-input="x"]')
    before = explorer.values()["z1"]
    field.press("Control+a")
    field.press_sequentially("[1, 2, 3", delay=20)
    assert page.locator(".array.wrong").count() == 1
    field.press_sequentially(", 4.25]", delay=20)
    page.wait_for_function(
        """before => document.querySelector('[data-value="z1"] text').textContent !== before""", arg=before
    )
    assert field.input_value() == "[1, 2, 3, 4.25]" and page.locator(".array.wrong").count() == 0


def test_a_slider_changes_the_numbers_at_once(page: Page) -> None:
    explorer = Explorer(page, "example=circuit")
    page.locator('[data-input="z"]').fill("2")
    page.locator('[data-value="f"] text', has_text="6").wait_for()
    assert explorer.deltas() == {"f": "1", "q": "2", "z": "3", "x": "2", "y": "2"}
    took = page.evaluate(script(__file__, "slider"))
    assert explorer.values()["f"] == "−9"
    assert took < 1000, took  # 100 ms on a machine of its own; here others compute too


def test_a_slider_of_labels_ends_with_the_last_of_them(page: Page) -> None:
    Explorer(page, "example=flow_graph")
    slider = page.locator('.slider input[aria-label="y"]')
    assert (slider.get_attribute("min"), slider.get_attribute("max")) == ("0", "2")

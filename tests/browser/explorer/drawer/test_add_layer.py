"""The form that adds a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer, open_editor

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_a_layer_is_added_by_its_form(page: Page) -> None:
    explorer = Explorer(page, "example=circuit&at=q")
    explorer.tab("Edit")
    page.locator("form.add select").select_option("leaky_relu")
    page.locator("form.add input").fill("0.5")
    page.locator("form.add button").click()
    page.locator('[data-node="leaky_relu1"]').wait_for()
    assert explorer.values()["f"] == "−12"
    assert (explorer.edges()["leaky_relu1→q"], explorer.edges()["f→leaky_relu1"]) == ("−4", "−4")


def test_a_layer_to_add_needs_no_scrolling_to_its_button(page: Page) -> None:
    open_editor(page, "example=deep_sigmoid&at=z1")
    page.locator("form.add select").select_option("linear")
    button, frame = page.locator("form.add button").bounding_box(), page.locator(".beside").bounding_box()
    assert button and frame and button["y"] + button["height"] < frame["y"] + frame["height"]

"""The picture for a projector: every number can be read, and fills the screen by one key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.explorer import Explorer, script

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

LECTURE = ["circuit", "sigmoid_neuron_gates", "sigmoid_neuron_layer", "window_classifier", "flow_graph"]


@pytest.mark.parametrize("width, height", [(1280, 720), (1024, 768)])
def test_every_number_of_the_lecture_is_visible_without_a_click(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    for name in LECTURE:
        page.goto("about:blank")
        explorer = Explorer(page, f"example={name}")
        page.wait_for_timeout(200)
        seen: dict[str, Any] = page.evaluate(script(__file__, "legible"))
        assert seen["smallest"] >= 10.99, name
        assert seen["outside"] == seen["cut"] == seen["overlapping"] == [], name
        cards = page.locator(".card").count()
        assert len(explorer.values()) == cards and seen["numbers"] > cards, name


def test_one_key_presents_the_picture_alone(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    Explorer(page, "example=window_classifier")
    page.keyboard.press("p")
    page.locator(".page.presented").wait_for()
    page.wait_for_timeout(200)
    seen: dict[str, Any] = page.evaluate(script(__file__, "legible"))
    assert seen["smallest"] >= 16.4
    assert seen["outside"] == seen["cut"] == seen["overlapping"] == []
    assert not page.locator(".panel").is_visible() and not page.locator(".drawer").is_visible()
    page.keyboard.press("ArrowLeft")
    page.locator('[data-step="29"]').wait_for()
    page.keyboard.press("Escape")
    page.locator(".panel").wait_for()

"""The picture: from near and from far, on a phone, without anything that covers another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer, script

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


PHONE = {"width": 390, "height": 844}


WHOLE = "all => all.filter(one => one.textContent.includes('…')).map(one => one.textContent)"


def spread(page: Page) -> tuple[float, float]:
    """Return the share of the canvas' width that the cards span, and the width of the narrowest card."""
    return page.evaluate("""() => {
      const boxes = [...document.querySelectorAll('.card .body')].map(one => one.getBoundingClientRect());
      const reach = Math.max(...boxes.map(box => box.right)) - Math.min(...boxes.map(box => box.left));
      const { width } = document.querySelector('.canvas').getBoundingClientRect();
      return [reach / width, Math.min(...boxes.map(box => box.width))];
    }""")


def test_from_top_to_bottom_a_long_network_has_columns(page: Page) -> None:
    explorer = Explorer(page, "example=deep_sigmoid&down=1")
    page.wait_for_timeout(300)  # the picture takes its size after the page has
    assert len(explorer.values()) == len(explorer.deltas()) == 14
    assert len(explorer.edges()) == 13
    page.goto("about:blank")
    Explorer(page, "example=residual&down=1")
    page.wait_for_timeout(200)
    reach, narrowest = spread(page)
    assert reach > 0.6 and narrowest > 15
    top = page.locator('[data-node="x"]').bounding_box()
    below = page.locator('[data-node="h0"]').bounding_box()
    assert top and below and below["y"] > top["y"] + top["height"] - 1  # each of them from top to bottom


@pytest.mark.parametrize("state", ["", "&down=1", "&down=0"])
def test_on_a_phone_numbers_and_names_are_shown_and_the_picture_scrolls(page: Page, state: str) -> None:
    page.set_viewport_size(PHONE)
    for name, cards in (("flow_graph", 9), ("deep_sigmoid", 14), ("residual", 62)):
        page.goto("about:blank")
        explorer = Explorer(page, f"example={name}{state}")
        page.wait_for_timeout(300)
        assert len(explorer.values()) == cards, name
        assert len(explorer.edges()) >= cards - 5, name
        assert page.locator(".card .name").evaluate_all(WHOLE) == [], name
    explorer.at(1)  # h0, at the top
    scrolled = "document.querySelector('.viewport').scrollTop"
    assert page.evaluate(scrolled) < 400
    explorer.at(60)  # the loss, at the bottom
    page.wait_for_timeout(200)
    assert page.evaluate(scrolled) > 1000
    loss, viewport = (
        page.locator('[data-node="loss"] .body').bounding_box(),
        page.locator(".viewport").bounding_box(),
    )
    assert loss and viewport and viewport["y"] < loss["y"] < viewport["y"] + viewport["height"]


def test_a_small_picture_draws_norms_as_bars(page: Page) -> None:
    explorer = Explorer(page, "example=residual")
    page.wait_for_timeout(300)
    assert page.locator(".card .name").evaluate_all(WHOLE) == []
    bars = page.locator(".norm-bar rect:not(.track)")
    assert bars.count() == 61
    lengths = dict(
        bars.evaluate_all(
            "all => all.map(one => [one.closest('.card').dataset.node, +one.getAttribute('width')])"
        )
    )
    assert lengths["h0"] / lengths["loss"] == pytest.approx((1 + math.log10(0.5721)) * 112 / 66, rel=1e-2)
    assert lengths["h1"] > 1.3 * lengths["act1"] > 1.6 * lengths["in1"] > 0  # 0.52, 0.32, 0.20
    assert "‖δ‖ = 0.5721" in (page.locator('[data-node="h0"] > title').text_content() or "")
    assert page.locator('[data-node="h0"] .norm-bar text').text_content() == "0.57"
    legend = page.locator(".legend").inner_text()
    assert "the bar from 0.10 to 1 on a log scale" in legend and "zoom in" in legend
    assert "above: value" not in legend
    explorer.at(60)  # no delta yet
    assert bars.count() == 0 and "log scale" not in page.locator(".legend").inner_text()
    page.locator(".zoom button").first.click(click_count=4)
    page.locator("[data-value]").first.wait_for()
    assert "above: value" in page.locator(".legend").inner_text()


@pytest.mark.parametrize("width", [1280, 1024])
@pytest.mark.parametrize("name", ["circuit", "window_classifier", "flow_graph", "deep_sigmoid"])
def test_nothing_in_the_picture_covers_another(page: Page, name: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    explorer = Explorer(page, f"example={name}")
    if name == "circuit":
        page.locator('[data-input="x"]').fill("100008")
        page.locator('[data-edge-gradient="f→z"] text', has_text="1.0·10⁵").wait_for()
    page.wait_for_timeout(300)
    hidden = page.evaluate(script(__file__, "hidden"))
    assert (hidden["onCards"], hidden["out"], hidden["names"]) == (0, 0, [])
    assert hidden["legend"] <= 0 and hidden["buttons"] <= 0
    assert explorer.edges()
    if width == 1280:
        assert page.locator(".card .name").evaluate_all(WHOLE) == []

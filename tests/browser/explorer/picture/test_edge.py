"""Edges: where they begin, and how one is highlighted from end to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer, open_editor

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_a_path_stands_out_from_end_to_end(page: Page) -> None:
    explorer = Explorer(page, "example=flow_graph")
    joined = "all => all.map(one => one.dataset.node)"
    page.locator('[data-edge-gradient="skip→x"]').click()
    assert page.locator(".edge-button .strong").count() == 1
    assert {*page.locator(".card.joined").evaluate_all(joined)} == {"x", "skip"}
    assert page.locator('[data-edge-button^="x→skip"] .touch').get_attribute("aria-pressed") == "true"
    page.locator('[data-edge-gradient="hidden→x"]').click()  # another one instead
    assert {*page.locator(".card.joined").evaluate_all(joined)} == {"x", "hidden"}
    page.keyboard.press("Escape")
    assert page.locator(".edge-button .strong").count() == page.locator(".card.joined").count() == 0
    page.locator('[data-edge-button^="x→skip"] .touch').focus()
    page.keyboard.press("Enter")
    assert {*page.locator(".card.joined").evaluate_all(joined)} == {"x", "skip"}
    page.keyboard.press("Enter")
    assert page.locator(".edge-button .strong").count() == 0
    explorer.at(0)  # without a label, a click on the line itself
    middle = """one => {
      const there = one.getPointAtLength(one.getTotalLength() / 2).matrixTransform(one.getScreenCTM());
      return [there.x, there.y];
    }"""
    page.mouse.click(*page.locator('[data-edge-button^="x→skip"] .touch').evaluate(middle))
    assert {*page.locator(".card.joined").evaluate_all(joined)} == {"x", "skip"}


def test_an_edge_begins_at_its_box(page: Page) -> None:
    """Below an input of integers there is no delta, and no gap either."""
    Explorer(page, "example=window_classifier&down=1")
    page.locator(".zoom button").first.click(click_count=6)
    page.locator('[data-value="window"]').wait_for()
    gap = page.locator('[data-node="window"]').evaluate(
        """one => one.querySelector('.stub').getBoundingClientRect().top
          - one.querySelector('.body').getBoundingClientRect().bottom"""
    )
    assert abs(gap) <= 2


def widths(page: Page) -> dict[str, float]:
    """Return how wide each edge is drawn, in units of the picture."""
    drawn = "all => all.map(one => [one.dataset.edge, parseFloat(getComputedStyle(one).strokeWidth)])"
    return dict(page.locator("path[data-edge]").evaluate_all(drawn))


def test_an_edge_is_as_wide_as_its_share_of_what_arrives(page: Page) -> None:
    """Which path carries most is seen without a click: x of the flow graph gets most past the layer."""
    explorer = Explorer(page, "example=flow_graph&at=x")
    norms = page.locator('[data-section="arriving"] .terms > li > b').all_inner_texts()
    skip, hidden = (float(norm.strip("‖")) for norm in norms)  # skip sends first
    width = widths(page)
    for name, norm in (("skip/1", skip), ("hidden/0", hidden)):
        assert width[f"x→{name}"] == pytest.approx(1.2 + 3 * norm / (skip + hidden), abs=0.02)
    assert width["a→skip/0"] == pytest.approx(4.2)  # all that arrives at a
    spoken = page.locator('[data-edge-button="x→skip/1"] .touch').get_attribute("aria-label")
    assert spoken is not None and "87 % of the norms that arrive at x" in spoken
    assert round(100 * skip / (skip + hidden)) == 87
    explorer.at(0)
    assert max(widths(page).values()) < 3  # nothing has been sent yet


def test_an_edge_of_nothing_has_no_share(page: Page) -> None:
    """Where every δ is 0 there is no share of it, and no width from one."""
    explorer = open_editor(page, "example=circuit")
    text = page.locator(".editor textarea")
    text.fill(text.input_value().replace('"multiply"', '"maximum"').replace("[-4]", "[4]"))
    page.locator('[data-value="f"] text', has_text="4").wait_for()
    explorer.at(explorer.last())
    assert explorer.edges()["q→x"] == "0"
    assert all(0 < width < 6 for width in widths(page).values())
    spoken = page.locator('[data-edge-button^="x→q"] .touch').get_attribute("aria-label")
    assert spoken is not None and "%" not in spoken

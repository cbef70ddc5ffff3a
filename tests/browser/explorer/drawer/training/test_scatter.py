"""Examples as points of a plane, and the regions of the predicted classes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def loss_and_accuracy(page: Page) -> tuple[float, float]:
    """Return the loss, and the accuracy in percent."""
    loss, accuracy = re.findall(r"([\d.]+)(?:,| %)", page.locator("output").inner_text())
    return float(loss), float(accuracy)


def test_examples_in_the_plane_and_where_each_class_would_be(page: Page) -> None:
    """The picture of the lecture: two moons, and a border that moves between them."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url.rpartition("/v1")[2]))
    explorer = Explorer(page, "example=moons")
    assert "/forward" not in requests  # the tab is not open
    explorer.tab("Train")
    page.locator('.scatter[data-regions="2"]').wait_for()
    points = page.locator(".scatter > svg .point")
    drawn = points.evaluate_all("all => all.map(one => [one.classList[1], one.getAttribute('d')].join())")
    assert len(drawn) == 80 and len(set(drawn)) == 2  # each class has a colour and a shape
    border = page.locator(".scatter .border")
    before = border.get_attribute("d")
    page.locator("[data-train]").click()
    page.locator('[data-trained="300"]').wait_for(timeout=90_000)
    page.locator("[data-train]", has_text="Train 300").wait_for()
    page.wait_for_load_state("networkidle")
    assert border.get_attribute("d") != before
    assert 2 <= requests.count("/forward") < 50
    where = """all => all.filter(one => {
      const { left, top, width, height } = one.getBoundingClientRect();
      const under = document.elementsFromPoint(left + width / 2, top + height / 2);
      const region = under.find(other => other.closest('.regions') && other.localName === 'rect');
      return region?.classList[0] === one.classList[1];
    }).length"""
    page.locator(".scatter").scroll_into_view_if_needed()
    assert (
        abs(points.evaluate_all(where) / 80 - loss_and_accuracy(page)[1] / 100) < 0.05
    )  # the accuracy, seen
    page.locator("[data-reset]").click()
    page.locator("[data-trained]").wait_for(state="detached")
    page.wait_for_function(
        "d => document.querySelector('.scatter .border').getAttribute('d') === d", arg=before
    )


@pytest.mark.parametrize("name", ["flow_graph", "deep_sigmoid", "window_classifier", "residual"])
def test_examples_that_are_no_points_of_a_plane_are_not_drawn(page: Page, name: str) -> None:
    Explorer(page, f"example={name}&tab=train")
    page.locator(".controls").wait_for()
    assert page.locator(".scatter").count() == 0

"""The size of the picture: all of it in its frame, and every text large enough to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import EXAMPLES, Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


IN_CANVAS = """all => {
  const frame = document.querySelector('.graph').getBoundingClientRect();
  return all.filter(one => {
    const box = one.getBoundingClientRect();
    return box.left < frame.left - 1 || box.right > frame.right + 1
      || box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
  }).map(one => one.parentNode.dataset.node);
}"""


SIZES = """all => all.map(one => parseFloat(getComputedStyle(one).fontSize)
  * Math.hypot(one.getScreenCTM().a, one.getScreenCTM().b))"""


@pytest.mark.parametrize("state, width", [("&down=1", 1280), ("", 390), ("&down=1", 390), ("", 1280)])
def test_the_whole_network_is_in_the_picture(page: Page, state: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    for name in EXAMPLES:
        page.goto("about:blank")
        Explorer(page, f"example={name}{state}")
        page.wait_for_timeout(200)  # the picture takes its size after the page has
        assert page.locator(".card .body").evaluate_all(IN_CANVAS) == [], name


@pytest.mark.parametrize("name", EXAMPLES)
def test_texts_in_the_picture_can_be_read(page: Page, name: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    Explorer(page, f"example={name}")
    page.wait_for_timeout(200)
    texts = page.locator(
        ".drawing .card > g > text, .drawing .value text, .drawing .delta text, .edge-label text"
    )
    texts.first.wait_for()
    sizes = texts.evaluate_all(SIZES)
    assert sizes and min(sizes) >= 10.99, min(sizes)
    assert page.locator(".canvas").bounding_box()["height"] >= 440  # type: ignore[index]

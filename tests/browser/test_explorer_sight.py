"""What is in sight: the panel's top, the section a tour speaks of, whole pictures, texts that can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

SHIPPED = ["circuit", "fan_out", "sigmoid_neuron_gates", "sigmoid_neuron_layer", "window_classifier"]
SHIPPED += ["flow_graph", "deep_sigmoid", "residual", "moons"]

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


def scrolled(page: Page) -> float:
    return float(page.locator("aside").evaluate("one => one.scrollTop"))


def scroll_down(page: Page) -> None:
    page.locator("aside").evaluate("one => { one.scrollTop = one.scrollHeight; }")
    assert scrolled(page) > 0


def test_the_panel_goes_to_its_top(page: Page) -> None:
    explorer = Explorer(page, "example=window_classifier&at=z1")
    scroll_down(page)
    explorer.select("z2")
    assert scrolled(page) == 0
    scroll_down(page)
    explorer.press("ArrowLeft")
    page.locator('[data-step="29"]').wait_for()
    assert scrolled(page) == 0
    explorer.select("z1")
    scroll_down(page)
    page.locator(".tours button").nth(1).click()
    page.locator('[data-tour="1.0"]').wait_for()
    page.locator('[data-panel="f"]').wait_for()
    assert page.locator(".tour").bounding_box()["y"] < 100  # type: ignore[index]


def test_a_tour_shows_the_section_it_speaks_of(page: Page) -> None:
    Explorer(page, "tour=0.2")
    named = page.locator('.named[data-section="gradient"]')
    named.wait_for()
    card, section = page.locator(".tour").bounding_box(), named.bounding_box()
    assert card and section
    assert card["y"] >= 40 and card["y"] + card["height"] <= section["y"] < 800
    page.locator('[data-tour-go="next"]').click()
    page.locator('[data-tour="0.3"]').wait_for()
    page.locator(".named").wait_for()
    assert page.locator(".named").count() == 1


def test_the_way_in_is_told(page: Page) -> None:
    Explorer(page)
    assert page.locator(".welcome").inner_text().endswith("start here: 2 · Circuits")
    page.locator("[data-welcome]").click()
    page.locator('[data-tour="1.0"]').wait_for()
    assert page.locator(".welcome").count() == 0


def test_on_a_phone_a_tap_brings_the_panel(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    Explorer(page, "example=circuit")
    page.locator('[data-node="q"]').click()
    page.locator('[data-panel="q"]').wait_for()
    page.wait_for_timeout(1000)  # it scrolls smoothly
    sums, top = page.locator('[data-sum="q"]').bounding_box(), page.locator(".panel").bounding_box()
    assert sums and sums["y"] + sums["height"] < 844
    assert top and top["y"] > 200  # the picture's end is still there


@pytest.mark.parametrize("state, width", [("&down=1", 1280), ("", 390), ("&down=1", 390), ("", 1280)])
def test_the_whole_network_is_in_the_picture(page: Page, state: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    for name in SHIPPED:
        page.goto("about:blank")
        Explorer(page, f"example={name}{state}")
        page.wait_for_timeout(200)  # the picture takes its size after the page has
        assert page.locator(".card .body").evaluate_all(IN_CANVAS) == [], name


def test_the_direction_is_of_one_network(page: Page) -> None:
    Explorer(page, "example=circuit&down=1")
    page.get_by_role("button", name="left to right").wait_for()
    page.locator("select.network").select_option("window_classifier")
    page.locator('[data-node="z1"]').wait_for()
    page.get_by_role("button", name="top to bottom").wait_for()


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


@pytest.mark.parametrize("name", SHIPPED)
def test_texts_in_the_picture_can_be_read(page: Page, name: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    Explorer(page, f"example={name}")
    page.wait_for_timeout(200)
    texts = page.locator(
        ".drawing .card > text, .drawing .value text, .drawing .delta text, .edge-label text"
    )
    sizes = texts.evaluate_all(SIZES)
    assert sizes and min(sizes) >= 10.99, min(sizes)
    assert page.locator(".canvas").bounding_box()["height"] >= 440  # type: ignore[index]


def test_paths_of_arrays_are_named_with_their_norms(page: Page) -> None:
    Explorer(page, "example=flow_graph&at=x")
    assert page.locator('[data-sum="x"]').inner_text().replace("\n", "") == "δx = δskip→x + δhidden→x"
    told = page.locator('[data-norms="x"]').inner_text().replace("\n", "")
    assert "‖δskip→x‖ = 0.1254, ‖δhidden→x‖ = 0.01923; ‖δx‖ = 0.1236" in told
    page.get_by_role("button", name="한국어").click()
    assert "노름" in page.locator('[data-norms="x"]').inner_text()


def test_the_theme_survives_a_reload(page: Page) -> None:
    Explorer(page, "example=circuit")
    before = page.locator("html").get_attribute("data-theme")
    page.locator("[data-theme-switch]").click()
    page.reload()
    page.locator(".card").first.wait_for()
    assert page.locator("html").get_attribute("data-theme") not in (before, None)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_key_tells_norms_and_colours(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    Explorer(page, "example=flow_graph")
    key = page.locator(".legend")
    assert "‖·‖: norm of an array" in key.inner_text() and key.locator(".bar").is_visible()


def test_a_stop_that_was_left_can_be_gone_back_to(page: Page) -> None:
    explorer = Explorer(page, "tour=1.1")
    page.locator('[data-tour="1.1"]').wait_for()
    back = page.locator('[data-tour-go="here"]')
    page.wait_for_function("() => !document.querySelector('[data-tour-go=here]')")
    step = explorer.step()
    next_at = page.locator('[data-tour-go="next"]').bounding_box()
    explorer.press("ArrowRight")
    back.click()
    page.locator(f'[data-step="{step}"]').wait_for()
    assert back.count() == 0
    page.locator('[data-tour-go="next"]').click()
    page.locator('[data-tour="1.2"]').wait_for()
    assert page.locator('[data-tour-go="next"]').bounding_box() == next_at  # it does not move with the text


def test_the_link_is_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    Explorer(page, "example=fan_out&step=2")
    page.wait_for_function("() => location.hash.includes('at=m')")
    page.locator("[data-link]").click()
    page.get_by_role("button", name="copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url

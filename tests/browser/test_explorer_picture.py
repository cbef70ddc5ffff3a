"""The picture of the network: both ways it runs, from near and from far, as a file, path by path."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
WHOLE = "all => all.filter(one => one.textContent.includes('…')).map(one => one.textContent)"


def spread(page: Page) -> tuple[float, float]:
    """The share of the canvas that the cards reach over, and the width of the narrowest of them."""
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
    near = "document.querySelector('.viewport').scrollTop"
    assert page.evaluate(near) < 400
    explorer.at(60)  # the loss, at the bottom
    page.wait_for_timeout(200)
    assert page.evaluate(near) > 1000
    loss, sight = (
        page.locator('[data-node="loss"] .body').bounding_box(),
        page.locator(".viewport").bounding_box(),
    )
    assert loss and sight and sight["y"] < loss["y"] < sight["y"] + sight["height"]


def saved(page: Page, kind: str, path: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name=kind, exact=True).click()
    download.value.save_as(path)
    return path


def test_a_saved_picture_has_every_number_and_whole_names(page: Page, tmp_path: Path) -> None:
    """However far away the picture on the page is."""
    Explorer(page, "example=residual")
    assert page.locator("[data-value]").count() == 0
    picture = ElementTree.parse(saved(page, "SVG", tmp_path / "residual.svg"))
    texts = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {
        "scores",
        "log_probs",
        "loss",
        *(f"{kind}{i}" for kind in ("in", "act", "out", "h") for i in range(1, 15)),
    } <= {*texts}
    assert not [text for text in texts if text and "…" in text]

    def count(attribute: str) -> int:
        return sum(attribute in one.attrib for one in picture.iter())

    assert (count("data-value"), count("data-delta"), count("data-edge-gradient")) == (62, 61, 74)
    assert "‖1.86‖" in texts and "δ ‖0.57‖" in texts
    body = saved(page, "PNG", tmp_path / "residual.png").read_bytes()
    width, height = (int.from_bytes(body[at : at + 4], "big") for at in (16, 20))
    assert width * height > 4_000_000  # enough pixels for all of that


def test_from_far_every_card_says_how_large_its_delta_is(page: Page) -> None:
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
    key = page.locator(".legend").inner_text()
    assert "the bar from 0.10 to 1 on a log scale" in key and "zoom in" in key
    assert "above: value" not in key
    explorer.at(60)  # no delta yet
    assert bars.count() == 0 and "log scale" not in page.locator(".legend").inner_text()
    page.locator(".zoom button").first.click(click_count=4)
    page.locator("[data-value]").first.wait_for()
    assert "above: value" in page.locator(".legend").inner_text()


def test_a_path_stands_out_from_end_to_end(page: Page) -> None:
    explorer = Explorer(page, "example=flow_graph")
    joined = "all => all.map(one => one.dataset.node)"
    page.locator('[data-edge-gradient="skip→x"]').click()
    assert page.locator(".edge-button .strong").count() == 1
    assert {*page.locator(".card.joined").evaluate_all(joined)} == {"x", "skip"}
    assert page.locator('[data-edge-button^="x→skip"]').get_attribute("aria-pressed") == "true"
    page.locator('[data-edge-gradient="hidden→x"]').click()  # another one instead
    assert {*page.locator(".card.joined").evaluate_all(joined)} == {"x", "hidden"}
    page.keyboard.press("Escape")
    assert page.locator(".edge-button .strong").count() == page.locator(".card.joined").count() == 0
    page.locator('[data-edge-button^="x→skip"]').focus()
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


@pytest.mark.parametrize("width", [1280, 1024])
@pytest.mark.parametrize("name", ["circuit", "window_classifier", "flow_graph", "deep_sigmoid"])
def test_nothing_in_the_picture_covers_another(page: Page, name: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    explorer = Explorer(page, f"example={name}")
    if name == "circuit":
        page.locator('[data-input="x"]').fill("100008")
        page.locator('[data-edge-gradient="f→z"] text', has_text="1.0·10⁵").wait_for()
    page.wait_for_timeout(300)
    hidden = page.evaluate((Path(__file__).parent / "hidden.js").read_text())
    assert (hidden["onCards"], hidden["out"], hidden["names"]) == (0, 0, [])
    assert hidden["key"] <= 0 and hidden["buttons"] <= 0
    assert explorer.edges()
    if width == 1280:
        assert page.locator(".card .name").evaluate_all(WHOLE) == []


def test_the_key_tells_how_cells_are_scaled(page: Page) -> None:
    Explorer(page, "example=flow_graph")
    assert "scaled per strip" in page.locator(".legend").inner_text()


def test_the_key_says_what_delta_is_the_derivative_of(page: Page) -> None:
    Explorer(page, "example=circuit")
    assert "δ = ∂f/∂value" in page.locator(".legend").inner_text()
    page.locator("select.network").select_option("flow_graph")
    page.locator(".legend", has_text="δ = ∂loss/∂value").wait_for()

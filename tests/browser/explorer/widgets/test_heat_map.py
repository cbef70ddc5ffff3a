"""Heat maps: every number on a click, and each written so that it fits its cell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.explorer import Explorer, open_editor

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def plain(number: str) -> str:
    """Rewrite a number for Python: −2.1·10⁻⁴ as -2.1e-4."""
    return number.replace("−", "-").replace("·10", "e").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))


def test_a_click_on_a_heat_map_shows_all_its_numbers(page: Page) -> None:
    Explorer(page, "example=window_classifier&at=x")
    page.locator(".heat", has_text="value of x").locator("svg").click()
    value = page.locator(".heat", has_text="value of x").locator("[data-numbers] td").all_inner_texts()
    assert len(value) == 20 and value[:4] == ["0.08", "−0.49", "0.23", "−0.78"]
    delta = page.locator(".heat", has_text="δ x").first
    delta.locator(".all").click()
    numbers = delta.locator("[data-numbers] td").all_inner_texts()
    exact = delta.locator("[data-numbers] td").evaluate_all("all => all.map(one => one.title)")
    assert len(numbers) == 20 and all(len(number) > 12 for number in exact)  # every digit of them
    for number, whole in zip(numbers, exact, strict=True):  # seven to be read
        assert float(plain(number)) == pytest.approx(float(whole), rel=1e-6) and len(plain(number)) < 14
    delta.locator(".all").click()
    assert delta.locator("[data-numbers]").count() == 0


def test_where_a_click_chooses_a_cell_a_button_shows_the_numbers(page: Page) -> None:
    Explorer(page, "example=window_classifier&at=z1")
    gradient = page.locator(".heat", has_text="∂L/∂z1.weight")
    gradient.locator(".cell").nth(3).click()
    assert gradient.locator("[data-numbers]").count() == 0
    gradient.locator(".all").click()
    assert gradient.locator("[data-numbers] td").count() == 60


@pytest.mark.parametrize("state", ["example=window_classifier&at=z1", "example=deep_sigmoid&at=z1"])
def test_every_number_fits_its_cell(page: Page, state: str) -> None:
    Explorer(page, state)
    numbers = page.locator(".panel .heat")
    texts = page.locator(".panel .heat :is(.cell text, .heat-legend span)").all_text_contents()
    assert len(texts) > 20 and not any("e" in text for text in texts)
    for heat in numbers.all():
        for cell in heat.locator(".cell:has(text)").all():
            text, whole = (
                cell.locator("text").text_content() or "",
                cell.locator("title").text_content() or "",
            )
            exact = float(whole.rpartition(" ")[2])
            assert float(plain(text)) == pytest.approx(exact, rel=0.05), (text, whole)  # two digits of each
            room = "(one, what) => one.querySelector(what).getBBox().width"
            inside = float(cell.evaluate(room, "rect")) - float(cell.evaluate(room, "text"))
            assert inside >= 0, text


def test_a_wide_map_shrinks_with_a_narrow_panel(page: Page) -> None:
    page.set_viewport_size({"width": 1024, "height": 900})
    Explorer(page, "example=residual&at=in1")
    page.locator(".fold summary").click()
    heat = page.locator(".fold .heat", has_text="in1.weight")
    last, frame = heat.locator(".cell").last.bounding_box(), heat.locator("svg").bounding_box()
    panel = page.locator(".panel").bounding_box()
    assert last and frame and panel
    assert last["x"] + last["width"] <= frame["x"] + frame["width"] + 1 <= panel["x"] + panel["width"] + 1
    assert last["y"] + last["height"] <= frame["y"] + frame["height"] + 1


def open_image(page: Page, shape: list[int]) -> Explorer:
    """Open the sum of the squares of an image of 0, 1, 2, …: δ is twice its value."""
    count = 1
    for size in shape:
        count *= size

    def nested(first: int, axes: list[int]) -> Any:
        if not axes:
            return first
        step = 1
        for size in axes[1:]:
            step *= size
        return [nested(first + i * step, axes[1:]) for i in range(axes[0])]

    nodes = [{"name": "squares", "kind": "multiply", "inputs": ["u", "u"]}, {"name": "all", "kind": "sum"}]
    network = {"inputs": {"u": {"shape": shape}}, "nodes": nodes}
    explorer = open_editor(page, "example=circuit")
    page.locator(".editor textarea").fill(json.dumps({"network": network, "data": {"u": [nested(0, shape)]}}))
    page.locator('[data-node="squares"]').wait_for()
    explorer.at(explorer.last())
    explorer.select("u")
    return explorer


def test_channels_are_labelled_and_stand_in_a_grid(page: Page) -> None:
    open_image(page, [3, 4, 4])
    value = page.locator('[data-section="value"] .heat')
    assert value.locator(".channel small").all_inner_texts() == [f"[{k}, ·, ·]" for k in range(3)]
    for k in range(3):
        titles = value.locator(f'[data-channel="{k}"] title').all_text_contents()
        assert titles == [f"[{k}, {i}, {j}] {16 * k + 4 * i + j}" for i in range(4) for j in range(4)]
    wide = page.evaluate("document.querySelector('.panel').clientWidth")
    for channel in value.locator(".channel").all():
        box = channel.bounding_box()
        assert box and box["width"] <= wide


def test_small_channels_share_a_line(page: Page) -> None:
    open_image(page, [4, 10, 10])
    boxes = [one.bounding_box() for one in page.locator('[data-section="value"] .channel').all()]
    tops = [box["y"] for box in boxes if box]
    assert len(tops) == 4 and tops[0] == tops[1] and len(set(tops)) == 2


def test_a_number_of_a_channel_can_be_taken_apart(page: Page) -> None:
    open_image(page, [3, 2, 2])
    delta = page.locator('[data-section="arriving"] .heat').last
    delta.locator('[data-channel="2"] .cell').nth(1).click()
    one = page.locator('[data-component="u"]')
    one.locator("b", has_text="u[2, 0, 1]").wait_for()
    assert one.locator(".apart > li > b").all_text_contents() == ["9", "9", "18"]
    assert delta.locator(".cell.chosen").count() == 1


@pytest.mark.parametrize("shape", [[3, 4, 4], [2, 2, 3, 3], [5]])
def test_a_card_has_the_cells_of_all_channels_apart(page: Page, shape: list[int]) -> None:
    open_image(page, shape)
    boxes = page.locator('[data-value="u"] .cells rect').evaluate_all(
        "all => all.map(one => ['x', 'y', 'width'].map(name => Number(one.getAttribute(name))))"
    )
    count = 1
    for size in shape:
        count *= size
    assert len(boxes) == count
    for i, (x, y, size) in enumerate(boxes):
        assert size > 0.5
        for left, top, other in boxes[:i]:
            assert abs(x - left) >= min(size, other) - 1e-6 or abs(y - top) >= min(size, other) - 1e-6


def test_very_many_channels_are_drawn_as_one(page: Page) -> None:
    open_image(page, [65, 2, 2])
    assert page.locator('[data-section="value"] .heat svg').count() == 1

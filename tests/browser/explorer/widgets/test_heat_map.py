"""Heat maps: every number on a click, and each written so that it fits its cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

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

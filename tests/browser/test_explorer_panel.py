"""The panel beside the graph: all numbers on a click, parameters unfolded, jumps to a node's steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def plain(number: str) -> str:
    """As Python reads it: −2.1·10⁻⁴ is -2.1e-4."""
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
def test_numbers_are_written_in_one_way_in_cells_and_below_them(page: Page, state: str) -> None:
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


def test_the_way_of_an_array_s_delta_is_told_in_a_line(page: Page) -> None:
    explorer = Explorer(page, "example=window_classifier&at=z1")
    line = page.locator('[data-norm-paths="z1"] li')
    told = line.inner_text().split()
    assert told[:5] == ["‖0.01705‖", "←", "a1", "‖0.07894‖", "←"] and told[-2:] == ["loss", "‖1‖"]
    line.get_by_role("button", name="a1").click()
    page.locator('[data-norm-paths="a1"]').wait_for()
    explorer.page.goto("about:blank")
    Explorer(page, "example=flow_graph&at=x")
    paths = page.locator('[data-norm-paths="x"] li').all_inner_texts()
    assert sorted(path.split()[2] for path in paths) == ["hidden", "skip"]


def test_parameters_unfold_from_their_card(page: Page) -> None:
    Explorer(page, "example=flow_graph&at=x")
    page.locator("[data-unfold=hidden]").click()
    page.locator("[data-panel=hidden] details[open] .heat", has_text="hidden.weight").wait_for()


def test_jumps_to_the_steps_of_a_node(page: Page) -> None:
    explorer = Explorer(page, "example=sigmoid_neuron_gates&at=s")
    for jump, step in (("jumpForward", 3), ("jumpBackward", 12)):
        page.locator(f"[data-jump={jump}]").click()
        page.locator(f'[data-step="{step}"]').wait_for()
        assert "s" in explorer.values() and explorer.page.locator('[data-panel="s"]').count() == 1


def test_a_link_that_was_cut_short_opens_the_first_network(page: Page) -> None:
    explorer = Explorer(page, "state=zVbrTp&step=2")
    assert explorer.values().keys() == {"x", "y", "z", "q", "f"} and explorer.step() == 2


@pytest.mark.parametrize("name", ["flow_graph", "window_classifier", "deep_sigmoid", "moons", "residual"])
def test_no_formula_runs_out_of_the_panel(page: Page, name: str) -> None:
    explorer = Explorer(page, f"example={name}")
    wide = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.dataset.tex)"
    nodes = page.locator("[data-node]").evaluate_all("all => all.map(one => one.dataset.node)")
    for node in [node for node in nodes if not node[-1:].isdigit() or int(node[-1]) < 4]:
        page.locator(f'[data-node="{node}"]').focus()
        explorer.press("Enter")
        page.locator(f'[data-panel="{node}"]').wait_for()
        assert page.locator(".panel .formula").evaluate_all(wide) == [], node


def test_shapes_are_told_beside_the_equations(page: Page) -> None:
    explorer = Explorer(page, "example=flow_graph")
    explorer.select("hidden")
    assert page.locator(".panel .shapes").all_inner_texts() == [
        "weight 4×4, x 4, bias 4",
        "weight 4×4, δ hidden 4",
        "δ hidden 4, x 4",
        "δ hidden 4",
    ]
    explorer.select("log_probs")  # its formula speaks of single places: of numbers it has the result alone
    assert page.locator(".panel .formula.numbers").first.get_attribute("data-tex").count("pmatrix") == 2  # type: ignore[union-attr]

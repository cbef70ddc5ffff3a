"""Equations: inside the panel, with the shapes of their arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", ["flow_graph", "window_classifier", "deep_sigmoid", "moons", "residual"])
def test_no_formula_runs_out_of_the_panel(page: Page, name: str) -> None:
    explorer = Explorer(page, f"example={name}")
    wide = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.dataset.tex)"
    nodes = page.locator("[data-node]").evaluate_all("all => all.map(one => one.dataset.node)")
    for node in [node for node in nodes if not node[-1:].isdigit() or int(node[-1]) < 4]:
        page.locator(f'[data-node="{node}"] .ring').focus()
        explorer.press("Enter")
        page.locator(f'[data-panel="{node}"]').wait_for()
        assert page.locator(".panel .formula").evaluate_all(wide) == [], node


def test_shapes_stand_beside_the_equations(page: Page) -> None:
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

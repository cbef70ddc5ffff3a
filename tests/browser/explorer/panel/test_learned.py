"""A learned input says that it is learned, and shows its numbers, its gradient and the check of both."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

NETWORK: dict[str, Any] = {
    "inputs": {
        "x": {"shape": [3]},
        "position": {"shape": [3], "parameter": {"constant": 2}},
        "factor": {"shape": [], "parameter": {"constant": 1.5}},
    },
    "nodes": [
        {"name": "moved", "kind": "add", "inputs": ["x", "position"]},
        {"name": "total", "kind": "sum", "inputs": ["moved"]},
        {"name": "out", "kind": "multiply", "inputs": ["total", "factor"]},
    ],
    "loss": "out",
}


def opened(page: Page, **more: Any) -> Explorer:
    """The page on NETWORK, at the last step."""
    explorer = Explorer(page, "example=circuit")
    explorer.tab("Edit")
    request = {"network": NETWORK | more, "data": {"x": [[1.0, 2.0, 3.0]]}}
    page.locator(".editor textarea").fill(json.dumps(request))
    page.locator('[data-node="total"]').wait_for()
    return explorer.at(explorer.last())


def test_it_says_that_it_is_learned(page: Page) -> None:
    explorer = opened(page)
    assert page.locator('[data-node="position"] .kind').text_content() == "learned · 3"
    assert page.locator('[data-node="x"] .kind').text_content() == "input · 3"
    explorer.select("position")
    assert page.locator("[data-panel] h2").inner_text() == "position learned · 3"
    assert "Learned: a parameter" in explorer.panel() and "Given" not in explorer.panel()
    assert page.locator('[data-unfold="position"]').count() == 0  # it has no config to unfold
    page.get_by_role("button", name="한국어").click()
    assert "학습됨" in page.locator("[data-panel] h2").inner_text()


def test_its_gradient_is_the_delta_that_arrives_and_the_regularization(page: Page) -> None:
    explorer = opened(page, regularization={"l2": 0.5, "parameters": ["position"]})
    explorer.select("position")
    gradient = page.locator('[data-gradient="position"]')
    formulas = gradient.locator(".formula").evaluate_all("all => all.map(one => one.dataset.tex)")
    assert formulas[0].endswith(r"= \delta_{\text{position}} + \lambda\, \text{position}")
    gradient.locator(".all").click()
    titles = gradient.locator("[data-numbers] td").evaluate_all("all => all.map(one => one.title)")
    assert [float(one) for one in titles] == [2.5, 2.5, 2.5]  # 1.5 arrives, and 0.5 · 2
    explorer.select("factor")
    assert "12" in page.locator('[data-gradient="factor"]').inner_text()


def test_it_has_no_gradient_before_the_delta_arrives(page: Page) -> None:
    explorer = opened(page)
    explorer.select("position")
    explorer.at(3)
    assert page.locator('[data-gradient="position"]').count() == 0


@pytest.mark.parametrize("l2", [0.0, 0.5])
def test_every_red_number_of_it_has_a_badge(page: Page, l2: float) -> None:
    explorer = opened(page, regularization={"l2": l2, "parameters": ["*"]})
    explorer.tab("Findings")
    page.locator("[data-check]").click()
    page.locator("[data-agree]").wait_for(timeout=60_000)
    for places in (".drawing [data-badge]", ".drawing [data-edge-badge]"):
        badges = page.locator(places).evaluate_all("all => all.map(one => one.firstChild.textContent)")
        assert len(badges) == 6 - ("edge" in places) and all(badge.startswith("✓") for badge in badges)


def test_it_is_no_input_whose_saliency_is_plotted(page: Page) -> None:
    opened(page).tab("Plots")
    labels = page.locator(".saliency figcaption").all_inner_texts()
    assert labels and not [label for label in labels if "position" in label]

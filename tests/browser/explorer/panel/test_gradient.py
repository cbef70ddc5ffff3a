"""Gradients of parameters that several nodes share, or that are regularized: every term is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser


def formulas(page: Page, parameter: str) -> list[str]:
    written = page.locator(f'[data-gradient="{parameter}"] .formula')
    return list(written.evaluate_all("all => all.map(one => one.dataset.tex)"))


def numbers(page: Page, parameter: str) -> list[float]:
    """Return the numbers of a gradient's heat map."""
    return exact(page.locator(f'[data-gradient="{parameter}"] .heat'))


def exact(heat: Locator) -> list[float]:
    """Return all numbers of a heat map, with all their digits."""
    heat.locator(".all").click()
    titles = heat.locator("[data-numbers] td").evaluate_all("all => all.map(one => one.title)")
    return [float(one) for one in titles]


@pytest.mark.parametrize("node", ["z1", "z1_corrupt"])
def test_the_gradient_is_written_as_the_sum_of_its_terms(page: Page, node: str) -> None:
    Explorer(page, f"example=window_classifier&at={node}&step=30")
    weight = formulas(page, "z1.weight")[0]
    assert r"\partial\, \text{z1.weight}" in weight
    assert r"\delta_{z_{1}}" in weight and r"\delta_{\text{z1\_corrupt}}" in weight
    assert r"+ \lambda\, \text{z1.weight}" in weight
    bias = formulas(page, "z1.bias")[0]
    assert bias.count(r"\delta_") == 2 and "lambda" not in bias  # its glob names weights alone
    shares = page.locator('[data-gradient="z1.bias"] [data-contribution]')
    assert shares.evaluate_all("all => all.map(one => one.dataset.contribution)") == ["z1_corrupt", "z1"]


def test_a_contribution_that_is_still_to_come_is_no_part_of_the_sum(page: Page) -> None:
    Explorer(page, "example=window_classifier&at=z1_corrupt&step=25")
    first = numbers(page, "z1.bias")
    text = page.locator('[data-gradient="z1.bias"]').inner_text()
    assert "so far" in text and "contribution of z1: ? 1 still to come" in text
    page.goto("about:blank")
    Explorer(page, "example=window_classifier&at=z1_corrupt&step=30")
    whole = numbers(page, "z1.bias")
    assert "so far" not in page.locator('[data-gradient="z1.bias"]').inner_text()
    page.goto("about:blank")
    Explorer(page, "example=window_classifier&at=z1&step=30")
    second = exact(page.locator(".heat", has_text="δ z1").first)
    assert whole == pytest.approx([a + b for a, b in zip(first, second, strict=True)])


def test_a_parameter_of_one_node_keeps_its_one_equation(page: Page) -> None:
    Explorer(page, "example=flow_graph&at=scores")
    names, share = formulas(page, "scores.weight")
    assert r"\partial\, \text{weight}" in names and "aligned" not in names and share.startswith("= ")


def test_one_number_of_a_gradient_is_written_term_by_term(page: Page) -> None:
    """δ times what came in, for both windows, and λ·w: the lecture's second equation."""
    Explorer(page, "example=window_classifier&at=z1")
    text = page.locator('[data-weight="z1.weight"]').inner_text()
    assert "δ z1[0] · x[0]" in text and "δ z1_corrupt[0] · x_corrupt[0]" in text
    assert "λ · w = 0.01 · 0.46 = 0.0046" in text.replace("\n", " ").replace("  ", " ")
    page.locator(".heat", has_text="∂L/∂z1.weight").locator(".cell").nth(25).click()
    assert "z1.weight[1, 5]" in page.locator('[data-weight="z1.weight"]').inner_text()

"""Paths from a place to the loss: products of local gradients, norms of δ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_why_the_gradient_of_x_is_minus_four(page: Page) -> None:
    explorer = Explorer(page, "example=circuit")
    explorer.select("x")
    paths = page.locator('[data-paths="x"]').inner_text()
    assert "x → q → f" in paths and "1 · (−4) = −4" in paths
    factors = page.locator('[data-paths="x"] .formula').evaluate_all("all => all.map(one => one.dataset.tex)")
    assert factors[2:] == [r"\dfrac{\partial f}{\partial q} = -4", r"\displaystyle f = {q} \cdot {z}"]


def test_why_the_gradient_of_x0_is_0_39(page: Page) -> None:
    explorer = Explorer(page, "example=sigmoid_neuron_gates")
    explorer.select("x0")
    assert "2 · 1 · (−1) · 0.3679 · 1 · (−0.5344) = 0.3932" in page.locator('[data-paths="x0"]').inner_text()
    explorer.select("p0")
    assert page.locator('[data-product="x0→p0/1"] b').all_inner_texts() == ["2", "0.1966", "0.3932"]


def test_the_path_of_an_array_s_delta_is_written_in_a_line(page: Page) -> None:
    explorer = Explorer(page, "example=window_classifier&at=z1")
    line = page.locator('[data-norm-paths="z1"] li')
    words = line.inner_text().split()
    assert words[:5] == ["‖0.01705‖", "←", "a1", "‖0.07894‖", "←"] and words[-2:] == ["loss", "‖1‖"]
    line.get_by_role("button", name="a1").click()
    page.locator('[data-norm-paths="a1"]').wait_for()
    explorer.page.goto("about:blank")
    Explorer(page, "example=flow_graph&at=x")
    paths = page.locator('[data-norm-paths="x"] li').all_inner_texts()
    assert [path.split()[2] for path in paths] == ["skip", "hidden"]  # the most first

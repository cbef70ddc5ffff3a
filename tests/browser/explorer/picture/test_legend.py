"""The legend above the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 390])
def test_the_legend_explains_norms_and_colours(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    Explorer(page, "example=flow_graph")
    legend = page.locator(".legend")
    assert "‖·‖: norm of an array" in legend.inner_text() and legend.locator(".bar").is_visible()


def test_the_legend_says_how_cells_are_scaled(page: Page) -> None:
    Explorer(page, "example=flow_graph")
    assert "scaled per strip" in page.locator(".legend").inner_text()


def test_the_legend_says_what_delta_is_the_derivative_of(page: Page) -> None:
    Explorer(page, "example=circuit")
    assert "δ = ∂f/∂value" in page.locator(".legend").inner_text()
    page.locator("select.network").select_option("flow_graph")
    page.locator(".legend", has_text="δ = ∂loss/∂value").wait_for()

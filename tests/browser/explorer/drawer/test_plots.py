"""Plots: norms over depth, branch by branch, and saliency."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_plots(page: Page) -> None:
    explorer = Explorer(page, "example=flow_graph")
    explorer.tab("Plots")
    text = page.locator(".plots").inner_text()
    assert "Signed saliency: ∂loss/∂x" in text and "Absolute saliency: |∂loss/∂x|" in text
    assert page.locator(".plots .chart .plot svg").count() == 1


def test_branches_side_by_side_are_lines_of_their_own_over_depth(page: Page) -> None:
    """Both windows of the classifier go through as many nodes: δ does not crash from one to the other."""
    explorer = Explorer(page, "example=window_classifier&tab=plots")
    text = page.locator(".plots").inner_text()
    assert "‖δ‖: vectors … score" in text and "‖δ‖: vectors_corrupt … loss" in text
    assert "No saliency: window, corrupt_window are integers" in text
    assert explorer.values()["window"] == "0 1 2 3 4"  # words, which have no norm
    explorer.select("window")
    assert page.locator(".panel .heat .cell").count() == 5 and "‖" not in explorer.panel()
    result = page.evaluate(
        """async () => {
          const { linesOf } = await import('/explorer/drawer/depth.js');
          const names = ['loss', 'add', 'b2', 'b1', 'a1', 'first', 'x'];
          const edges = [['add', 'loss'], ['b2', 'add'], ['a1', 'add'], ['b1', 'b2'], ['first', 'b1'],
            ['first', 'a1'], ['x', 'first']].map(([from, to]) => ({ from, to }));
          const places = new Map(names.map(name => [name, { kind: name === 'x' ? null : 'kind' }]));
          const forward = names.slice(0, -1).reverse();
          const { names: ticks, lines } = linesOf({ backward: names, forward, edges, places });
          return { ticks, lines };
        }"""
    )
    assert result == {
        "ticks": ["loss", "add", "a1", "b1", "first"],
        "lines": [
            {"joint": None, "nodes": ["loss", "add", "b2", "b1", "first"]},
            {"joint": "add", "nodes": ["a1"]},
        ],
    }

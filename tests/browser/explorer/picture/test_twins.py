"""Two edges between the same two cards: each is named by the input it leads to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer, open_editor

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def power(page: Page, kind: str, shape: list[int]) -> Explorer:
    """Open f = x / x or x - x, of which the two edges send different deltas."""
    explorer = open_editor(page, "example=circuit")
    nodes = [{"name": "f", "kind": kind, "inputs": ["x", "x"]}]
    if shape:
        nodes.append({"name": "total", "kind": "sum", "inputs": ["f"]})
    document = {
        "network": {"inputs": {"x": {"shape": shape}}, "nodes": nodes},
        "data": {"x": [[2.0] * shape[0] if shape else 2.0]},
    }
    page.locator(".editor textarea").fill(json.dumps(document))
    page.locator('[data-node="q"]').wait_for(state="detached")
    explorer.at(explorer.last())
    return explorer


def test_twin_edges_of_numbers_are_told_apart(page: Page) -> None:
    explorer = power(page, "subtract", [])
    texts = page.locator("[data-edge-gradient] text").all_text_contents()
    assert sorted(texts) == ["① 1", "② −1"]
    spoken = page.locator(".edge-button .touch").evaluate_all(
        "all => all.map(one => one.getAttribute('aria-label'))"
    )
    assert all(spoken) and len(set(spoken)) == len(spoken) == 2
    explorer.select("x")
    panel = explorer.panel()
    assert "from f①" in panel and "from f②" in panel
    assert "x → f①" in panel and "x → f②" in panel
    explorer.select("f")
    panel = explorer.panel()
    assert "f sends to x (as its input 1)" in panel and "f sends to x (as its input 2)" in panel
    formulas = page.locator(".panel .formula").evaluate_all("all => all.map(one => one.dataset.tex)")
    assert sum("^{(1)}" in one for one in formulas) == sum("^{(2)}" in one for one in formulas) == 1


def test_twin_edges_of_arrays_are_told_apart(page: Page) -> None:
    explorer = power(page, "multiply", [3])
    explorer.select("x")
    panel = explorer.panel()
    assert "from f①" in panel and "from f②" in panel
    drawn = page.locator("[data-edge]").evaluate_all("all => all.map(one => one.getAttribute('d'))")
    assert len(set(drawn)) == len(drawn) == 3
    boxes = [label.bounding_box() for label in page.locator('[data-edge-gradient="f→x"]').all()]
    assert len(boxes) == 2 and boxes[0] and boxes[1]
    one, other = boxes
    assert one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]  # apart


def test_a_single_edge_has_no_mark(page: Page) -> None:
    explorer = Explorer(page, "example=fan_out&at=x")
    assert "①" not in explorer.panel() + page.locator(".drawing").inner_html()

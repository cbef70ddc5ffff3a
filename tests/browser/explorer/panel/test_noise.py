"""A noise input says what it is, and shows its mean: the page draws nothing."""

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
        "keep": {"shape": [3], "noise": {"dropout": 0.5}},
        "epsilon": {"shape": [], "noise": {"normal": 1}},
    },
    "nodes": [
        {"name": "kept", "kind": "multiply", "inputs": ["x", "keep"]},
        {"name": "total", "kind": "sum", "inputs": ["kept"]},
        {"name": "out", "kind": "add", "inputs": ["total", "epsilon"]},
    ],
    "loss": "out",
}


def test_it_shows_its_mean_and_sends_no_data(page: Page) -> None:
    explorer = Explorer(page, "example=circuit")
    explorer.tab("Edit")
    page.locator(".editor textarea").fill(json.dumps({"network": NETWORK, "data": {"x": [[1.0, 2.0, 3.0]]}}))
    page.locator('[data-node="total"]').wait_for()
    explorer.at(explorer.last())
    assert page.locator('[data-node="keep"] .kind').text_content() == "noise · 3"
    explorer.select("keep")
    assert "Noise: drawn in training" in explorer.panel() and "Given" not in explorer.panel()
    explorer.select("out")
    formulas = page.locator("[data-panel] .formula").evaluate_all("all => all.map(one => one.dataset.tex)")
    assert any("6" in formula for formula in formulas)
    page.get_by_role("button", name="한국어").click()
    explorer.select("epsilon")
    assert "잡음" in page.locator("[data-panel] h2").inner_text()

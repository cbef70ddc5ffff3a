"""What differs between two documents, besides numbers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

NETWORK = {"inputs": {"x": {"shape": []}, "y": {"shape": []}}, "nodes": [{"kind": "add"}]}
INTEGERS = {**NETWORK, "inputs": {"x": {"shape": []}, "y": {"shape": [], "dtype": "int64"}}}
DROPPED = {**NETWORK, "inputs": {"x": {"shape": []}}}
MULTIPLIED = {**NETWORK, "nodes": [{"kind": "multiply"}]}


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ({"network": NETWORK}, {"network": NETWORK}, None),
        ({"network": NETWORK}, {"network": MULTIPLIED}, "network"),
        ({"network": NETWORK}, {"network": DROPPED}, "network"),
        ({"network": NETWORK}, {"network": INTEGERS}, "dtype"),
        ({"network": NETWORK, "model": {"dtype": "float32"}}, {"network": NETWORK}, "dtype"),
        ({"network": NETWORK, "model": {"dtype": "float64"}}, {"network": NETWORK}, None),
    ],
)
def test_more_than_numbers(
    page: Page, before: dict[str, Any], after: dict[str, Any], reason: str | None
) -> None:
    Explorer(page, "example=circuit")
    both = f"{json.dumps(before)}, {json.dumps(after)}"
    found = page.evaluate(f"import('/explorer/core/what_if/changes.js').then((one) => one.otherwise({both}))")
    assert found == reason

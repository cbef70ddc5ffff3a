"""Documents that the page completes: a network alone, parameters drawn with few digits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.explorer import Explorer, open_editor

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_a_network_alone_is_completed(page: Page) -> None:
    explorer = Explorer(page, "example=circuit")
    explorer.tab("Edit")
    network = {
        "inputs": {"u": {"shape": [3]}},
        "nodes": [
            {"name": "v", "kind": "linear", "config": {"units": 2}},
            {"kind": "relu"},
            {"name": "total", "kind": "sum"},
        ],
    }
    page.locator(".editor textarea").fill(json.dumps({"network": network}))
    page.locator('[data-node="total"]').wait_for()
    assert set(explorer.values()) == {"u", "v", "relu1", "total"}


def test_a_learned_input_and_a_transposed_tie_are_completed(page: Page) -> None:
    explorer = Explorer(page, "example=circuit")
    explorer.tab("Edit")
    network = {
        "inputs": {"u": {"shape": [3]}, "shift": {"shape": [3], "parameter": {"constant": 2}}},
        "nodes": [
            {"name": "moved", "kind": "add", "inputs": ["u", "shift"]},
            {"name": "code", "kind": "linear", "config": {"units": 2}},
            {"name": "back", "kind": "linear", "config": {"units": 3}, "tied_to": "code", "transpose": True},
            {"name": "total", "kind": "sum"},
        ],
    }
    page.locator(".editor textarea").fill(json.dumps({"network": network}))
    page.locator('[data-node="total"]').wait_for()
    assert set(explorer.values()) == {"u", "shift", "moved", "code", "back", "total"}
    explorer.tab("Inputs")
    assert page.locator("[data-input]").count() == 1  # of u: a parameter is no data


def test_parameters_that_are_drawn_can_be_read(page: Page) -> None:
    """They have four digits, and the page computes with those."""
    open_editor(page, "example=moons")
    requests: list[dict[str, Any]] = []
    page.on("request", lambda request: requests.append(request.post_data_json) if request.post_data else None)
    explorer = Explorer(page, "example=moons&tab=edit")
    page.reload()
    page.locator(".card").first.wait_for()
    params = json.loads(page.locator(".editor textarea").input_value())["params"]
    drawn = [number for row in params["hidden.weight"] for number in row]
    assert len(set(drawn)) == 16 and all(number == float(f"{number:.4g}") for number in drawn)
    assert [one["params"] for one in requests if "trace" in one][-1] == params
    explorer.tab("Train")
    page.locator("[data-renew]").click()
    page.wait_for_timeout(500)
    explorer.tab("Edit")
    renewed = json.loads(page.locator(".editor textarea").input_value())["params"]
    assert renewed != params
    assert all(number == float(f"{number:.4g}") for row in renewed["hidden.weight"] for number in row)

"""The history: an entry for each network, stop and finished edit; a link that says when it does not fit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_back_and_forward_go_through_networks_stops_and_edits(page: Page) -> None:
    explorer = Explorer(page, "example=circuit")
    page.wait_for_function("() => location.hash.includes('step=')")
    page.evaluate("window.same = true")
    page.locator('[data-input="x"]').fill("7")
    page.wait_for_function("() => location.hash.startsWith('#state')")
    page.locator("select.network").select_option("fan_out")
    page.wait_for_function("() => location.hash.startsWith('#example=fan_out')")
    page.locator(".tours button").nth(1).click()
    page.wait_for_function("() => location.hash.includes('tour=1.0')")
    page.locator('[data-tour-go="next"]').click()
    page.wait_for_function("() => location.hash.includes('tour=1.1')")
    page.go_back()
    page.locator('[data-tour="1.0"]').wait_for()
    page.go_back()
    page.locator('[data-node="m"]').wait_for()
    assert page.locator("[data-tour]").count() == 0
    page.go_back()
    page.locator('[data-value="x"] text', has_text="7").wait_for()
    assert page.locator("select.network").input_value() == "own"
    page.go_back()
    page.locator('[data-value="x"] text', has_text="−2").wait_for()
    assert page.locator("select.network").input_value() == "circuit"
    page.go_forward()
    page.locator('[data-value="x"] text', has_text="7").wait_for()
    assert explorer.values()["f"] == "−48" and page.evaluate("window.same")  # nothing was loaded anew


def test_steps_and_the_parts_of_one_edit_are_no_entries(page: Page) -> None:
    explorer = Explorer(page, "example=circuit")
    page.wait_for_function("() => location.hash.includes('step=')")
    before = page.evaluate("history.length")
    explorer.at(1).at(3)
    for number in ("1", "12", "123"):
        page.locator('[data-input="x"]').fill(number)
        page.wait_for_timeout(300)
    page.wait_for_function("() => location.hash.startsWith('#state')")
    assert page.evaluate("history.length") == before + 1


def test_a_link_that_does_not_fit_says_so(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    explorer = Explorer(page, "example=circuit")
    page.evaluate("navigator.clipboard.writeText('before')")
    numbers = [[(i * 7919 + j * 104729) % 1000003 / 1000003 for j in range(8)] for i in range(16000)]
    network = {"inputs": {"v": {"shape": [8]}}, "nodes": [{"name": "total", "kind": "sum", "inputs": ["v"]}]}
    explorer.tab("Edit")
    page.locator(".editor textarea").fill(json.dumps({"network": network, "data": {"v": numbers}}))
    page.locator('[data-node="total"]').wait_for()
    page.locator("[data-link]").click()
    page.locator("[data-link]", has_text="too large for a link").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "before"
    page.wait_for_function("() => location.hash === ''")
    page.locator("select.network").select_option("fan_out")
    page.wait_for_function("() => location.hash.startsWith('#example=fan_out')")
    page.go_back()
    page.locator('[data-node="total"]').wait_for()  # there is a way back to it all the same

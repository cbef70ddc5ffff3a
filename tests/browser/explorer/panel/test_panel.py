"""The panel beside the picture: parameters, jumps, and the terms that arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_parameters_unfold_from_their_card(page: Page) -> None:
    Explorer(page, "example=flow_graph&at=x")
    page.locator("[data-unfold=hidden]").click()
    page.locator("[data-panel=hidden] details[open] .heat", has_text="hidden.weight").wait_for()


def test_jumps_to_the_steps_of_a_node(page: Page) -> None:
    explorer = Explorer(page, "example=sigmoid_neuron_gates&at=s")
    for jump, step in (("jumpForward", 3), ("jumpBackward", 12)):
        page.locator(f"[data-jump={jump}]").click()
        page.locator(f'[data-step="{step}"]').wait_for()
        assert "s" in explorer.values() and explorer.page.locator('[data-panel="s"]').count() == 1


def test_paths_of_arrays_are_named_with_their_norms(page: Page) -> None:
    Explorer(page, "example=flow_graph&at=x")
    assert page.locator('[data-sum="x"]').inner_text().replace("\n", "") == "δx = δskip→x + δhidden→x"
    norms = page.locator('[data-norms="x"]').inner_text().replace("\n", "")
    assert "‖δskip→x‖ = 0.1254, ‖δhidden→x‖ = 0.01923; ‖δx‖ = 0.1236" in norms
    page.get_by_role("button", name="한국어").click()
    assert "노름" in page.locator('[data-norms="x"]').inner_text()

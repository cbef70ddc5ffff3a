"""The panel of a large network: behind its picture while steps come fast, and there as soon as they pause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.explorer import Explorer
from support.linked_networks import residual, state_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

# Counts how often the panel shows another node.
WATCH = """() => {
  globalThis.shown = [];
  const aside = document.querySelector("aside");
  new MutationObserver(() => {
    const name = aside.querySelector(".panel")?.dataset.panel;
    if (name !== shown.at(-1)) shown.push(name);
  }).observe(aside, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-panel"] });
}"""

STEPS_BACK = """async (count) => {
  for (let step = 0; step < count; step += 1) {
    const key = new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true });
    document.querySelector(".card").dispatchEvent(key);
    await new Promise((resume) => { requestAnimationFrame(() => setTimeout(resume, 10)); });
  }
}"""


def steps_back(page: Page, document: dict[str, Any], count: int) -> list[str]:
    """Return the nodes that the panel showed on the way, and of the step where it ended."""
    explorer = Explorer(page, state_of(document))
    page.locator(".panel[data-panel]").wait_for()
    page.wait_for_timeout(300)
    page.evaluate(WATCH)
    page.evaluate(STEPS_BACK, count)
    assert explorer.step() == explorer.last() - count  # the picture has followed
    page.wait_for_timeout(300)
    return list(page.evaluate("shown"))


def test_the_panel_of_a_large_network_waits_for_a_pause(page: Page) -> None:
    shown = steps_back(page, residual(30), 6)
    current = page.locator(".card.current").get_attribute("data-node")
    assert len(shown) < 6 and shown[-1] == current


def test_the_panel_of_a_small_network_follows_each_step(page: Page) -> None:
    shown = steps_back(page, residual(2), 6)
    assert len(shown) == 6


def test_a_single_step_is_explained_at_once(page: Page) -> None:
    explorer = Explorer(page, state_of(residual(30)))
    page.locator(".panel[data-panel]").wait_for()
    page.wait_for_timeout(300)
    explorer.press("ArrowLeft")
    page.locator(f'[data-step="{explorer.last() - 1}"]').wait_for()
    current = page.locator(".card.current").get_attribute("data-node")
    assert page.locator(".panel").get_attribute("data-panel") == current

"""Steps by keys and by playing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_keys(page: Page) -> None:
    explorer = Explorer(page, "example=circuit")
    assert explorer.step() == explorer.last() == 4
    for key, step in (
        ("ArrowLeft", 3),
        ("Home", 0),
        ("ArrowLeft", 0),
        ("ArrowRight", 1),
        ("End", 4),
        ("ArrowRight", 0),  # begins anew
        ("End", 4),
    ):
        explorer.press(key)
        page.locator(f'[data-step="{step}"]').wait_for()
    page.evaluate(
        """() => {
          window.steps = [];
          const note = () => {
            const { step } = document.querySelector('[data-step]').dataset;
            if (steps.at(-1) !== step) steps.push(step);
          };
          const whole = { subtree: true, childList: true, attributes: true };
          new MutationObserver(note).observe(document.querySelector('.stepper'), whole);
        }"""
    )
    explorer.press(" ")
    page.wait_for_function("() => steps.includes('1')")
    assert page.evaluate("() => steps.slice(0, 2)") == ["0", "1"]  # plays from the start
    explorer.press(" ")
    stopped = explorer.step()
    page.wait_for_timeout(1500)
    assert explorer.step() == stopped
    page.locator('[data-node="q"] .ring').focus()
    explorer.press("Enter")
    page.locator('[data-panel="q"]').wait_for()

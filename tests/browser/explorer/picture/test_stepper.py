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


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1024, 768), (390, 844)])
def test_the_sentence_of_a_step_is_whole_and_the_picture_stays(
    page: Page, language: str, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    explorer = Explorer(page, f"example=window_classifier&lang={language}")
    heights = set()
    for step in (0, 5, 16, 23, explorer.last()):  # vectors_corrupt has the longest name
        explorer.at(step)
        whole, tall = page.locator(".step-text").evaluate(
            """text => [
              text.scrollWidth <= text.clientWidth && text.scrollHeight <= text.clientHeight,
              text.closest('.stepper').offsetHeight,
            ]"""
        )
        assert whole, step
        heights.add(tall)
    assert len(heights) == 1

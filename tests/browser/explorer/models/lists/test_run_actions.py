"""The buttons of a run by keyboard: the focus stays where the visitor is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.run_routes import RunRoutes, make_run

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def focused(page: Page) -> str:
    """Return the name of what has the focus."""
    name = "document.activeElement.ariaLabel ?? document.activeElement.textContent.trim()"
    return str(page.evaluate(f"() => {name}"))


def test_a_cancellation_is_asked_for_and_left_by_keyboard(training_page: Page) -> None:
    runs = RunRoutes(training_page, make_run(4, "running"))
    training_page.goto("/models")
    press = training_page.keyboard.press
    training_page.get_by_role("button", name="Pause: learner #4").focus()
    press("Enter")
    training_page.locator('li[data-state="paused"]').wait_for()
    assert focused(training_page) == "Resume: learner #4"
    press("Tab")
    press("Enter")
    assert focused(training_page) == "Keep it: learner #4"  # a second Enter cancels nothing
    press("Escape")
    assert focused(training_page) == "Cancel: learner #4"
    press("Enter")
    press("Enter")
    assert focused(training_page) == "Cancel: learner #4" and runs.changes == ["pause"]
    press("Enter")
    press("Shift+Tab")
    press("Enter")
    training_page.locator('li[data-state="cancelled"]').wait_for()
    assert runs.changes == ["pause", "cancel"]
    assert focused(training_page).startswith("Running and waiting")  # the row has left its list

"""How often the page asks for a curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.run_routes import RunRoutes, make_run

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser


def test_a_step_that_waits_for_its_validation_is_not_asked_for_at_once(training_page: Page) -> None:
    """The service lists such a step later: a run that is paused there is asked for once a second."""
    RunRoutes(training_page, make_run(4, "paused"))
    asked: list[str] = []

    def metrics(route: Route) -> None:
        asked.append(route.request.url)
        steps = [{"version": v, "step": v, "loss": 1 / v, "gradient_norm": 1.0} for v in range(3, 42)]
        first = "since=2&" in route.request.url
        route.fulfill(json={"steps": steps if first else [], "validations": [], "next": 41})

    training_page.route("**/metrics?*", metrics)
    training_page.goto("/models")
    training_page.locator('.plot[aria-valuemax="39"]').first.wait_for()
    asked.clear()
    training_page.wait_for_timeout(3000)
    assert 1 <= len(asked) <= 4

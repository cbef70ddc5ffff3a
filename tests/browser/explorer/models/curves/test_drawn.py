"""The chosen curves: their scale, the table of their numbers, and the way to the best version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.run_routes import RunRoutes, make_run

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser


def open_page(page: Page, state: str = "") -> None:
    page.goto(f"/models#{state}")
    page.locator(".plot svg .line").first.wait_for()


def test_the_numbers_are_there_as_a_table(training_page: Page) -> None:
    RunRoutes(training_page, make_run(4, "finished"))
    open_page(training_page)
    training_page.get_by_text("Numbers as a table").click()
    table = training_page.get_by_role("table", name="Numbers of learner #4")
    assert table.get_by_role("columnheader").all_inner_texts() == [
        "step", "loss", "gradient norm", "validation",
    ]  # fmt: skip
    assert table.get_by_role("rowheader").all_inner_texts() == ["10", "20", "30"]  # those that were validated
    assert table.locator("td").all_inner_texts()[:3] == ["0.08333", "0.1667", "0.3333"]


@pytest.mark.parametrize(("ratio", "log"), [(2.0, False), (0.5, True)])
def test_the_numbers_decide_on_the_scale_and_the_visitor_over_them(
    training_page: Page, ratio: float, log: bool
) -> None:
    """A log scale where more than half of a curve would lie at the bottom: 0.5 ** 40, but not 1 / 40."""
    RunRoutes(training_page, make_run(4, "finished", best_loss=None, best_version=None))

    def metrics(route: Route) -> None:
        losses = [1 / v if ratio > 1 else ratio**v for v in range(3, 43)]
        steps = [
            {"version": v, "step": v, "loss": loss, "gradient_norm": 1.0, "learning_rate": 0.1}
            for v, loss in enumerate(losses, 3)
        ]
        route.fulfill(json={"steps": steps, "validations": [], "next": 42})

    training_page.route("**/metrics?*", metrics)
    open_page(training_page)
    switch = training_page.get_by_label("log scale")
    assert switch.is_checked() == log
    assert "log=" not in training_page.url
    ticks = training_page.locator(".axes").first.locator("text.end").all_text_contents()
    assert any(tick.startswith("10⁻") for tick in ticks) == log
    switch.set_checked(not log)
    training_page.wait_for_url(re.compile(f"log={int(not log)}"))
    training_page.reload()
    training_page.locator(".plot svg .line").first.wait_for()
    assert switch.is_checked() != log


def test_the_best_version_is_one_click_away(training_page: Page) -> None:
    RunRoutes(training_page, make_run(4, "finished", version=43))
    open_page(training_page)
    form = training_page.locator('[data-version-of="learner #4"]')
    assert form.locator("input").input_value() == "43" and "restored" in form.inner_text()
    form.get_by_role("button", name="best version 32").click()
    assert form.locator("input").input_value() == "32"
    assert form.get_by_role("link").get_attribute("href") == "/?model=learner&version=32&run=00000004"
    form.get_by_role("button", name="newest version 43").click()
    assert form.locator("input").input_value() == "43"


def test_a_run_that_goes_on_has_restored_nothing(training_page: Page) -> None:
    """Its metrics may be newer than its description."""
    RunRoutes(training_page, make_run(4, "running", version=44))
    open_page(training_page)
    form = training_page.locator('[data-version-of="learner #4"]')
    form.get_by_text("gradient norm").wait_for()
    assert form.locator("input").input_value() == "44" and "restored" not in form.inner_text()


def test_a_run_that_waits_has_no_curve_yet(training_page: Page) -> None:
    waiting = make_run(4, "queued", steps=0, version=2, best_loss=None, best_version=None)
    RunRoutes(training_page, waiting)
    training_page.goto(f"/models#curves=run:{waiting['id']}")
    training_page.locator(".drawn").get_by_text("No step has been taken yet.").wait_for()
    assert training_page.locator(".drawn .status").inner_text().startswith("queued")

"""Calls that fail: what is stale is dimmed, what happened is said, and the page recovers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

HTML = {"content_type": "text/html", "body": "<html>"}
FAILURES: dict[str, tuple[Callable[[Route], None], str, bool]] = {
    "connection": (lambda route: route.abort(), "does not answer", True),
    "502": (lambda route: route.fulfill(status=502, **HTML), "does not answer", True),
    "503": (lambda route: route.fulfill(status=503, **HTML), "does not answer", True),
    "504": (lambda route: route.fulfill(status=504, **HTML), "does not answer", True),
    "cut JSON": (
        lambda route: route.fulfill(content_type="application/json", body='{"los'),
        "cut off on its way",
        True,
    ),
    "413": (lambda route: route.fulfill(status=413, **HTML), "too large for what stands before", False),
    "500": (
        lambda route: route.fulfill(
            status=500,
            content_type="application/problem+json",
            json={"status": 500, "code": "internal", "detail": "the service failed", "errors": []},
        ),
        "the service failed",
        False,
    ),
    "proxy's own 500": (lambda route: route.fulfill(status=500, **HTML), "with status 500", False),
}
OPACITY = "one => Number(getComputedStyle(one).opacity)"


def dimmed(page: Page) -> list[bool]:
    return [page.locator(part).evaluate(OPACITY) < 1 for part in (".drawing", ".panel")]


def test_every_kind_of_failure_is_said_and_passes(page: Page, faults: list[str]) -> None:
    explorer = Explorer(page, "example=circuit")
    for number, (answer, text, passing) in enumerate(FAILURES.values(), start=1):
        page.route("**/v1/gradients", answer)
        page.locator('[data-input="x"]').fill(str(number))
        page.locator(".refused", has_text=text).wait_for()
        assert dimmed(page) == [True, True]
        assert ("Next try in" in page.locator(".refused").inner_text()) is passing
        page.unroute("**/v1/gradients")
        if passing:
            page.locator("[data-again]").click()
        else:
            page.locator('[data-input="x"]').fill(f"{number}.0")
        page.locator(".refused").wait_for(state="detached")
        assert explorer.values()["x"] == str(number) and dimmed(page) == [False, False]
    faults.clear()


def test_what_failed_in_passing_is_tried_again_by_itself(page: Page, faults: list[str]) -> None:
    explorer = Explorer(page, "example=circuit")
    page.route("**/v1/gradients", lambda route: route.abort(), times=1)
    page.locator('[data-input="x"]').fill("7")
    page.locator(".refused", has_text="Next try in 2 s").wait_for()
    page.locator(".refused").wait_for(state="detached")
    assert explorer.values()["x"] == "7"
    faults.clear()


def test_an_answer_that_does_not_come_is_not_waited_for_without_end(page: Page, faults: list[str]) -> None:
    page.add_init_script(
        "const real = setTimeout; window.setTimeout = (f, ms) => real(f, ms === 60000 ? 300 : ms);"
    )
    page.route("**/v1/gradients", lambda route: None, times=1)
    page.goto("/#example=circuit")
    page.locator(".refused", has_text="has not answered within 60 s").wait_for()
    page.locator("[data-again]").click()
    page.locator(".card").first.wait_for()
    faults.clear()


@pytest.mark.parametrize("lang, said", [("en", "The service does not answer."), ("ko", "서비스가 응답하지")])
def test_a_failure_at_the_start_is_said_too(page: Page, faults: list[str], lang: str, said: str) -> None:
    page.route("**/v1/layers*", lambda route: route.abort(), times=1)
    page.goto(f"/#example=fan_out&lang={lang}")
    page.locator(".refused", has_text=said).wait_for()
    page.locator(".card").first.wait_for()  # tried again by itself
    faults.clear()


def test_what_is_refused_can_be_dropped_and_never_sticks(page: Page, faults: list[str]) -> None:
    explorer = Explorer(page, "example=flow_graph")
    page.locator('[data-input="x"]').fill("[1, 2, 3, 4, 5]")
    page.locator(".refused").wait_for()
    page.locator("[data-dismiss]").click()
    page.locator(".refused").wait_for(state="detached")
    assert dimmed(page) == [False, False]
    page.locator(".batch summary").click()
    page.locator("[data-paste]").fill('{"x": [[1, 2]]}')
    page.locator("[data-batch=wrong]").wait_for()
    assert page.locator("[data-batch]").count() == 1  # no success beside it
    explorer.select("scores")
    page.get_by_text("Config and parameters").click()
    page.locator(".fields input[type=number]").first.fill("4")
    page.locator(".fields input[type=number]").first.press("Tab")
    page.locator(".refused").wait_for(state="detached")
    faults.clear()

"""How the page asks again: not while it is hidden, less often while the service is away, with a key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.model_service import key_lines
from support.service import running_service
from support.trained import train

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser


def open_page(page: Page, state: str = "") -> None:
    page.goto(f"/models#{state}")
    page.locator(".list h2").first.wait_for()


def test_it_asks_nothing_while_it_is_hidden(training_page: Page) -> None:
    open_page(training_page)
    hide = """hidden => {
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }"""
    training_page.evaluate(hide, True)
    training_page.wait_for_load_state("networkidle")
    asked: list[str] = []
    training_page.on("request", lambda request: asked.append(request.url))
    training_page.wait_for_timeout(2500)
    assert asked == []
    with training_page.expect_request("**/v1/models?*"):
        training_page.evaluate(hide, False)


def test_it_says_that_the_service_is_away_and_asks_less_often(
    browser: Browser, faults: list[str], tmp_path: Path
) -> None:
    with running_service(data_dir=str(tmp_path)) as url:
        context = browser.new_context(base_url=url)
        page = context.new_page()
        open_page(page)
    trouble = page.get_by_role("status")
    trouble.get_by_text("Next try in 2 s.").wait_for()
    trouble.get_by_text("Next try in 4 s.").wait_for()
    assert "The service does not answer. What you see is from " in trouble.inner_text()
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Try now").click()
    assert page.get_by_role("heading", name="Models", exact=True).count() == 1  # what is known stays
    context.close()


def test_keys_are_asked_for_by_the_browser_and_each_has_its_own_models(
    browser: Browser, tmp_path: Path
) -> None:
    with running_service(data_dir=str(tmp_path), api_keys=key_lines("anna", "ben")) as url:
        for key, name in (("anna", "annas"), ("ben", "bens")):
            train(url, name, 1, api_key=key)
        context = browser.new_context(base_url=url, http_credentials={"username": "", "password": "anna"})
        page = context.new_page()
        open_page(page, "curves=model:annas")
        page.locator(".drawn h2").get_by_text("annas").wait_for()
        assert page.locator("li[data-model]").count() == 1
        context.close()


def test_it_goes_on_when_the_service_is_back(
    training_page: Page, training_service: str, faults: list[str]
) -> None:
    train(training_service, "back", 2)
    open_page(training_page, "curves=model:back")
    row = training_page.locator('li[data-model="back"] [data-version]')
    row.get_by_text("2").wait_for()
    training_page.route("**/v1/**", lambda route: route.fulfill(status=502, body="nothing there"))
    training_page.get_by_text("The service does not answer.").wait_for()
    assert row.inner_text() == "2"  # what is known stays
    train(training_service, "later", 1)
    training_page.unroute("**/v1/**")
    training_page.locator('li[data-model="later"]').wait_for()
    assert training_page.get_by_role("status").inner_text() == ""
    assert all("502" in fault for fault in faults)
    faults.clear()


def test_with_a_key_that_is_not_taken_any_more_it_waits_for_the_visitor(
    training_page: Page, faults: list[str]
) -> None:
    """Each request that is refused so would make the browser ask for a key."""
    open_page(training_page)
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        problem = {"code": "unauthorized", "status": 401, "detail": "the API key is unknown"}
        route.fulfill(status=401, json=problem, content_type="application/problem+json")

    training_page.route("**/v1/**", refuse)
    training_page.get_by_text("The service does not take this API key.").wait_for()
    training_page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    training_page.wait_for_timeout(3500)
    assert len(asked) == 1
    training_page.unroute("**/v1/**")
    training_page.get_by_role("button", name="Enter a key").click()
    training_page.wait_for_function("() => document.querySelector('[role=status]').textContent === ''")
    assert all("401" in fault for fault in faults)
    faults.clear()

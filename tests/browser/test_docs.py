"""/docs as people see it: drawn by a browser, from the service as shipped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests
from support.browser import watched_page

from deltawire_layers import load_layers

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser

WIDTHS = pytest.mark.parametrize("width", [1280, 390])


@pytest.fixture(scope="module")
def document(service: str) -> dict[str, Any]:
    return dict(requests.get(f"{service}/openapi.json", timeout=30).json())


def opened(page: Page) -> Page:
    """The page, drawn."""
    page.goto("/docs")
    page.locator(".opblock").first.wait_for()
    page.locator(".models article").first.wait_for()
    return page


def operation(page: Page, method: str, path: str) -> Locator:
    drawn = page.locator(f".opblock-{method}")
    return drawn.filter(has=page.locator(f'[data-path="{path}"]'))


def model(page: Page, name: str) -> Locator:
    """A schema below the operations. Of more than a hundred, only those in sight are drawn."""
    title = page.locator(".json-schema-2020-12__title").get_by_text(name, exact=True)
    found = page.locator('.models article[data-json-schema-level="0"]').filter(has=title)
    listed = page.locator(".models-scroll")
    if listed.count() and not scrolled_to(found, listed):
        listed.evaluate("list => list.scrollTo(0, 0)")
        scrolled_to(found, listed)
    return found


def scrolled_to(found: Locator, listed: Locator) -> bool:
    """Scroll down from where the list stands until the schema is drawn."""
    while not found.count():
        if listed.evaluate("list => list.scrollTop + list.clientHeight >= list.scrollHeight - 1"):
            return False
        listed.evaluate("list => list.scrollBy(0, list.clientHeight / 2)")
        found.page.wait_for_timeout(50)
    return True


def press(page: Page, name: str) -> None:
    """Fold or unfold a schema, again where the list has drawn it anew, elsewhere, before the click."""
    from playwright.sync_api import TimeoutError as NotInTime

    button = model(page, name).locator(".json-schema-2020-12-accordion").first
    for _ in range(5):
        try:
            return button.click(timeout=5_000)
        except NotInTime:
            model(page, name)
    return button.click()


def keys(schema: Locator) -> list[str]:
    """The keys of an unfolded schema of an object."""
    return schema.locator(
        '[data-json-schema-level="1"] > * > * > * > .json-schema-2020-12__title'
    ).all_inner_texts()


@WIDTHS
def test_every_route_is_drawn(page: Page, document: dict[str, Any], width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    opened(page)
    described = [(method, path) for path, item in document["paths"].items() for method in item]
    assert page.locator(".opblock").count() == len(described) > 10
    for method, path in described:
        summary = document["paths"][path][method]["summary"]
        drawn = operation(page, method, path)
        assert drawn.is_visible()
        assert drawn.locator(".opblock-summary-method").inner_text() == method.upper()
        assert drawn.get_by_text(summary, exact=True).is_visible()


UNFOLDED = 5
"""Routes that are unfolded at once: Swagger UI takes minutes for all of them."""


@pytest.mark.parametrize(("width", "first"), [(1280, 0), (1280, 1), (390, 2), (390, 3)])
def test_unfolded_it_is_no_wider_than_the_screen(page: Page, width: int, first: int) -> None:
    """Each time, other routes are unfolded: one of several."""
    from playwright.sync_api import expect

    page.set_viewport_size({"width": width, "height": 900})
    opened(page)
    for name in ("Tensor", "Node", "Network", "config.multi_head_attention"):
        press(page, name)
    assert "kind" in keys(model(page, "Node"))
    controls = page.locator(".opblock-summary-control")
    chosen = list(range(first, controls.count(), controls.count() // UNFOLDED + 1))
    controls.evaluate_all("(all, chosen) => chosen.forEach((i) => all[i].click())", chosen)
    expect(page.locator(".responses-table")).to_have_count(len(chosen), timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_its_policy_lets_it_load_from_the_service_alone(page: Page) -> None:
    answer = page.goto("/docs")
    assert answer is not None
    assert answer.headers["content-security-policy"].startswith("default-src 'self'; img-src 'self' data:; ")


@pytest.mark.parametrize("route", ["gradients", "forward", "init", "plan", "check"])
def test_the_request_it_starts_with_can_be_executed(page: Page, route: str) -> None:
    drawn = operation(opened(page), "post", f"/v1/{route}")
    drawn.locator(".opblock-summary-control").click()
    with page.expect_response(f"**/v1/{route}") as response:
        drawn.get_by_role("button", name="Execute").click()
    assert response.value.status == 200, response.value.text()
    assert drawn.locator(".live-responses-table tbody .response-col_status").inner_text() == "200"


def test_every_installed_kind_is_listed(page: Page) -> None:
    press(opened(page), "Node")
    kind = model(page, "Node").locator('article[data-json-schema-level="1"]').first
    for unfolded in (kind, kind.locator(".json-schema-2020-12-keyword--enum")):
        unfolded.locator(".json-schema-2020-12-accordion").first.click()
    listed = model(page, "Node").locator(".json-schema-2020-12-keyword--enum").first
    for installed in load_layers():
        assert listed.get_by_text(f'"{installed}"', exact=True).is_visible(), installed


@pytest.fixture(scope="module")
def drawn(browser: Browser, service: str) -> Iterator[Page]:
    with watched_page(browser, service, []) as page:
        yield opened(page)


@pytest.mark.parametrize("kind", sorted(load_layers()))
def test_the_settings_of_a_kind_are_drawn(drawn: Page, document: dict[str, Any], kind: str) -> None:
    """In the order of the page, so that each is found just below the one before."""
    press(drawn, f"config.{kind}")
    config = model(drawn, f"config.{kind}")
    assert keys(config) == list(document["components"]["schemas"][f"config.{kind}"]["properties"])
    press(drawn, f"config.{kind}")

"""The weight of the page, and the policy on where it may load from."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response

pytestmark = pytest.mark.browser


def loading(page: Page) -> dict[str, bytes]:
    """Return what the page loads from now on, without the answers of the API."""
    loaded: dict[str, bytes] = {}

    def keep(response: Response) -> None:
        if "/v1/" not in response.url and response.status == 200:
            loaded[response.url] = response.body()

    page.on("response", keep)
    return loaded


def test_the_page_of_models_is_lighter(training_page: Page) -> None:
    """At most 120 kB, and 40 kB of scripts, packed."""
    loaded = loading(training_page)
    training_page.goto("/models")
    training_page.locator(".list h2").first.wait_for()
    training_page.wait_for_load_state("networkidle")
    scripts = [body for url, body in loaded.items() if url.endswith(".js")]
    assert len(scripts) > 15
    assert sum(map(len, loaded.values())) <= 120_000
    assert sum(len(gzip.compress(body)) for body in scripts) <= 40_000


def test_the_page_is_light(page: Page) -> None:
    """At most 800 kB with everything it loads for the tour, and 230 kB of scripts, packed."""
    loaded = loading(page)
    Explorer(page, "example=window_classifier&at=z1")
    page.goto("about:blank")
    Explorer(page, "example=flow_graph&at=loss&tab=plots")
    page.wait_for_load_state("networkidle")
    scripts = {url: body for url, body in loaded.items() if url.endswith(".js")}
    assert len(scripts) > 20
    assert sum(map(len, loaded.values())) <= 800_000
    assert sum(len(gzip.compress(body)) for body in scripts.values()) <= 230_000


@pytest.mark.parametrize("path", ["/", "/models"])
def test_its_policy_lets_it_load_from_the_service_alone(page: Page, path: str) -> None:
    answer = page.goto(path)
    assert answer is not None
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy.pop("default-src") == "'self'"
    assert all("unsafe" not in sources and "http" not in sources for sources in policy.values())

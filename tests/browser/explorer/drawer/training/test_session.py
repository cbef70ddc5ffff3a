"""A training that fails, ends, is looked back through, and goes on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def open_training(page: Page, example: str = "moons") -> Explorer:
    return Explorer(page, f"example={example}&tab=train")


def params(page: Page) -> dict[str, Any]:
    page.get_by_role("tab", name="Edit").click()
    params = json.loads(page.locator(".editor textarea").input_value())["params"]
    page.get_by_role("tab", name="Train").click()
    return dict(params)


def test_a_failure_pauses_it_with_its_curve_and_it_goes_on(page: Page, faults: list[str]) -> None:
    open_training(page)
    page.locator("[data-train]").click()
    page.wait_for_function("() => Number(document.querySelector('[data-trained]')?.dataset.trained) >= 12")
    page.route("**/v1/gradients", lambda route: route.abort())
    page.locator('[data-ended="Failed"]', has_text="The service does not answer.").wait_for()
    there = int(page.locator("[data-trained]").get_attribute("data-trained") or 0)
    assert there >= 12 and page.locator(".curved .chart").count() == 3
    page.unroute("**/v1/gradients")
    page.locator("[data-train]").click()
    page.wait_for_function(
        f"() => Number(document.querySelector('[data-trained]').dataset.trained) > {there + 3}"
    )
    page.locator("[data-train]", has_text="Pause").click()
    page.locator('[data-ended="Paused"]').wait_for()
    faults.clear()


def test_the_picture_follows_it_and_goes_back_through_it(page: Page) -> None:
    explorer = open_training(page)
    start, first = params(page), explorer.values()["loss"]
    entries = page.evaluate("history.length")
    page.locator("[data-train]").click()
    page.wait_for_function(
        "old => document.querySelector('[data-value=loss] text').textContent !== old", arg=first
    )
    assert page.locator("[data-train]", has_text="Pause").count() == 1  # it runs
    page.locator('[data-ended="Done"]', has_text="All 300 steps are done.").wait_for(timeout=90_000)
    trained = params(page)
    page.locator("[data-along]").fill("0")
    page.locator('[data-value="loss"] text', has_text=first).wait_for()
    assert params(page) == start != trained
    page.locator("[data-along]").fill("2")
    page.locator("output", has_text="20 steps").wait_for()
    page.locator("[data-along]").press("End")
    page.locator("output", has_text="300 steps").wait_for()
    page.wait_for_timeout(300)
    assert params(page) == trained
    assert page.evaluate("history.length") == entries + 1  # one entry for all of it


def test_a_rate_that_diverges_is_named(page: Page) -> None:
    open_training(page, "residual")
    page.locator("[data-rate]").fill("1")
    page.locator("[data-train]").click()
    page.locator('[data-ended="Diverged"]', has_text="at the learning rate 1.").wait_for(timeout=60_000)


def test_a_rate_that_is_none_is_refused_in_its_field(page: Page) -> None:
    open_training(page)
    for text in ("", "0", "-1", "1e999", "fast"):
        page.locator("[data-rate]").fill(text)
        page.get_by_role("alert").get_by_text("must be a number above 0").wait_for()
        assert page.locator("[data-rate]").get_attribute("aria-invalid") == "true"
        assert page.locator("[data-train]").is_disabled()
    page.locator("[data-rate]").fill("0.5")
    for text in ("", "0", "81", "1.5"):
        page.locator("[data-size]").fill(text)
        page.get_by_role("alert").get_by_text("from 1 to 80").wait_for()
        assert page.locator("[data-train]").is_disabled()
    page.locator("[data-size]").fill("8")
    assert page.get_by_role("alert").count() == 0 and page.locator("[data-train]").is_enabled()


def test_a_rate_that_is_refused_at_once_stays_refused(page: Page) -> None:
    """What is typed before the browser has painted counts too: effects come after the painting."""
    page.add_init_script(
        """{
          const later = setTimeout;
          window.requestAnimationFrame = call => later(call, 2000);
          window.setTimeout = (call, pause, ...values) => later(call, pause < 101 ? 2000 : pause, ...values);
        }"""
    )
    open_training(page)
    page.locator("[data-rate]").fill("")
    page.get_by_role("alert").get_by_text("must be a number above 0").wait_for()
    assert page.locator("[data-train]").is_disabled()

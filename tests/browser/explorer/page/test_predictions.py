"""The mode that hides red numbers: none is told, until it is predicted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def predict(page: Page, number: str) -> None:
    page.locator("[data-predict-number]").fill(number)
    page.locator("[data-predict-number]").press("Enter")


def told(page: Page) -> str:
    """Return all that the page says of the network, also to screen readers and under the pointer."""
    return str(
        page.evaluate(
            """() => [...document.querySelectorAll('.drawing, .panel, .stepper, .content')].map((part) =>
              [part.textContent, ...[...part.querySelectorAll('[aria-label], [title]')].map((one) =>
                `${one.getAttribute('aria-label')} ${one.getAttribute('title')}`)].join(' ')).join(' ')"""
        )
    )


def test_no_red_number_is_told_before_it_is_predicted(page: Page) -> None:
    """x0 gets 0.393, w0 gets −0.197, each by several ways to say it."""
    explorer = Explorer(page, "example=sigmoid_neuron_layer&at=x0")
    number = re.compile(r"0\.39\d*|0\.1966|0\.197")
    assert number.search(told(page))
    page.locator("[data-predict-toggle]").click()
    page.locator("[data-predict-number]").wait_for()
    for tab in ("Inputs", "Findings", "Plots"):
        explorer.tab(tab)
        for name in ("x0", "w0", "f", "s"):
            explorer.select(name)
            assert not number.search(told(page)), (tab, name)
    assert explorer.deltas()["x0"] == "?" and set(explorer.edges().values()) == {"?"}
    assert page.locator("[data-veiled]").count() == 1
    spoken = page.locator('[data-node="x0"] .ring').get_attribute("aria-label")
    assert spoken is not None and "δ" not in spoken
    page.locator("[data-predict-toggle]").click()
    page.locator('[data-delta="x0"] text', has_text="0.39").wait_for()


def test_an_answer_reveals_its_number_alone_and_is_counted(page: Page) -> None:
    explorer = Explorer(page, "example=circuit&at=f&step=3")
    page.locator("[data-predict-toggle]").click()
    predict(page, "-4")
    page.locator('[data-verdict="right"]').wait_for()
    assert explorer.edges() == {"f→q": "−4", "f→z": "?"}
    assert explorer.deltas() == {"f": "1", "q": "−4", "z": "?"}
    predict(page, "-3")
    page.locator('[data-verdict="wrong"][data-mistake="sign"]').wait_for()
    assert explorer.edges() == {"f→q": "−4", "f→z": "3"}
    assert page.locator("[data-score]").inner_text() == "1 right, 0 close, 1 wrong"
    explorer.at(4)
    page.locator("[data-predict-show]").click()  # not counted
    page.locator('[data-verdict="shown"]').wait_for()
    assert page.locator("[data-score]").inner_text() == "1 right, 0 close, 1 wrong"
    page.locator('[data-input="x"]').fill("7")  # other numbers are hidden anew
    page.locator('[data-value="x"] text', has_text="7").wait_for()
    assert explorer.deltas()["q"] == "?" and page.locator("[data-what-if]").count() == 0
    page.locator("[data-predict-toggle]").click()
    page.locator("[data-what-if]").wait_for()


def test_the_score_is_kept_and_sent_nowhere(page: Page) -> None:
    Explorer(page, "example=circuit&at=f&step=3")
    page.locator("[data-predict-toggle]").click()
    page.wait_for_load_state("networkidle")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    stored = "JSON.stringify([localStorage, document.cookie])"
    before = page.evaluate(stored)
    predict(page, "-4")
    page.locator('[data-verdict="right"]').wait_for()
    page.wait_for_timeout(400)
    assert sent == [] and page.evaluate(stored) == before
    page.reload()
    page.locator("[data-predict-toggle]").click()
    page.locator("[data-score]", has_text="0 right").wait_for()


def test_the_text_of_a_stop_comes_after_the_answer(page: Page) -> None:
    Explorer(page, "tour=1.1")
    page.locator('[data-tour="1.1"]').wait_for()
    page.locator("[data-predict-toggle]").click()
    text = page.locator(".tour p").first
    page.locator(".tour p", has_text="Predict the number below first").wait_for()
    assert "−4" not in page.locator(".tour").inner_text()
    predict(page, "-4")
    page.locator(".tour p", has_text="Backward starts with ∂f/∂f = 1").wait_for()
    page.locator('[data-tour-go="back"]').click()
    page.locator('[data-tour="1.0"]').wait_for()  # a stop of the forward pass asks nothing
    assert text.inner_text().startswith("f = (x + y)·z")


def test_the_questions_by_the_keyboard_alone(page: Page) -> None:
    explorer = Explorer(page, "example=circuit&at=q&step=3")
    page.locator("[data-predict-toggle]").focus()
    explorer.press("Enter")
    page.locator("[data-predict-number]").wait_for()
    explorer.press("Tab")
    page.keyboard.type("abc")
    explorer.press("Enter")
    page.locator('.predict [role="alert"]').wait_for()
    assert page.locator("[data-predict-number]").get_attribute("aria-invalid") == "true"
    explorer.press("Control+a")
    page.keyboard.type("−4")
    explorer.press("Enter")
    page.locator('[data-verdict="right"]').wait_for()
    assert page.evaluate("document.activeElement.className") == "predict on"  # the form is gone
    assert page.locator('.predict [role="status"]').inner_text().startswith("Right.")

"""The page in Debian's firefox-esr: it draws, steps, explains, edits, and speaks Korean."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.firefox import Firefox, firefox

pytestmark = pytest.mark.browser

RIGHT, HOME = "\ue014", "\ue011"  # keys, by WebDriver's codes


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with firefox(tmp_path_factory.mktemp("profile")) as session:
        yield session


@pytest.fixture
def page(browser: Firefox, service: str) -> Firefox:
    """Open the page on a network, and keep what goes wrong in it from now on."""
    browser.open("about:blank")
    browser.open(f"{service}/#example=circuit")
    browser.wait_for("document.querySelectorAll('.card').length === 5")
    browser.evaluate(
        "(window.faults = [],"
        " addEventListener('error', (event) => faults.push(event.message)),"
        " addEventListener('unhandledrejection', (event) => faults.push(String(event.reason))),"
        " addEventListener('securitypolicyviolation', (event) => faults.push(event.blockedURI)), true)"
    )
    return browser


def text(selector: str) -> str:
    return f"document.querySelector('{selector}')?.textContent"


def test_it_is_firefox(page: Firefox) -> None:
    assert "Firefox/" in page.evaluate("navigator.userAgent")


def test_the_picture_steps_through_both_passes(page: Firefox) -> None:
    page.press(HOME)
    page.wait_for("document.querySelector('[data-step]').dataset.step === '0'")
    for step in range(1, 5):
        page.press(RIGHT)
        page.wait_for(f"document.querySelector('[data-step]').dataset.step === '{step}'")
    page.wait_for(f"{text('[data-delta=x]')} === 'δ −4'")  # ∂f/∂x = z = −4, of f = (x + y) z
    assert page.evaluate(text("[data-delta=z]")) == "δ 3"
    assert page.evaluate("faults") == []


def test_a_click_explains_a_node_with_formulas(page: Firefox) -> None:
    page.click('[data-node="f"] .name')
    page.wait_for("document.querySelector('[data-panel=f]')")
    assert page.wait_for("document.querySelectorAll('.panel .katex').length") > 0
    assert page.evaluate("document.querySelectorAll('.katex-error').length") == 0
    focused = "getComputedStyle(document.querySelector('[data-node=q] .ring')).stroke"
    assert page.evaluate(focused) == "none"
    page.press(RIGHT)  # keys, so that the browser shows the focus
    page.evaluate("document.querySelector('[data-node=q] .ring').focus()")
    page.wait_for(f"{focused} !== 'none'")
    assert page.evaluate("faults") == []


def test_an_input_that_changes_is_computed_anew(page: Firefox) -> None:
    page.evaluate(
        "(() => { const field = document.querySelector('[data-input=x]'); field.value = '3';"
        " field.dispatchEvent(new Event('input', { bubbles: true })); return true; })()"
    )
    page.wait_for(f"{text('[data-value=f] text')} === '−32'")  # (3 + 5) · −4
    page.wait_for("location.hash.includes('state=')")  # packed by CompressionStream
    assert page.evaluate("faults") == []


def test_it_speaks_korean(page: Firefox) -> None:
    page.click('.switches button[lang="ko"]')
    page.wait_for("document.documentElement.lang === 'ko'")
    page.wait_for(f"{text('.about span')}?.includes('모양')")
    assert page.evaluate("faults") == []
    page.click('.switches button[lang="en"]')
    page.wait_for("document.documentElement.lang === 'en'")

"""The browser tests notice each fault of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.browser import watched_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

INLINE = "const s = document.createElement('script'); s.text = 'window.ran = true'; document.body.append(s)"


@pytest.mark.parametrize(
    ("address", "script", "fault"),
    [
        ("about:blank", "console.error('oh')", "console: oh"),
        ("about:blank", "setTimeout(() => { throw new Error('oh') })", "uncaught: oh"),
        ("about:blank", "fetch('http://elsewhere.invalid/')", "another host: http://elsewhere.invalid/"),
        ("about:blank", "new WebSocket('ws://elsewhere.invalid/')", "web socket: ws://elsewhere.invalid/"),
        ("/docs", INLINE, "Content Security Policy"),
        ("/docs", "new Image().src = 'http://elsewhere.invalid/'", "Content Security Policy"),
        ("/docs", "fetch('/no/such/route')", "404"),
    ],
)
def test_what_is_wrong_is_noticed(
    browser: Browser, service: str, address: str, script: str, fault: str
) -> None:
    faults: list[str] = []
    with pytest.raises(AssertionError) as noticed, watched_page(browser, service, faults) as page:
        page.goto(address)
        page.evaluate(f"() => {{ {script} }}")
        for _ in range(100):  # a busy machine is slow to tell
            if any(fault in told for told in faults):
                break
            page.wait_for_timeout(100)
        ran = page.evaluate("window.ran")
    assert fault in str(noticed.value) and not ran


def test_console_notes_that_are_no_errors_pass(page: Page) -> None:
    page.goto("/docs")
    page.evaluate("() => { console.warn('hm'); console.log('well') }")

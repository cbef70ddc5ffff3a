"""The tests of pages notice what a page does wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

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
    page: Page, faults: list[str], address: str, script: str, fault: str
) -> None:
    page.goto(address)
    page.evaluate(f"() => {{ {script} }}")
    for _ in range(100):  # a busy machine is slow to tell
        if any(fault in noticed for noticed in faults):
            break
        page.wait_for_timeout(100)
    assert any(fault in noticed for noticed in faults), faults
    assert not page.evaluate("window.ran")
    faults.clear()


def test_console_notes_that_are_no_errors_pass(page: Page) -> None:
    page.goto("/docs")
    page.evaluate("() => { console.warn('hm'); console.log('well') }")

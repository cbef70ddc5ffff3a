"""A real browser for tests: Debian's chromium, watched for what no page of ours may do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the tests of this folder can be collected without it
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # what is asked of another host gets nowhere
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The chromium that is installed; there is no test of a page without one."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    assert program, "the browser tests need chromium: on Debian, 'apt-get install chromium' brings it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def watched_page(browser: Browser, service: str, faults: list[str]) -> Iterator[Page]:
    """An empty page, to which `/docs` is that of the service; at the end it must have done nothing wrong.

    faults: where it is noted; a test that wants one looks, and clears the list. Errors on the console are
    faults (the browser reports there what a Content-Security-Policy stops, and answers of status 400 and
    above), and so are uncaught exceptions and whatever is asked of another host.
    """

    def console(message: ConsoleMessage) -> None:
        if message.type == "error":
            faults.append(f"console: {message.text}")

    def request(asked: Request) -> None:
        if not asked.url.startswith((f"{service}/", "data:", "blob:", "about:")):
            faults.append(f"another host: {asked.url}")

    context = browser.new_context(base_url=service, viewport={"width": 1280, "height": 900})
    context.on("console", console)
    context.on("weberror", lambda error: faults.append(f"uncaught: {error.error}"))
    context.on("request", request)
    page = context.new_page()
    page.on("websocket", lambda socket: faults.append(f"web socket: {socket.url}"))
    yield page
    page.wait_for_load_state("networkidle")
    context.close()
    assert not faults, "\n".join(faults)

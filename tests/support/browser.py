"""A real browser for tests: Debian's chromium, watched for faults that no page may have."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # tests are collected without it too
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # requests to another host fail
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the installed chromium, which the tests of pages need."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    assert program, "the browser tests need chromium: on Debian, 'apt-get install chromium' brings it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def watched_page(browser: Browser, service: str, faults: list[str]) -> Iterator[Page]:
    """Open an empty page whose relative addresses are the service's; fail at the end if it had faults.

    Faults are errors on the console, uncaught exceptions, web sockets and requests to another host. The
    console also reports what the Content-Security-Policy stops, and answers of status 400 and above.

    Args:
        browser: The browser to open the page in.
        service: The address of the service.
        faults: Receives the faults; a test that expects one checks and clears it.
    """

    def console(message: ConsoleMessage) -> None:
        if message.type == "error":
            faults.append(f"console: {message.text}")

    def check_host(request: Request) -> None:
        if not request.url.startswith((f"{service}/", "data:", "blob:", "about:")):
            faults.append(f"another host: {request.url}")

    context = browser.new_context(base_url=service, viewport={"width": 1280, "height": 900})
    context.on("console", console)
    context.on("weberror", lambda error: faults.append(f"uncaught: {error.error}"))
    context.on("request", check_host)
    page = context.new_page()
    page.on("websocket", lambda socket: faults.append(f"web socket: {socket.url}"))
    yield page
    page.wait_for_load_state("networkidle")
    context.close()
    assert not faults, "\n".join(faults)

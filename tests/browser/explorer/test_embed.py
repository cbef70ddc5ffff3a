"""The explorer in a frame: a page of another origin shows it when it may, and cannot by default."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer
from support.service import running_service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


class Slides(ThreadingHTTPServer):
    """A page of another origin, with a frame; its origin, and the address in the frame."""

    framed = ""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Slides

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        frame = f'<iframe src="{self.server.framed}" width="900" height="420"></iframe>'
        self.wfile.write(f"<!doctype html><title>slides</title>{frame}".encode())

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def slides() -> Iterator[Slides]:
    server = Slides(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def shown(browser: Browser, slides: Slides, address: str) -> Iterator[tuple[Page, list[str]]]:
    """Open the slides with an address in their frame; the messages of the console come too."""
    slides.framed = address
    page = browser.new_page()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(slides.origin)
    yield page, messages
    page.close()


def test_a_page_of_an_origin_that_is_named_shows_it(browser: Browser, slides: Slides) -> None:
    with running_service(queue_seconds="10", explorer_frame_ancestors=slides.origin) as url:
        with shown(browser, slides, f"{url}/?embed#example=circuit&step=2&lang=ko") as (page, messages):
            frame = page.frame_locator("iframe")
            frame.locator('[data-node="q"]').wait_for()
            for hidden in ("header nav", ".drawer", "aside", "[data-open-file]", "[data-link]"):
                assert not frame.locator(hidden).is_visible(), hidden
            frame.locator('[data-go="next"]').click()
            frame.locator('[data-step="3"]').wait_for()
            link = frame.locator("[data-open-explorer]", has_text="탐색기에서 열기")
            page.wait_for_timeout(300)
            assert page.evaluate("history.length") == 2  # about:blank and the slides: Back is theirs
            with page.expect_popup() as popup:
                link.click()
            popup.value.locator(".drawer").wait_for()
            assert re.search(r"/#example=circuit&step=3.*lang=ko", popup.value.url)
            assert not any("frame" in message for message in messages)
        with shown(browser, slides, f"{url}/#example=circuit") as (page, messages):
            page.wait_for_timeout(1000)
            assert page.frame_locator("iframe").locator(".card").count() == 0  # the whole page is in no frame
            assert any("frame-ancestors" in message for message in messages)


def test_no_page_shows_it_by_default(browser: Browser, service: str, slides: Slides) -> None:
    with shown(browser, slides, f"{service}/?embed#example=circuit") as (page, messages):
        page.wait_for_timeout(1000)
        assert page.frame_locator("iframe").locator(".card").count() == 0
        assert any("frame-ancestors" in message for message in messages)


@pytest.mark.parametrize("width", [900, 390])
def test_the_picture_fills_it_and_the_explanation_is_an_option(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 420})
    Explorer(page, "example=circuit&at=q", query="?embed")
    assert page.locator(".panel").is_hidden()
    box = page.locator(".canvas").bounding_box()
    assert box is not None and box["width"] == width and box["height"] >= 250
    page.wait_for_url("**/?embed=picture#example=circuit*")
    page.goto("about:blank")
    Explorer(page, "example=circuit&at=q", query="?embed=panel")
    if width == 390:
        page.locator("[data-open-panel]").click()
    page.locator('[data-panel="q"]').wait_for()
    assert page.locator(".drawer").is_hidden()

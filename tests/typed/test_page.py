"""The TypeScript client in a real browser, on a page of another origin than the service's."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.browser import chromium
from support.typed import PACKAGE, ROOT, run

pytestmark = pytest.mark.typed


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def pages(page_port: int) -> Iterator[str]:
    """The address of a server of the repository's files."""
    run("npm", "run", "build", folder=PACKAGE)
    with ThreadingHTTPServer(("127.0.0.1", page_port), partial(Quiet, directory=ROOT)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{page_port}"
        server.shutdown()


def test_the_vectors_pass_in_a_browser(pages: str, service: str) -> None:
    vectors = len(json.loads((ROOT / "tests" / "vectors" / "routes.json").read_text()))
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{pages}/tests/typed/page/index.html?service={service}")
        page.wait_for_function("document.querySelector('pre').textContent")
        assert page.inner_text("pre") == f"{vectors} vectors"

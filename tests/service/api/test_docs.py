"""GET /docs: the page loads nothing from elsewhere, and its folder alone is served."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from deltawire_service.app import create_app
from deltawire_service.settings import Settings


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(log_level="error")).test_client()


def test_the_page_loads_nothing_from_elsewhere(client: FlaskClient) -> None:
    with client.get("/docs") as page:
        html = page.text
    assert page.status_code == 200 and page.mimetype == "text/html"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self'; img-src 'self' data:; ")
    assert "<script>" not in html and "style=" not in html
    for address in re.findall(r'(?:src|href)="([^"]+)"', html):
        assert address.startswith(("/", "data:,")), address
        if address.startswith("/"):
            with client.get(address) as file:
                assert file.status_code == 200, address


def test_a_part_of_a_file_is_not_served(client: FlaskClient) -> None:
    for part in ("bytes=9999999-", "bytes=5-2", "bytes=a-b", "bytes=0-3"):
        with client.get("/docs/docs.js", headers={"Range": part}) as file:
            assert file.status_code == 200


def test_files_beside_the_page_are_not_served(client: FlaskClient) -> None:
    for name in ("../app.py", "..%2fapp.py", "vendor", "nothing.js"):
        answer = client.get(f"/docs/{name}")
        assert answer.status_code == 404 and answer.json["code"] == "not_found"


VENDOR = Path(__file__).parents[3] / "service/deltawire_service/docs/vendor"


@pytest.mark.parametrize("folder", sorted(VENDOR.iterdir()), ids=lambda folder: folder.name)
def test_vendored_files_are_the_ones_that_were_fetched(folder: Path) -> None:
    """Each with its licence, each with the hash written down when it came."""
    sums = dict(reversed(line.split(maxsplit=1)) for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert {file.name for file in folder.iterdir()} == sums.keys() | {"SHA256SUMS"}
    assert {"LICENSE", "VERSION"} <= sums.keys()
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name

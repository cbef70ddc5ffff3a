"""Pictures saved as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_the_picture_can_be_saved(page: Page, tmp_path: Path) -> None:
    Explorer(page, "example=circuit")
    for kind, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with page.expect_download() as saved:
            page.get_by_role("button", name=kind, exact=True).click()
        saved.value.save_as(tmp_path / kind)
        body = (tmp_path / kind).read_bytes()
        assert body.startswith(start) and len(body) > 4000
        if kind == "SVG":
            assert "−12" in body.decode() and "--green" in body.decode()


def saved(page: Page, kind: str, path: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name=kind, exact=True).click()
    download.value.save_as(path)
    return path


def test_a_saved_picture_has_every_number_and_whole_names(page: Page, tmp_path: Path) -> None:
    """However far away the picture on the page is."""
    Explorer(page, "example=residual")
    assert page.locator("[data-value]").count() == 0
    picture = ElementTree.parse(saved(page, "SVG", tmp_path / "residual.svg"))
    texts = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {
        "scores",
        "log_probs",
        "loss",
        *(f"{kind}{i}" for kind in ("in", "act", "out", "h") for i in range(1, 15)),
    } <= {*texts}
    assert not [text for text in texts if text and "…" in text]

    def count(attribute: str) -> int:
        return sum(attribute in one.attrib for one in picture.iter())

    assert (count("data-value"), count("data-delta"), count("data-edge-gradient")) == (62, 61, 74)
    assert "‖1.86‖" in texts and "δ ‖0.57‖" in texts
    body = saved(page, "PNG", tmp_path / "residual.png").read_bytes()
    width, height = (int.from_bytes(body[at : at + 4], "big") for at in (16, 20))
    assert width * height > 4_000_000  # enough pixels for all of that


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_saved_picture_has_the_colours_of_the_page(
    page: Page, faults: list[str], tmp_path: Path, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    Explorer(page, "example=window_classifier")
    page.locator(".cells rect").first.wait_for()
    fills = (
        "all => Object.fromEntries(all.map(one => [one.getAttribute('class'), getComputedStyle(one).fill]))"
    )
    shown = page.locator(".cells rect").evaluate_all(fills)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    path = saved(page, "SVG", tmp_path / f"{scheme}.svg")
    page.goto(path.as_uri())
    drawn = page.locator(".cells rect").evaluate_all(fills)
    assert len(shown) > 8 and drawn == shown
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == background
    assert faults == [f"another host: {path.as_uri()}"]  # the saved file, opened by the test
    faults.clear()

"""The banner of a refusal: of the text as it is, in the page's language, beside the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import open_editor

from deltawire_service.http.problem_titles import load_titles

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_the_banner_follows_the_text(page: Page, faults: list[str]) -> None:
    open_editor(page, "example=circuit")
    editor = page.locator(".editor textarea")
    text = editor.input_value()
    editor.fill(text.replace('"multiply"', '"multiplx"'))
    banner = page.locator(".refused", has_text="multiplx")
    banner.wait_for()
    assert banner.inner_text().startswith("Last valid network.")
    assert page.locator(".page.stale").count() == 1
    editor.fill(text[:-3])
    page.locator(".refused", has_text="JSON").wait_for()
    assert "multiplx" not in page.locator(".refused").inner_text()
    editor.fill(text)
    page.locator(".refused").wait_for(state="detached")
    assert page.locator(".page.stale").count() == 0
    assert all("422" in fault for fault in faults)
    faults.clear()


def test_the_banner_covers_no_number(page: Page, faults: list[str]) -> None:
    open_editor(page, "example=window_classifier")
    editor = page.locator(".editor textarea")
    editor.fill(editor.input_value().replace('"max_margin"', '"max_margim"'))
    page.locator(".refused").wait_for()
    covered = page.locator(".drawing .card, .drawing .edge-label").evaluate_all(
        """all => {
          const banner = document.querySelector('.refused').getBoundingClientRect();
          return all.filter(one => {
            const box = one.getBoundingClientRect();
            return box.right > banner.left && box.left < banner.right
              && box.bottom > banner.top && box.top < banner.bottom;
          }).length;
        }"""
    )
    assert covered == 0
    faults.clear()


def test_refusals_in_korean(page: Page, faults: list[str]) -> None:
    open_editor(page, "example=circuit&lang=ko")
    editor = page.locator(".editor textarea")
    editor.fill(editor.input_value().replace('"multiply"', '"multiplx"'))
    page.locator(".refused", has_text="그런 종류의 층이 없습니다").wait_for()
    about, detail = (page.locator(f".refused .{part}").bounding_box() for part in ("subject", "detail"))
    assert about is not None and detail is not None
    assert detail["y"] >= about["y"] + about["height"] - 1  # the service's own sentence is below
    assert page.locator('.refused .detail[lang="en"]', has_text="multiplx").count() == 1
    assert "마지막으로 올바르던 네트워크" in page.locator(".refused").inner_text()
    faults.clear()


def test_every_refusal_of_the_service_has_its_title_in_korean(page: Page, faults: list[str]) -> None:
    """The page draws the title of each code; the sentence that names places stays English."""
    page.goto("/#lang=ko")
    page.locator(".card").first.wait_for()
    titles = load_titles()["ko"]
    described = page.evaluate(
        """async codes => {
          const { describe } = await import('/explorer/widgets/describe.js');
          const { translator } = await import('/explorer/lecture/i18n.js');
          const { GRAPH_TEXTS } = await import('/explorer/lecture/graph_texts.js');
          const t = translator(GRAPH_TEXTS, 'ko');
          return codes.map(code => describe({ code, detail: 'at /network' }, t));
        }""",
        list(titles),
    )
    assert described == [f"{title}: at /network" for title in titles.values()]


def test_a_refusal_follows_the_language_of_the_page(page: Page, faults: list[str]) -> None:
    open_editor(page, "example=circuit")
    editor = page.locator(".editor textarea")
    editor.fill(editor.input_value().replace('"multiply"', '"multiplx"'))
    banner = page.locator(".refused", has_text="multiplx")
    banner.wait_for()
    assert banner.locator(".subject").count() == 0
    page.get_by_label("한국어").or_(page.get_by_role("button", name="한국어")).first.click()
    banner.locator(".subject", has_text="그런 종류의 층이 없습니다").wait_for()
    faults.clear()

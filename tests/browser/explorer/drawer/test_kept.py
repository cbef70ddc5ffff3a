"""Networks of one's own: kept in the browser, exported, imported, deleted, and never replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def keep(page: Page, title: str) -> None:
    page.locator("[data-keep-title]").fill(title)
    page.locator("[data-keep]").click()


def test_a_network_is_kept_opened_exported_imported_and_deleted(page: Page, tmp_path: Path) -> None:
    explorer = Explorer(page, "example=circuit")
    page.locator('[data-input="x"]').fill("7")
    page.locator('[data-value="x"] text', has_text="7").wait_for()
    explorer.tab("Kept")
    keep(page, "mine")
    page.locator('[data-kept="mine"].on').wait_for()
    keep(page, "mine")
    page.locator('[data-kept="mine 2"]').wait_for()  # beside it: nothing is replaced
    page.locator("select.network").select_option("fan_out")
    page.locator('[data-node="m"]').wait_for()
    page.reload()
    page.locator("select.network").select_option(label="mine")
    page.locator('[data-value="x"] text', has_text="7").wait_for()
    with page.expect_download() as download:
        page.locator('[data-kept="mine"]').get_by_role("button", name="export").click()
    file = tmp_path / "again.json"
    download.value.save_as(file)
    assert json.loads(file.read_text())["data"]["x"] == [7]
    for title in ("mine", "mine 2"):
        page.locator(f'[data-kept="{title}"] [data-delete]').click()
        page.locator(f'[data-kept="{title}"]').wait_for(state="detached")
    page.locator("[data-put-back]").click()
    page.locator('[data-kept="mine 2"]').wait_for()
    page.locator("[data-take]").set_input_files(file)
    page.locator('[data-kept="again"]').wait_for()
    file.write_text("no network")
    page.locator("[data-take]").set_input_files(file)
    page.locator("[data-kept-said].warning", has_text="there is no network in it").wait_for()


def test_the_last_version_is_there_without_being_kept(page: Page) -> None:
    explorer = Explorer(page, "example=circuit")
    page.locator('[data-input="x"]').fill("7")
    page.locator('[data-value="x"] text', has_text="7").wait_for()
    page.goto("about:blank")
    explorer = Explorer(page, "example=fan_out")
    explorer.tab("Kept")
    page.locator("[data-draft] button").click()
    page.locator('[data-value="x"] text', has_text="7").wait_for()


def test_a_full_browser_says_so(page: Page) -> None:
    page.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError'); }"
    )
    explorer = Explorer(page, "example=circuit")
    explorer.tab("Kept")
    keep(page, "mine")
    page.locator("[data-kept-said].warning", has_text="no room").wait_for()
    assert page.locator("[data-kept]").count() == 0

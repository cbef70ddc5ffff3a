"""Networks of one's own: kept in the browser, exported, imported, deleted, and never replaced."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

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
    page.wait_for_url(re.compile("example=fan_out.*tab=kept"))  # it is written a little later than drawn
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
    page.locator(
        "[data-kept-said].warning", has_text="again.json: neither a safetensors file nor JSON"
    ).wait_for()


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


def refused_in_the_editor(page: Page, explorer: Explorer) -> str:
    explorer.tab("Edit")
    editor = page.locator(".editor textarea")
    wrong = editor.input_value().replace('"multiply"', '"multiplx"')
    editor.fill(wrong)
    page.locator(".refused").wait_for()
    return wrong


def reopened(page: Page, explorer: Explorer) -> str:
    explorer.tab("Kept")
    page.locator("[data-refused-text] [data-open]").click()
    page.locator(".faults li").first.wait_for()
    return page.locator(".editor textarea").input_value()


@pytest.mark.parametrize("reload", [False, True])
def test_a_refused_document_survives_another_network(page: Page, faults: list[str], reload: bool) -> None:
    explorer = Explorer(page, "example=circuit")
    wrong = refused_in_the_editor(page, explorer)
    page.locator("select.network").select_option("fan_out")
    page.locator('[data-node="m"]').wait_for()
    assert page.locator(".refused").count() == 0
    if reload:
        page.wait_for_url("**#example=fan_out*")
        page.reload()
        page.locator('[data-node="m"]').wait_for()
    explorer.tab("Edit")
    page.locator("[data-others]", has_text="One text was not accepted").wait_for()
    assert reopened(page, explorer) == wrong
    page.locator(".editor textarea").fill(wrong.replace("multiplx", "multiply"))
    page.locator('[data-value="f"] text', has_text="−12").wait_for()
    explorer.tab("Kept")
    assert page.locator("[data-refused-text]").count() == 0  # what is accepted is no longer refused
    assert faults and all("422" in fault for fault in faults)
    faults.clear()


def test_a_text_that_is_not_json_and_two_refusals_are_kept_apart(page: Page, faults: list[str]) -> None:
    explorer = Explorer(page, "example=circuit")
    wrong = refused_in_the_editor(page, explorer)
    page.locator("select.network").select_option("fan_out")
    page.locator('[data-node="m"]').wait_for()
    page.locator(".editor textarea").fill('{"network": [')
    page.locator(".refused").wait_for()
    page.locator("select.network").select_option("circuit")
    page.locator('[data-node="q"]').wait_for()
    explorer.tab("Kept")
    texts = page.locator("[data-refused-text] [data-open]")
    assert texts.count() == 2
    assert texts.first.inner_text() == '{"network": ['
    assert texts.nth(1).inner_text().removesuffix("…") in " ".join(wrong.split())
    page.locator("[data-refused-text] [data-delete]").first.click()
    assert texts.count() == 1
    page.locator("[data-restore]").click()
    assert texts.count() == 2
    faults.clear()


def test_a_refused_text_stays_when_the_service_accepts_an_older_one(page: Page, faults: list[str]) -> None:
    explorer = Explorer(page, "example=circuit")
    explorer.tab("Edit")
    editor = page.locator(".editor textarea")
    text = editor.input_value()
    held: list[Route] = []
    page.route("**/v1/gradients", lambda route: held.append(route))
    editor.fill(text.replace("[-2]", "[3]"))
    while not held:
        page.wait_for_timeout(20)
    wrong = text.replace('"multiply"', '"multiplx"')
    editor.fill(wrong)
    for route in held:
        route.continue_()  # its answer comes before the newer text is tried
    page.unroute("**/v1/gradients")
    page.locator(".refused").wait_for()
    page.locator("select.network").select_option("fan_out")
    page.locator('[data-node="m"]').wait_for()
    assert reopened(page, explorer) == wrong
    faults.clear()


def test_the_document_of_a_refused_link_is_kept(page: Page, faults: list[str]) -> None:
    explorer = Explorer(page, "example=circuit")
    page.locator('[data-input="x"]').fill("7")
    page.locator('[data-value="x"] text', has_text="7").wait_for()
    page.wait_for_url("**#state=*")
    refusal = {"code": "unknown_kind", "detail": "no layer of this kind", "title": "", "status": 422}
    page.route("**/v1/plan", lambda route: route.fulfill(status=422, json=refusal))
    page.reload()
    page.locator(".refused").wait_for()
    page.unroute("**/v1/plan")
    page.locator("select.network").select_option("fan_out")
    page.locator('[data-node="m"]').wait_for()
    explorer.tab("Kept")
    page.locator("[data-refused-text] [data-open]").click()
    page.locator('[data-value="x"] text', has_text="7").wait_for()  # accepted now
    faults.clear()


def test_a_full_browser_says_that_a_refused_text_is_not_kept(page: Page, faults: list[str]) -> None:
    page.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError'); }"
    )
    refused_in_the_editor(page, Explorer(page, "example=circuit"))
    page.locator("[data-no-room]", has_text="no room").wait_for()
    faults.clear()

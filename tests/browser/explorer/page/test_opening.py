"""Networks that are dropped, pasted or chosen: each opens as one's own, with a way back to the one before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.explorer import Explorer
from support.network_files import NETWORK, saved

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

TRANSFER = """([files, text]) => {
  const transfer = new DataTransfer();
  for (const [name, bytes] of files) transfer.items.add(new File([new Uint8Array(bytes)], name));
  if (text !== null) transfer.setData("text/plain", text);
  return transfer;
}"""


def transfer(page: Page, files: dict[str, bytes] | None = None, text: str | None = None) -> Any:
    """Return what is dragged or pasted: files by name, or a text."""
    return page.evaluate_handle(
        TRANSFER, [[[name, list(content)] for name, content in (files or {}).items()], text]
    )


def drop(page: Page, where: str = "main", **content: Any) -> None:
    carried = transfer(page, **content)
    for event in ("dragover", "drop"):
        page.locator(where).first.dispatch_event(event, {"dataTransfer": carried})


def paste(page: Page, text: str, where: str = "body") -> None:
    page.locator(where).first.evaluate(
        """(one, carried) => one.dispatchEvent(
          new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true }))""",
        transfer(page, text=text),
    )


def test_a_dropped_file_opens_and_back_leads_to_the_network_before(page: Page, tmp_path: Path) -> None:
    explorer = Explorer(page, "example=circuit")
    page.locator('[data-input="x"]').fill("7")
    page.locator('[data-value="x"] text', has_text="7").wait_for()
    drop(page, files={"net.safetensors": saved(tmp_path / "net.safetensors").read_bytes()})
    page.locator('[data-node="hidden"]').wait_for()
    assert page.locator("select.network").input_value() == "own"
    page.wait_for_function("() => history.length > 2 && location.hash.startsWith('#state')")
    page.wait_for_timeout(400)  # its own address is written
    page.go_back()
    page.locator('[data-value="x"] text', has_text="7").wait_for()  # however soon the file came
    assert explorer.values()["f"] == "−48"
    page.go_forward()
    page.locator('[data-node="hidden"]').wait_for()


def test_two_files_one_after_the_other_are_two_entries(page: Page) -> None:
    Explorer(page, "example=circuit")
    page.wait_for_function("() => location.hash.includes('step=')")
    other = json.loads(json.dumps(NETWORK).replace("hidden", "second"))
    drop(page, files={"one.json": json.dumps(NETWORK).encode()})
    page.locator('[data-node="hidden"]').wait_for()
    drop(page, files={"two.json": json.dumps(other).encode()})
    page.locator('[data-node="second"]').wait_for()
    page.wait_for_timeout(400)
    page.go_back()
    page.locator('[data-node="hidden"]').wait_for()
    page.go_back()
    page.locator('[data-node="q"]').wait_for()


def test_what_is_dragged_over_the_page_is_invited(page: Page) -> None:
    Explorer(page, "example=circuit")
    carried = transfer(page, files={"net.json": b"{}"})
    page.locator("main").dispatch_event("dragover", {"dataTransfer": carried})
    page.locator(".dropping", has_text="Drop a network here").wait_for()
    page.locator("main").dispatch_event("dragleave", {"dataTransfer": carried})
    page.locator(".dropping").wait_for(state="detached")


def test_a_pasted_spec_opens_and_other_text_is_refused(page: Page) -> None:
    Explorer(page, "example=circuit")
    paste(page, "some words")
    page.locator(".refused", has_text="What was pasted: neither a safetensors file nor JSON").wait_for()
    paste(page, json.dumps({"network": NETWORK, "data": {"x": [[1, 2]]}}))
    page.locator('[data-node="hidden"]').wait_for()
    page.locator(".refused").wait_for(state="detached")


def test_a_field_keeps_what_is_pasted_into_it_and_files_are_taken_everywhere(page: Page) -> None:
    explorer = Explorer(page, "example=circuit")
    explorer.tab("Edit")
    paste(page, json.dumps(NETWORK), ".editor textarea")
    page.wait_for_timeout(300)
    assert page.locator('[data-node="q"]').count() == 1
    drop(page, ".editor textarea", files={"net.json": json.dumps(NETWORK).encode()})
    page.locator('[data-node="hidden"]').wait_for()  # the browser would leave the page for the file


def test_several_files_at_once_are_refused(page: Page) -> None:
    Explorer(page, "example=circuit&lang=ko")
    drop(page, files={"a.json": b"{}", "b.json": b"{}"})
    page.locator(".refused", has_text="파일 2개를 한꺼번에 열 수는 없습니다").wait_for()


def test_a_network_that_the_service_refuses_is_kept_among_the_refused(page: Page, faults: list[str]) -> None:
    explorer = Explorer(page, "example=circuit&tab=kept")
    wrong = json.dumps(NETWORK).replace('"sum"', '"summ"')
    drop(page, files={"net.json": wrong.encode()})
    page.locator(".refused", has_text="summ").wait_for()
    assert explorer.values()["f"] == "−12"
    page.locator("[data-refused-text]", has_text='"network"').wait_for()
    assert faults and all("422" in fault for fault in faults)
    faults.clear()

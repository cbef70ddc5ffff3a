"""The editor: faults at their lines, few requests, texts that stay as they were typed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer, open_editor

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_the_editor_shows_faults_at_their_lines(page: Page, faults: list[str]) -> None:
    explorer = Explorer(page, "example=circuit")
    explorer.tab("Edit")
    editor = page.locator(".editor textarea")
    text = editor.input_value()
    lines = text.split("\n")
    wrong = next(i for i, line in enumerate(lines, start=1) if '"multiply"' in line)
    editor.fill(text.replace('"q", "z"', '"p", "z"'))
    fault = page.locator(".faults li")
    fault.wait_for()
    assert fault.get_attribute("data-line") == str(wrong)
    assert "no input or node is named 'p'" in fault.inner_text()
    assert page.locator(".lines .wrong").inner_text().strip() == str(wrong)
    assert explorer.values()["f"] == "−12"  # the last picture stays
    assert faults and all("422" in fault for fault in faults)
    faults.clear()

    editor.fill(text.replace('"kind": "multiply"', '"kind": "multiply",,'))
    page.locator(f'.faults li[data-line="{wrong}"]').wait_for()

    editor.fill(text.replace('"multiply"', '"maximum"'))
    page.locator('[data-value="f"] text', has_text=re.compile("^3$")).wait_for()
    assert page.locator(".faults").count() == 0


def test_line_numbers_scroll_with_the_text(page: Page) -> None:
    open_editor(page, "example=window_classifier")
    for place in ("one.scrollHeight", "120", "7"):
        page.locator(".editor textarea").evaluate(f"one => {{ one.scrollTop = {place}; }}")
        page.wait_for_timeout(100)
        off = page.evaluate(
            """() => {
              const text = document.querySelector('.editor textarea');
              const first = document.querySelector('.lines span').getBoundingClientRect().top;
              const top = text.getBoundingClientRect().top + parseFloat(getComputedStyle(text).paddingTop);
              return first + text.scrollTop - top;
            }"""
        )
        assert abs(off) <= 1, (place, off)


def test_typing_sends_requests_only_when_it_pauses(page: Page) -> None:
    open_editor(page, "example=circuit")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url.rpartition("/v1")[2]))
    editor = page.locator(".editor textarea")
    text = editor.input_value()
    for number in range(10):
        editor.fill(text.replace("[-2]", f"[{number}]"))
    page.locator('[data-value="x"] text', has_text="9").wait_for()
    page.wait_for_load_state("networkidle")
    assert "/plan" not in requests  # the network is the same
    assert requests.count("/gradients") <= 6


def test_a_text_keeps_its_spaces(page: Page) -> None:
    open_editor(page, "example=circuit")
    editor = page.locator(".editor textarea")
    spaced = editor.input_value().replace("[-2]", "[  3  ]")
    editor.fill(spaced)
    page.locator('[data-value="x"] text', has_text="3").wait_for()
    assert editor.input_value() == spaced


def test_a_refused_text_is_still_there_after_a_look_at_another_tab(page: Page, faults: list[str]) -> None:
    explorer = open_editor(page, "example=circuit")
    editor = page.locator(".editor textarea")
    wrong = editor.input_value().replace('"multiply"', '"multiplx"')
    editor.fill(wrong)
    page.locator(".refused").wait_for()
    explorer.tab("Inputs")
    explorer.tab("Edit")
    assert editor.input_value() == wrong
    assert page.locator(".lines .wrong").count() == 1
    faults.clear()


@pytest.mark.parametrize(
    "text", ["{}", "[]", "null", '{"network": 5}', '{"network": {"inputs": 3, "nodes": 4}}']
)
def test_a_text_that_is_no_request_leaves_the_other_tabs_as_they_are(
    page: Page, faults: list[str], text: str
) -> None:
    explorer = open_editor(page, "example=circuit&at=q")
    page.locator(".editor textarea").fill(text)
    page.locator(".faults li").first.wait_for()
    for tab in ("Inputs", "Findings", "Plots", "Train", "Edit"):
        explorer.tab(tab)
    assert page.locator(".editor textarea").input_value() == text
    assert faults and all("422" in fault for fault in faults)
    faults.clear()
    page.locator("form.add select").select_option("negate")  # behind q of the last valid network
    page.locator("form.add button").click()
    page.locator('[data-node="negate1"]').wait_for()
    assert explorer.values()["f"] == "12" and page.locator(".refused").count() == 0

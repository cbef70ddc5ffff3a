"""The editor: what is wrong is told while it is wrong, the last valid picture is dimmed, few requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def opened(page: Page, state: str) -> Explorer:
    explorer = Explorer(page, state)
    explorer.tab("Edit" if "lang=ko" not in state else "편집")
    return explorer


def test_the_banner_is_of_the_text_as_it_is(page: Page, faults: list[str]) -> None:
    opened(page, "example=circuit")
    editor = page.locator(".editor textarea")
    text = editor.input_value()
    editor.fill(text.replace('"multiply"', '"multiplx"'))
    banner = page.locator(".refused", has_text="multiplx")
    banner.wait_for()
    assert banner.inner_text().startswith("Last valid network.")
    assert page.locator(".canvas.stale").count() == 1
    editor.fill(text[:-3])
    page.locator(".refused", has_text="JSON").wait_for()
    assert "multiplx" not in page.locator(".refused").inner_text()
    editor.fill(text)
    page.locator(".refused").wait_for(state="detached")
    assert page.locator(".canvas.stale").count() == 0
    assert all("422" in told for told in faults)
    faults.clear()


def test_the_banner_covers_no_number(page: Page, faults: list[str]) -> None:
    opened(page, "example=window_classifier")
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


def test_line_numbers_scroll_with_the_text(page: Page) -> None:
    opened(page, "example=window_classifier")
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


def test_typing_asks_when_it_pauses(page: Page) -> None:
    opened(page, "example=circuit")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/v1")[2]))
    editor = page.locator(".editor textarea")
    text = editor.input_value()
    for number in range(10):
        editor.fill(text.replace("[-2]", f"[{number}]"))
    page.locator('[data-value="x"] text', has_text="9").wait_for()
    page.wait_for_load_state("networkidle")
    assert "/plan" not in asked  # the network is the same
    assert asked.count("/gradients") <= 6


def test_what_is_typed_stays_as_it_is_typed(page: Page) -> None:
    opened(page, "example=circuit")
    editor = page.locator(".editor textarea")
    spaced = editor.input_value().replace("[-2]", "[  3  ]")
    editor.fill(spaced)
    page.locator('[data-value="x"] text', has_text="3").wait_for()
    assert editor.input_value() == spaced


def test_refusals_in_korean(page: Page, faults: list[str]) -> None:
    opened(page, "example=circuit&lang=ko")
    editor = page.locator(".editor textarea")
    editor.fill(editor.input_value().replace('"multiply"', '"multiplx"'))
    page.locator(".refused", has_text="그런 종류의 층이 없습니다").wait_for()
    assert "마지막으로 유효했던 네트워크" in page.locator(".refused").inner_text()
    faults.clear()


def test_a_refused_text_is_still_there_after_a_look_at_another_tab(page: Page, faults: list[str]) -> None:
    explorer = opened(page, "example=circuit")
    editor = page.locator(".editor textarea")
    wrong = editor.input_value().replace('"multiply"', '"multiplx"')
    editor.fill(wrong)
    page.locator(".refused").wait_for()
    explorer.tab("Inputs")
    explorer.tab("Edit")
    assert editor.input_value() == wrong
    assert page.locator(".lines .wrong").count() == 1
    faults.clear()


def tall(page: Page, share: float) -> None:
    """Waits until what is below the graph has this share of the window's 900 pixels."""
    page.wait_for_function(
        "most => Math.abs(document.querySelector('.drawer').clientHeight - most) < 3", arg=share * 900
    )


def test_what_is_below_the_graph_can_be_made_taller(page: Page) -> None:
    """By keys, by dragging, by a double click; and it is so the next time."""
    opened(page, "example=deep_sigmoid")
    edge = page.get_by_role("separator")
    edge.focus()
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    tall(page, 0.42)
    page.keyboard.press("ArrowDown")
    tall(page, 0.37)
    assert edge.get_attribute("aria-valuenow") == "37"
    page.keyboard.press("Enter")
    tall(page, 0.55)
    box = edge.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 6)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, 540, steps=4)
    page.mouse.up()
    tall(page, 0.4)
    assert page.locator(".editor textarea").evaluate("one => one.clientHeight") > 14 * 19  # lines
    page.reload()
    page.locator(".card").first.wait_for()
    tall(page, 0.4)
    edge.dblclick()
    tall(page, 0.55)


def test_a_layer_to_add_needs_no_scrolling_to_its_button(page: Page) -> None:
    opened(page, "example=deep_sigmoid&at=z1")
    page.locator("form.add select").select_option("linear")
    button, frame = page.locator("form.add button").bounding_box(), page.locator(".beside").bounding_box()
    assert button and frame and button["y"] + button["height"] < frame["y"] + frame["height"]


def test_parameters_that_are_drawn_can_be_read(page: Page) -> None:
    """Four digits, and the page computes with those."""
    opened(page, "example=moons")
    asked: list[dict[str, Any]] = []
    page.on("request", lambda request: asked.append(request.post_data_json) if request.post_data else None)
    explorer = Explorer(page, "example=moons&tab=edit")
    page.reload()
    page.locator(".card").first.wait_for()
    params = json.loads(page.locator(".editor textarea").input_value())["params"]
    drawn = [number for row in params["hidden.weight"] for number in row]
    assert len(set(drawn)) == 16 and all(number == float(f"{number:.4g}") for number in drawn)
    assert [one["params"] for one in asked if "trace" in one][-1] == params
    explorer.tab("Train")
    page.locator("[data-renew]").click()
    page.wait_for_timeout(500)
    explorer.tab("Edit")
    renewed = json.loads(page.locator(".editor textarea").input_value())["params"]
    assert renewed != params
    assert all(number == float(f"{number:.4g}") for row in renewed["hidden.weight"] for number in row)

"""The search for a node: by a part of its name or kind, with keys or the pointer, also among 200 nodes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

OPTIONS = '[role="option"]'
FOCUSED = "document.activeElement"
IN_FRAME = """name => {
  const card = document.querySelector(`[data-node="${name}"] .body`).getBoundingClientRect();
  const frame = document.querySelector('.viewport').getBoundingClientRect();
  return card.left >= frame.left && card.right <= frame.right
    && card.top >= frame.top && card.bottom <= frame.bottom;
}"""


def chain(length: int) -> dict[str, Any]:
    """Return a request with a chain of nodes, n0 to the loss."""
    nodes = [{"name": f"n{i}", "kind": "tanh", "inputs": [f"n{i - 1}" if i else "x"]} for i in range(length)]
    nodes.append({"name": "total", "kind": "sum", "inputs": [f"n{length - 1}"]})
    return {"network": {"inputs": {"x": {"shape": [2]}}, "nodes": nodes}, "data": {"x": [[1, 2]]}}


def open_chain(page: Page, length: int) -> Explorer:
    explorer = Explorer(page, "example=circuit&tab=edit")
    page.locator(".editor textarea").fill(json.dumps(chain(length)))
    page.locator('[data-node="total"]').wait_for()
    return explorer


def names(page: Page) -> list[str]:
    found = page.locator(OPTIONS).evaluate_all("all => all.map(one => one.dataset.found)")
    return [str(name) for name in found]


def test_a_node_among_200_is_found_by_keys_and_brought_into_view(page: Page) -> None:
    explorer = open_chain(page, 199)
    page.locator('[data-node="n3"] .ring').focus()
    assert page.locator("[data-value]").count() == 0  # from far, there are no numbers
    explorer.press("/")
    page.get_by_role("combobox", name="find a node").wait_for()
    assert len(names(page)) == 201
    page.keyboard.type("n12")
    assert names(page) == ["n12", *(f"n{i}" for i in range(120, 130))]
    for key in ("ArrowDown", "ArrowDown", "ArrowUp"):
        explorer.press(key)
    chosen = page.locator(f'{OPTIONS}[aria-selected="true"]')
    assert chosen.get_attribute("data-found") == "n120"
    assert page.evaluate(f"{FOCUSED}.getAttribute('aria-activedescendant')") == chosen.get_attribute("id")
    explorer.press("Enter")
    page.locator('[data-panel="n120"]').wait_for()
    page.locator('[data-value="n120"]').wait_for()  # near enough for its numbers
    assert page.evaluate(IN_FRAME, "n120")
    page.wait_for_function(f"() => {FOCUSED}.closest('[data-node]')?.dataset.node === 'n120'")
    assert page.locator(OPTIONS).count() == 0


def test_escape_closes_it_and_the_focus_goes_back(page: Page) -> None:
    explorer = Explorer(page, "example=circuit&at=q")
    explorer.press("p")  # Escape ends the presentation only when nothing is searched
    page.locator('[data-node="z"] .ring').focus()
    step = explorer.step()
    explorer.press("/")
    page.keyboard.type("p")
    explorer.press("ArrowLeft")
    explorer.press("Escape")
    page.locator(".finder").wait_for(state="detached")
    assert page.evaluate(f"{FOCUSED}.closest('[data-node]').dataset.node") == "z"
    assert page.locator('[data-panel="q"]').count() == 1 and explorer.step() == step
    assert page.locator(".page.presented").count() == 1


def test_the_button_finds_kinds_too_and_a_click_chooses(page: Page) -> None:
    Explorer(page, "example=window_classifier")
    page.get_by_role("button", name="find a node").click()
    field = page.get_by_role("combobox", name="find a node")
    field.fill("LINEAR")
    found = names(page)
    assert found and all(
        page.locator(f'[data-found="{name}"] small').inner_text() == "linear" for name in found
    )
    page.locator(OPTIONS).last.click()
    page.locator(f'[data-panel="{found[-1]}"]').wait_for()
    page.locator("[data-find]").click()
    field.fill("nowhere")
    page.locator(".finder").get_by_text("No node has “nowhere” in its name or kind.").wait_for()
    page.keyboard.press("Enter")
    assert page.locator(".finder").count() == 1
    page.locator("[data-find]").click()
    page.locator(".finder").wait_for(state="detached")


def test_a_node_that_was_moved_out_of_sight_is_brought_back(page: Page) -> None:
    explorer = Explorer(page, "example=circuit&at=q")
    for _ in range(6):
        page.get_by_title("larger").click()
    box = page.locator(".viewport").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] + 600, box["y"] + 20, steps=4)
    page.mouse.up()
    assert not page.evaluate(IN_FRAME, "q")
    explorer.press("/")
    page.keyboard.type("q")
    explorer.press("Enter")  # it is selected already
    page.wait_for_function(f"() => ({IN_FRAME})('q')")


def test_a_slash_in_a_field_is_a_letter(page: Page) -> None:
    Explorer(page, "example=circuit&tab=edit")
    page.locator(".editor textarea").focus()
    page.keyboard.press("Shift+End")
    assert page.locator(".finder").count() == 0
    page.get_by_role("tab", name="Kept").click()
    page.locator("[data-keep-title]").press("/")
    assert page.locator("[data-keep-title]").input_value() == "/" and page.locator(".finder").count() == 0

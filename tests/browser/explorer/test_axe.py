"""The page has no violation that axe finds, in each of its states."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer, script

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[3] / "tools/javascript/node_modules/axe-core/axe.min.js"


def check_axe(page: Page) -> None:
    """Fail with the rules that the page breaks, and the elements that break them."""
    assert AXE.is_file(), "axe is missing: 'npm --prefix tools/javascript ci' brings it"
    page.wait_for_load_state("networkidle")
    page.evaluate(AXE.read_text())  # the page's policy lets no script element in
    found = page.evaluate(script(__file__, "axe"))
    assert not found, "\n".join(found)


def nothing(explorer: Explorer) -> None:
    """Leave the page as it opens."""


def select_edge(explorer: Explorer) -> None:
    explorer.page.locator('[data-edge-button="q→f/0"] .touch').focus()
    explorer.press("Enter")
    explorer.page.locator('[data-edge-button="q→f/0"] [aria-pressed="true"]').wait_for()


def train(explorer: Explorer) -> None:
    explorer.page.locator("[data-train]").click()
    explorer.page.locator(".training .chart .line path").first.wait_for()


def refuse(explorer: Explorer) -> None:
    editor = explorer.page.locator(".editor textarea")
    editor.fill(editor.input_value().replace('"multiply"', '"multiplied"'))
    explorer.page.locator(".faults").wait_for()
    explorer.page.locator(".refused").wait_for()


def keep_refused(explorer: Explorer) -> None:
    refuse(explorer)
    explorer.tab("Kept")
    explorer.page.locator("[data-refused-text]").wait_for()


def check_gradients(explorer: Explorer) -> None:
    explorer.page.locator("[data-check]").click()
    explorer.page.locator("[data-agree]").wait_for()


def open_folds(explorer: Explorer) -> None:
    explorer.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    explorer.page.evaluate("document.querySelectorAll('button.all').forEach((one) => one.click())")


def find_node(explorer: Explorer) -> None:
    explorer.press("/")
    explorer.page.keyboard.type("h1")
    explorer.page.locator('[role="option"]').first.wait_for()


def present(explorer: Explorer) -> None:
    explorer.press("p")
    explorer.page.locator(".page.presented").wait_for()


def change_number(explorer: Explorer) -> None:
    explorer.page.locator('[data-input="x"]').fill("7")
    explorer.page.locator("[data-what-if]").wait_for()


def predict(explorer: Explorer) -> None:
    explorer.page.locator("[data-predict-toggle]").click()
    explorer.page.locator("[data-predict-number]").fill("1")
    explorer.page.locator("[data-predict-check]").click()
    explorer.page.locator("[data-verdict]").wait_for()


def mistype(explorer: Explorer) -> None:
    explorer.page.locator("[data-predict-toggle]").click()
    explorer.page.locator("[data-predict-number]").fill("one")
    explorer.page.locator("[data-predict-check]").click()
    explorer.page.locator('.predict [role="alert"]').wait_for()


def choose_dark(explorer: Explorer) -> None:
    explorer.page.locator("[data-theme-switch]").click()
    explorer.page.locator('[data-theme="dark"]').wait_for()


STATES: dict[str, tuple[str, Callable[[Explorer], None]]] = {
    "start": ("", nothing),
    "tour stop": ("tour=1.2", nothing),
    "panel of a node": ("example=window_classifier&at=z1", open_folds),
    "panel of an input": ("example=moons&at=x", open_folds),
    "edge": ("example=circuit&at=q", select_edge),
    "editor": ("example=circuit&tab=edit", nothing),
    "inputs": ("example=moons&tab=inputs", open_folds),
    "plots": ("example=window_classifier&tab=plots", nothing),
    "kept": ("example=circuit&tab=kept", nothing),
    "training": ("example=moons&tab=train", train),
    "refused document": ("example=circuit&tab=edit", refuse),
    "refused text": ("example=circuit&tab=edit", keep_refused),
    "checks": ("example=circuit&tab=findings", check_gradients),
    "findings": ("example=deep_sigmoid&tab=findings", nothing),
    "dark": ("example=window_classifier&at=z1", choose_dark),
    "Korean": ("example=window_classifier&at=z1&lang=ko", nothing),
    "search": ("example=residual", find_node),
    "embedded": ("example=circuit", nothing),
    "presentation": ("example=circuit", present),
    "what if": ("example=circuit", change_number),
    "prediction": ("example=circuit&at=f&step=3", predict),
    "prediction of a stop": ("tour=1.1", predict),
    "prediction that is no number": ("example=window_classifier&at=z1", mistype),
}


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_no_violation(page: Page, faults: list[str], state: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    address, prepare = STATES[state]
    prepare(Explorer(page, address, query="?embed" if state == "embedded" else ""))
    check_axe(page)
    if state.startswith("refused"):
        assert faults and all("422" in fault for fault in faults)
        faults.clear()


def test_axe_finds_a_violation_that_is_there(page: Page) -> None:
    Explorer(page)
    page.evaluate("document.querySelector('select.network').removeAttribute('aria-label')")
    page.evaluate("document.querySelector('.choose span').remove()")
    with pytest.raises(AssertionError, match="select-name"):
        check_axe(page)

"""The explorer as a test reads it: numbers from its cards, edges and sums."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

EXAMPLES = ["circuit", "fan_out", "sigmoid_neuron_gates", "sigmoid_neuron_layer", "window_classifier"]
EXAMPLES += ["flow_graph", "deep_sigmoid", "residual", "moons"]


def script(test: str, name: str) -> str:
    """Return the JavaScript function `name`.js beside a test's file."""
    return (Path(test).parent / f"{name}.js").read_text()


def open_editor(page: Page, state: str) -> Explorer:
    """Open the page on a state, with the editor's tab in front."""
    explorer = Explorer(page, state)
    explorer.tab("편집" if "lang=ko" in state else "Edit")
    return explorer


class Explorer:
    """The page of the service at `/`, open on a state; query: names a version of a model."""

    def __init__(self, page: Page, state: str = "", query: str = ""):
        self.page = page
        page.goto(f"/{query}#{state}")
        page.locator(".card").first.wait_for()

    def step(self) -> int:
        return int(self.page.locator("[data-step]").get_attribute("data-step") or "-1")

    def last(self) -> int:
        return int(self.page.locator("[data-step]").inner_text().split("/")[1])

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def at(self, step: int) -> Explorer:
        """Go to a step by the slider."""
        self.page.locator(".stepper input[type=range]").fill(str(step))
        self.page.locator(f'[data-step="{step}"]').wait_for()
        return self

    def values(self) -> dict[str, str]:
        """Return the numbers above the cards as written, by place."""
        return self._written("data-value")

    def deltas(self) -> dict[str, str]:
        """Return the numbers below the cards as written, by place, without their δ."""
        return {name: text.removeprefix("δ ") for name, text in self._written("data-delta").items()}

    def edges(self) -> dict[str, str]:
        """Return the numbers on the edges as written, by `consumer→source`."""
        labels = self.page.locator("[data-edge-gradient]")
        names = labels.evaluate_all("all => all.map(one => one.dataset.edgeGradient)")
        return dict(zip(names, labels.locator("text:not(.badge)").all_text_contents(), strict=True))

    def panel(self) -> str:
        return self.page.locator(".panel").inner_text()

    def select(self, name: str) -> None:
        self.page.locator(f'[data-node="{name}"]').click()
        self.page.locator(f'[data-panel="{name}"]').wait_for()

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=re.compile(f"^{name}")).click()

    def _written(self, attribute: str) -> dict[str, str]:
        written = "one => [one.getAttribute(name), one.querySelector('text').textContent]"
        groups = self.page.locator(f"[{attribute}]")
        return dict(groups.evaluate_all(f"(all, name) => all.map({written})", attribute))

"""The explorer as a test reads it: numbers from its cards, edges and sums."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


class Explorer:
    """The page of the service at `/`, open on some state."""

    def __init__(self, page: Page, state: str = ""):
        self.page = page
        page.goto(f"/#{state}")
        page.locator(".card").first.wait_for()

    def step(self) -> int:
        return int(self.page.locator("[data-step]").get_attribute("data-step") or "-1")

    def last(self) -> int:
        return int(self.page.locator("[data-step]").inner_text().split("/")[1])

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def at(self, step: int) -> Explorer:
        """Goes to a step by the slider."""
        self.page.locator(".stepper input[type=range]").fill(str(step))
        self.page.locator(f'[data-step="{step}"]').wait_for()
        return self

    def values(self) -> dict[str, str]:
        """The numbers above the cards, as they are written."""
        return self._written("data-value")

    def deltas(self) -> dict[str, str]:
        """The numbers below the cards, as they are written, without their sign for what they are."""
        return {name: text.removeprefix("δ ") for name, text in self._written("data-delta").items()}

    def edges(self) -> dict[str, str]:
        """What stands on the edges: `consumer→source` and the number it sends."""
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

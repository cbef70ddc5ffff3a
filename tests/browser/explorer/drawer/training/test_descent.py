"""Training that diverges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


TRAINED = "all => all.map(one => Number(one.dataset.trained)).concat(0)[0]"


def training(page: Page, setting: str, value: str) -> Explorer:
    """Open the page, change one setting of the training and start it."""
    explorer = Explorer(page, "example=moons")
    explorer.tab("Train")
    page.locator(f"[data-{setting}]").fill(value)
    page.locator(f"[data-{setting}]").press("Enter")
    page.locator("[data-train]").click()
    return explorer


def test_a_loss_that_grows_brings_a_warning(page: Page) -> None:
    training(page, "rate", "200")
    page.locator("[data-training-warning]", has_text="Lower the learning rate").wait_for(timeout=60_000)
    page.locator("[data-reset]").click()
    page.locator("[data-training-warning]").wait_for(state="detached")


def test_parameters_that_grow_without_end_bring_a_warning(page: Page) -> None:
    explorer = Explorer(page, "example=residual&tab=train")
    page.locator("[data-rate]").fill("1")
    page.locator("[data-rate]").press("Tab")
    page.locator("[data-train]").click()
    page.get_by_role("button", name="Train", exact=False).filter(has_text="steps").wait_for(timeout=60_000)
    assert "Lower the learning rate" in page.locator("[data-training-warning]").inner_text()
    assert explorer.panel()

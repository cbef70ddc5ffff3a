"""Training in the page: curves that grow, pause, reset, new parameters."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


TRAINED = "all => all.map(one => Number(one.dataset.trained)).concat(0)[0]"


def steps(page: Page) -> int:
    return int(page.locator("[data-trained]").evaluate_all(TRAINED))


def grown(page: Page, most: int) -> None:
    """Wait until training has gone at least so many steps."""
    for _ in range(600):
        if steps(page) >= most:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{steps(page)} steps, not {most}")


def loss_and_accuracy(page: Page) -> tuple[float, float]:
    """Return the loss, and the accuracy in percent."""
    loss, accuracy = re.findall(r"([\d.]+)(?:,| %)", page.locator("output").inner_text())
    return float(loss), float(accuracy)


def params(page: Page) -> dict[str, Any]:
    page.get_by_role("tab", name="Edit").click()
    params = json.loads(page.locator(".editor textarea").input_value())["params"]
    page.get_by_role("tab", name="Train").click()
    return dict(params)


def training(page: Page, setting: str, value: str) -> Explorer:
    """Open the page, change one setting of the training and start it."""
    explorer = Explorer(page, "example=moons")
    explorer.tab("Train")
    page.locator(f"[data-{setting}]").fill(value)
    page.locator(f"[data-{setting}]").press("Enter")
    page.locator("[data-train]").click()
    return explorer


def paused(page: Page, after: int) -> int:
    """Train until step `after`, pause, and return the step reached."""
    page.locator("[data-train]").click()
    grown(page, after)
    page.locator("[data-train]", has_text="Pause").click()
    page.locator("[data-train]", has_text="Train").wait_for()
    return steps(page)


def test_training_lowers_the_loss(page: Page) -> None:
    explorer = Explorer(page, "example=moons")
    explorer.tab("Train")
    page.locator("[data-train]").click()
    page.locator(".curved .chart .plot svg").nth(
        2
    ).wait_for()  # loss, accuracy and gradient norm, while it runs
    assert steps(page) < 300
    first = loss_and_accuracy(page)
    page.locator('[data-trained="300"]').wait_for(timeout=90_000)
    loss, accuracy = loss_and_accuracy(page)
    assert loss < 0.35 and loss < first[0] and accuracy > 80
    assert page.locator(".curved .chart .plot svg").count() == 3


def test_pause_continue_and_reset(page: Page) -> None:
    explorer = Explorer(page, "example=moons")
    explorer.tab("Train")
    start = params(page)
    there = paused(page, 5)
    assert there < 300
    page.wait_for_timeout(500)
    assert steps(page) == there
    trained = params(page)
    assert trained != start
    assert explorer.values()["loss"]  # the picture is that of the trained network
    further = paused(page, there + 3)
    assert there < further < 300
    page.locator("[data-reset]").click()
    page.locator("[data-trained]").wait_for(state="detached")
    assert params(page) == start
    assert page.locator("[data-reset]").is_disabled()


def test_reset_during_training(page: Page) -> None:
    explorer = Explorer(page, "example=moons")
    explorer.tab("Train")
    start = params(page)
    page.locator("[data-train]").click()
    page.locator("[data-trained]").wait_for()
    page.locator("[data-reset]").click()
    page.locator("[data-train]", has_text="Train 300").wait_for()
    page.wait_for_timeout(500)  # what was under way arrives, and counts no more
    assert steps(page) == 0 and params(page) == start


def test_new_parameters_are_other_ones_every_time(page: Page) -> None:
    explorer = Explorer(page, "example=moons")
    explorer.tab("Train")
    seen = [params(page)]
    for _ in range(2):
        page.locator("[data-renew]").click()
        page.wait_for_timeout(500)
        seen.append(params(page))
    assert len({json.dumps(one) for one in seen}) == 3


def test_it_goes_on_beside_other_tabs_and_ends_with_other_data(page: Page) -> None:
    explorer = training(page, "size", "16")
    page.locator("[data-trained]").wait_for()
    before = steps(page)
    explorer.tab("Plots")
    grown(page, before + 1)
    explorer.tab("Inputs")
    page.locator('[data-input="x"]').fill("[9, 9]")
    page.locator('[data-input="x"]').press("Tab")
    page.locator("[data-trained]").wait_for(state="detached")
    page.wait_for_timeout(500)
    assert json.loads(page.locator('[data-input="x"]').input_value()) == [9, 9]


def test_two_moons_are_separated_at_their_own_learning_rate(page: Page) -> None:
    Explorer(page, "example=moons&tab=train")
    page.locator("[data-train]").click()
    page.locator('[data-trained="300"]').wait_for(timeout=60_000)
    assert "100 %" in page.locator("[data-trained]").inner_text()
    page.locator("select.network").select_option("flow_graph")
    page.wait_for_function("() => document.querySelector('[data-rate]').value === '0.3'")

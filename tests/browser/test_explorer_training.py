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
    """Waits until it has gone so many steps."""
    for _ in range(600):
        if steps(page) >= most:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{steps(page)} steps, not {most}")


def told(page: Page) -> tuple[float, float]:
    """Loss and accuracy, in percent."""
    loss, accuracy = re.findall(r"([\d.]+)(?:,| %)", page.locator("output").inner_text())
    return float(loss), float(accuracy)


def params(page: Page) -> dict[str, Any]:
    page.get_by_role("tab", name="Edit").click()
    found = json.loads(page.locator(".editor textarea").input_value())["params"]
    page.get_by_role("tab", name="Train").click()
    return dict(found)


def training(page: Page, setting: str, value: str) -> Explorer:
    """The page as it begins to train, one of its settings changed."""
    explorer = Explorer(page, "example=moons")
    explorer.tab("Train")
    page.locator(f"[data-{setting}]").fill(value)
    page.locator(f"[data-{setting}]").press("Enter")
    page.locator("[data-train]").click()
    return explorer


def paused(page: Page, after: int) -> int:
    """Trains for some steps and stops."""
    page.locator("[data-train]").click()
    grown(page, after)
    page.locator("[data-train]", has_text="Pause").click()
    page.locator("[data-train]", has_text="Train").wait_for()
    return steps(page)


def test_it_lowers_the_loss(page: Page) -> None:
    explorer = Explorer(page, "example=moons")
    explorer.tab("Train")
    page.locator("[data-train]").click()
    page.locator(".curved canvas").nth(2).wait_for()  # loss, accuracy and gradient norm, while it runs
    assert steps(page) < 300
    first = told(page)
    page.locator('[data-trained="300"]').wait_for(timeout=90_000)
    loss, accuracy = told(page)
    assert loss < 0.35 and loss < first[0] and accuracy > 80
    assert page.locator(".curved canvas").count() == 3


def test_pause_go_on_reset(page: Page) -> None:
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


def test_reset_while_it_runs(page: Page) -> None:
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


def test_a_loss_that_grows_is_told(page: Page) -> None:
    training(page, "rate", "200")
    page.locator("[data-training-warning]", has_text="Lower the learning rate").wait_for(timeout=60_000)
    page.locator("[data-reset]").click()
    page.locator("[data-training-warning]").wait_for(state="detached")


def test_examples_in_the_plane_and_where_each_class_would_be(page: Page) -> None:
    """The picture of the lecture: two moons, and a border that moves between them."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/v1")[2]))
    explorer = Explorer(page, "example=moons")
    assert "/forward" not in asked  # nobody looks at it
    explorer.tab("Train")
    page.locator('.scatter[data-regions="2"]').wait_for()
    points = page.locator(".scatter > svg .point")
    drawn = points.evaluate_all("all => all.map(one => [one.classList[1], one.getAttribute('d')].join())")
    assert len(drawn) == 80 and len(set(drawn)) == 2  # each class has a colour and a shape
    border = page.locator(".scatter .border")
    before = border.get_attribute("d")
    page.locator("[data-train]").click()
    page.locator('[data-trained="300"]').wait_for(timeout=90_000)
    page.locator("[data-train]", has_text="Train 300").wait_for()
    page.wait_for_load_state("networkidle")
    assert border.get_attribute("d") != before
    assert 2 <= asked.count("/forward") < 50
    where = """all => all.filter(one => {
      const { left, top, width, height } = one.getBoundingClientRect();
      const under = document.elementsFromPoint(left + width / 2, top + height / 2);
      const region = under.find(other => other.closest('.regions') && other.localName === 'rect');
      return region?.classList[0] === one.classList[1];
    }).length"""
    page.locator(".scatter").scroll_into_view_if_needed()
    assert abs(points.evaluate_all(where) / 80 - told(page)[1] / 100) < 0.05  # the accuracy, seen
    page.locator("[data-reset]").click()
    page.locator("[data-trained]").wait_for(state="detached")
    page.wait_for_function(
        "d => document.querySelector('.scatter .border').getAttribute('d') === d", arg=before
    )


@pytest.mark.parametrize("name", ["flow_graph", "deep_sigmoid", "window_classifier", "residual"])
def test_examples_that_are_no_points_of_a_plane_are_not_drawn(page: Page, name: str) -> None:
    Explorer(page, f"example={name}&tab=train")
    page.locator(".controls").wait_for()
    assert page.locator(".scatter").count() == 0


def test_two_moons_are_told_apart_at_the_rate_that_suits_them(page: Page) -> None:
    Explorer(page, "example=moons&tab=train")
    page.locator("[data-train]").click()
    page.locator('[data-trained="300"]').wait_for(timeout=60_000)
    assert "100 %" in page.locator("[data-trained]").inner_text()
    page.locator("select.network").select_option("flow_graph")
    page.wait_for_function("() => document.querySelector('[data-rate]').value === '0.3'")


def test_parameters_that_grow_without_end_are_told_as_that(page: Page) -> None:
    explorer = Explorer(page, "example=residual&tab=train")
    page.locator("[data-rate]").fill("1")
    page.locator("[data-rate]").press("Tab")
    page.locator("[data-train]").click()
    page.get_by_role("button", name="Train", exact=False).filter(has_text="steps").wait_for(timeout=60_000)
    assert "Lower the learning rate" in page.locator("[data-training-warning]").inner_text()
    assert explorer.panel()

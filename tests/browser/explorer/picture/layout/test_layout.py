"""The layout: its direction, and the time it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.explorer import EXAMPLES, Explorer, script
from support.linked_networks import residual, state_of

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser


def count_layouts(page: Page) -> None:
    """Let the page count in `layouts` how often it lays a network out."""
    head = "export function drawingOf({ places, edges }, down, narrow, view) {"

    def counting(route: Route) -> None:
        answer = route.fetch()
        assert head in answer.text()
        counted = f"{head} globalThis.layouts = (globalThis.layouts ?? 0) + 1;"
        route.fulfill(response=answer, body=answer.text().replace(head, counted))

    page.route("**/picture/layout/layout.js", counting)


@pytest.mark.parametrize("width", [1280, 1024, 390])
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_link_is_laid_out_once(page: Page, width: int, lang: str) -> None:
    """The frame has its last size before the network is there: what is drawn around it keeps its room."""
    page.set_viewport_size({"width": width, "height": 720})
    count_layouts(page)
    for name in EXAMPLES:
        page.goto("about:blank")
        explorer = Explorer(page, f"example={name}&lang={lang}")
        page.wait_for_timeout(250)
        assert page.evaluate("layouts") == 1, name
        for key in ("Home", "End"):
            explorer.press(key)
            page.wait_for_timeout(150)
        assert page.evaluate("layouts") == 1, name


def test_200_nodes_take_little_time(page: Page) -> None:
    """The page's own work: 1 s from the link to the picture, 50 ms a step.

    This is the time of the processor, which other programs on the machine do not lengthen.
    """
    page.set_viewport_size({"width": 1280, "height": 720})
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))

    start = spent()
    explorer = Explorer(page, state_of(residual(49)))
    assert page.locator(".card").count() == 202
    drawn = spent() - start
    page.wait_for_load_state("networkidle")
    start = spent()
    page.evaluate(script(__file__, "steps"))
    assert explorer.step() == explorer.last() - 20  # each of them was drawn
    step = (spent() - start) / 20
    assert 0.05 < drawn < 1, drawn
    assert 0.0005 < step < 0.05, step


@pytest.mark.parametrize(("rows", "requests"), [(1, 1), (2, 3)])
def test_one_example_takes_one_request(page: Page, rows: int, requests: int) -> None:
    """A batch of one example is traced at once; of several, the losses come first."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url.rpartition("/v1")[2]))
    document = residual(1)
    document["data"] = {name: array * rows for name, array in document["data"].items()}
    Explorer(page, state_of(document))
    page.wait_for_load_state("networkidle")
    assert sent.count("/gradients") == requests


@pytest.mark.parametrize(
    "data", [{"x": [[0.5, -1, 0.25, 1.5]], "y": [1, 2]}, {"x": [[0.5, -1, 0.25, 1.5]], "y": [1], "z": [1]}]
)
def test_data_that_do_not_fit_are_refused_whole(page: Page, faults: list[str], data: dict[str, Any]) -> None:
    """One example of one input does not hide what is wrong with the others."""
    page.goto(f"/#{state_of(residual(1) | {'data': data})}")
    page.locator(".refused").wait_for()
    assert page.locator(".card").count() == 0
    assert faults and all("422" in fault for fault in faults)
    faults.clear()


def test_a_residual_network_of_60_nodes_is_laid_out_in_a_second(page: Page) -> None:
    explorer = Explorer(page, "example=residual&step=0")
    assert page.locator(".card").count() == 62
    took = page.evaluate(script(__file__, "layout"))
    assert took < 1000, took
    size = page.locator('[data-node="act7"] .name').evaluate("one => one.getBoundingClientRect().height")
    assert size >= 10  # pixels: readable as a whole
    start = page.evaluate("performance.now()")
    for _ in range(20):
        explorer.press("ArrowRight")
    page.locator('[data-step="20"]').wait_for()
    assert page.evaluate("performance.now()") - start < 4000


def test_another_network_is_drawn_in_its_own_direction(page: Page) -> None:
    Explorer(page, "example=circuit&down=1")
    page.get_by_role("button", name="left to right").wait_for()
    page.locator("select.network").select_option("window_classifier")
    page.locator('[data-node="z1"]').wait_for()
    page.get_by_role("button", name="top to bottom").wait_for()

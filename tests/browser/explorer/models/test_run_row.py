"""The rows of runs: progress, time left, and the buttons.

One test has a real run; the others have answers as a service gives them, so that each state stays.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import requests
from support.models import batch
from support.trained import train

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

RUN: dict[str, Any] = {
    "id": "5a1056a0", "number": 4, "model": "learner", "recipe": {"dataset": "table"}, "state": "running",
    "problem": None, "ahead": None, "first_version": 2, "version": 42, "steps": 40, "total_steps": 2000,
    "seconds": 4.0, "examples_per_second": 12345.6, "seconds_left": 3725.0, "best_loss": 0.125,
    "best_version": 32,
}  # fmt: skip


class Runs:
    """The routes of runs as a page sees them: one run, and the changes that were asked for."""

    def __init__(self, page: Page, **run: Any):
        self.run = RUN | run
        self.changes: list[str] = []
        page.route(re.compile("/$"), self._root)
        page.route("**/v1/runs*", lambda route: route.fulfill(json={"runs": [self.run], "next": None}))
        page.route("**/v1/runs/*/metrics?*", self._metrics)
        page.route(re.compile("/v1/runs/[^/]+/(pause|resume|cancel)"), self._change)

    def _root(self, route: Route) -> None:
        answer = route.fetch()
        if "json" in answer.headers["content-type"]:
            body = answer.json()
            route.fulfill(response=answer, json=body | {"routes": [*body["routes"], "GET /v1/runs"]})
        else:
            route.fulfill(response=answer)

    def _metrics(self, route: Route) -> None:
        since = max(
            int(route.request.url.partition("since=")[2].partition("&")[0]), self.run["first_version"]
        )
        steps = [
            {"version": v, "step": v, "loss": 1 / v, "gradient_norm": 2 / v, "learning_rate": 0.1}
            for v in range(since + 1, self.run["version"] + 1)
        ]
        validated = [{"version": v, "step": v, "loss": 4 / v} for v in (12, 22, 32) if since < v]
        route.fulfill(json={"steps": steps, "validations": validated, "next": self.run["version"]})

    def _change(self, route: Route) -> None:
        action = route.request.url.rpartition("/")[2]
        self.changes.append(action)
        self.run["state"] = {"pause": "paused", "resume": "queued", "cancel": "cancelled"}[action]
        self.run["seconds_left"] = None
        route.fulfill(json=self.run | {"replayed": False})


def open_page(page: Page, state: str = "") -> None:
    page.goto(f"/models#{state}")
    page.locator("li[data-run]").wait_for()


def test_a_run_tells_how_far_it_has_come(training_page: Page) -> None:
    Runs(training_page)
    open_page(training_page)
    text = training_page.locator("li[data-run]").inner_text()
    for part in (
        "learner #4",
        "running",
        "40 of 2,000 steps",
        "1 h 2 min left",
        "12,346 examples/s",
        "0.125, version 32",
    ):
        assert part in text
    bar = training_page.locator("li[data-run] progress")
    assert (bar.get_attribute("value"), bar.get_attribute("max")) == ("40", "2000")
    training_page.get_by_role("button", name="한국어").click()
    assert "1시간 2분 남음" in training_page.locator("li[data-run]").inner_text()


def test_it_is_paused_resumed_and_cancelled_for_good(training_page: Page) -> None:
    runs = Runs(training_page)
    open_page(training_page)
    state, button = training_page.locator("[data-state]"), training_page.get_by_role
    button("button", name="Pause: learner #4").click()
    state.get_by_text("paused").wait_for()
    button("button", name="Resume: learner #4").click()
    state.get_by_text("queued").wait_for()
    button("button", name="Cancel: learner #4").click()
    button("button", name="Keep it").click()
    assert runs.changes == ["pause", "resume"]
    button("button", name="Cancel: learner #4").click()
    button("button", name="Cancel for good: learner #4").click()
    state.get_by_text("cancelled").wait_for()
    assert runs.changes == ["pause", "resume", "cancel"]
    assert training_page.locator("[data-action]").count() == 0


def test_its_curve_counts_its_own_steps_and_has_its_validations(training_page: Page) -> None:
    runs = Runs(training_page)
    open_page(training_page, "curves=run:5a1056a0")
    plot = training_page.locator(".plot").first
    training_page.locator('.plot[aria-valuemax="40"]').first.wait_for()
    assert plot.get_attribute("aria-valuemin") == "1"
    key = training_page.locator(".chart .key").first
    assert key.locator("li").all_inner_texts() == ["learner #4", "learner #4, validation"]
    plot.focus()
    plot.press("Home")
    for _ in range(9):
        plot.press("ArrowRight")  # step 10 of the run is version 12
    spoken = plot.get_attribute("aria-valuetext") or ""
    assert "step 10" in spoken and "0.08333" in spoken and "0.3333" in spoken
    plot.press("Enter")
    assert training_page.locator("[data-version-of] input").input_value() == "12"
    runs.run |= {"version": 50, "steps": 48}
    training_page.locator('.plot[aria-valuemax="48"]').first.wait_for()


def test_a_run_that_has_failed_says_why(training_page: Page) -> None:
    problem = {"code": "non_finite", "detail": "the loss of step 7 is not finite"}
    Runs(training_page, state="failed", problem=problem, seconds_left=None)
    open_page(training_page)
    assert problem["detail"] in training_page.locator('li[data-run] [role="alert"]').inner_text()
    assert training_page.locator("[data-action]").count() == 0


def test_a_refused_change_is_said_in_its_row(training_page: Page, faults: list[str]) -> None:
    Runs(training_page)
    problem = {"code": "run_ended", "status": 409, "detail": "the run has ended: nothing was changed"}
    training_page.route("**/v1/runs/*/pause", lambda route: route.fulfill(status=409, json=problem))
    open_page(training_page)
    training_page.locator('[data-action="pause"]').click()
    training_page.get_by_text("the run has ended: nothing was changed").wait_for()
    assert all("409" in fault for fault in faults)
    faults.clear()


def start_run(service: str, model: str) -> None:
    """Start a run that takes longer than any test."""
    arrays = batch(0, size=64)
    lines = ["a,b,c,d,y"]
    for numbers, label in zip(arrays["data/x"], arrays["data/y"], strict=True):
        lines.append(",".join(map(str, [*numbers, label])))
    answer = requests.put(
        f"{service}/v1/datasets/table", "\n".join(lines), headers={"Content-Type": "text/csv"}, timeout=30
    )
    assert answer.ok, answer.text
    columns = {"x": ["a", "b", "c", "d"], "y": "y"}
    recipe = {"dataset": "table", "columns": columns, "steps": 10**7, "validation": {"fraction": 0.25}}
    answer = requests.post(f"{service}/v1/models/{model}/runs", json=recipe, timeout=30)
    assert answer.ok, answer.text


def steps_of(page: Page) -> int:
    return int(page.locator("li[data-run] progress").get_attribute("value") or 0)


def test_a_real_run_grows_stands_still_goes_on_and_ends(training_page: Page, training_service: str) -> None:
    model = train(training_service, "runner", 2)
    start_run(training_service, "runner")
    open_page(training_page)
    training_page.locator('[data-state="running"]').wait_for()
    training_page.locator("li[data-run] input").check()
    longer = "steps => Number(document.querySelector('.plot')?.getAttribute('aria-valuemax')) > steps"
    training_page.wait_for_function(longer, arg=10)
    assert "left" in training_page.locator("[data-left]").inner_text()
    training_page.get_by_text("runner #1, validation").wait_for()
    training_page.locator('[data-action="pause"]').click()
    training_page.locator('[data-state="paused"]').wait_for()
    version = model.version
    training_page.wait_for_timeout(2500)
    assert model.version == version and steps_of(training_page) == version - 2
    training_page.locator('[data-action="resume"]').click()
    training_page.wait_for_function(longer, arg=version)
    training_page.locator('[data-action="cancel"]').click()
    training_page.locator('[data-action="cancelForGood"]').click()
    training_page.locator('[data-state="cancelled"]').wait_for()
    told = training_page.locator('[data-version-of="runner #1"]')
    told.get_by_text(f"{model.describe()['loss']:.4g}", exact=True).wait_for()
    assert steps_of(training_page) == model.version - 2


def test_without_runs_the_page_shows_models_only(training_page: Page, training_service: str) -> None:
    """A service that takes no runs is not asked for any."""
    train(training_service, "alone", 1)

    def without_runs(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        routes = [one for one in body["routes"] if "runs" not in one]
        route.fulfill(response=answer, json=body | {"routes": routes})

    training_page.route(re.compile("/$"), without_runs)
    asked: list[str] = []
    training_page.on("request", lambda request: asked.append(request.url))
    training_page.goto("/models")
    training_page.locator('li[data-model="alone"]').wait_for()
    assert training_page.locator(".list h2").all_inner_texts() == ["Models"]
    assert not any("/v1/runs" in url for url in asked)

"""The rows of runs: progress, time left, and the buttons.

One test has a real run; the others have answers as a service gives them, so that each state stays.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import requests
from support.models import batch
from support.run_routes import RUN, RunRoutes, make_run
from support.trained import train

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

pytestmark = pytest.mark.browser


def open_page(page: Page, state: str = "") -> None:
    page.goto(f"/models#{state}")
    page.locator("li[data-run]").first.wait_for()


def state(page: Page, name: str) -> Locator:
    """Return the row of a run in a state."""
    return page.locator(f'li[data-state="{name}"]')


def test_a_run_tells_how_far_it_has_come(training_page: Page) -> None:
    RunRoutes(training_page, make_run(4, "running"))
    open_page(training_page)
    text = training_page.locator("li[data-run]").inner_text()
    assert training_page.get_by_label("learner #4", exact=True).is_checked()  # it is the newest
    for part in (
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


@pytest.mark.parametrize("is_in", ["running", "queued", "paused", "failed", "finished"])
def test_a_run_opens_in_the_graph_at_its_version(training_page: Page, is_in: str) -> None:
    RunRoutes(training_page, make_run(4, is_in))
    open_page(training_page)
    link = training_page.locator("li[data-run] .graph-link")
    assert link.get_attribute("href") == "/?model=learner&version=42&run=00000004"
    assert link.get_attribute("aria-label") == "Open learner, version 42, in the graph"


def test_it_is_paused_resumed_and_cancelled_for_good(training_page: Page) -> None:
    runs = RunRoutes(training_page, make_run(4, "running"))
    open_page(training_page)
    button = training_page.get_by_role
    button("button", name="Pause: learner #4").click()
    state(training_page, "paused").wait_for()
    button("button", name="Resume: learner #4").click()
    state(training_page, "queued").wait_for()
    button("button", name="Cancel: learner #4").click()
    button("button", name="Keep it").click()
    assert runs.changes == ["pause", "resume"]
    button("button", name="Cancel: learner #4").click()
    button("button", name="Cancel for good: learner #4").click()
    state(training_page, "cancelled").wait_for()
    assert runs.changes == ["pause", "resume", "cancel"]
    assert training_page.locator("[data-action]").count() == 0


def test_its_curve_counts_its_own_steps_and_has_its_validations(training_page: Page) -> None:
    run = dict(RUN)
    RunRoutes(training_page, run)
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
    run |= {"version": 50, "steps": 48}
    training_page.locator('.plot[aria-valuemax="48"]').first.wait_for()


REFUSED = (
    "step 1041: /network/nodes/3 node 'loss': its value is the first that is not finite: inf in example 0"
)


@pytest.mark.parametrize(
    ("code", "detail", "english", "korean"),
    [
        (
            "non_finite",
            REFUSED,
            "It diverged: after step 1,040,",
            "학습이 발산했습니다. 1,040단계까지 학습한 뒤",
        ),
        (
            "non_finite",
            "step 1041: /columns/x input 'x' holds a number that is not finite: nan in row 10, column 'a'",
            "The batch after step 1,040 has an empty cell",
            "1,040단계 다음 배치에 데이터셋의 빈칸",
        ),
        (
            "trainer_died",
            "50 processes ended at work on it",
            "50 processes",
            "학습 프로세스가 중단되었습니다",
        ),
    ],
)
def test_a_run_that_has_failed_says_why_and_after_which_step(
    training_page: Page, code: str, detail: str, english: str, korean: str
) -> None:
    problem = {"code": code, "detail": detail}
    RunRoutes(training_page, make_run(4, "failed", problem=problem, steps=1040))
    open_page(training_page)
    places = training_page.locator("li[data-run]"), training_page.locator(".drawn")
    for place in places:  # in the row, and beside the curve
        place.locator(".warning").wait_for()
        text = place.inner_text()
        assert "after 1,040 of 2,000 steps" in text and english in text and detail in text
    assert training_page.locator("[data-action], progress").count() == 0
    training_page.get_by_role("button", name="한국어").click()
    for place in places:
        place.get_by_text(korean).wait_for()
        text = place.inner_text()
        assert "2,000단계 중 1,040단계까지 학습" in text and korean in text and detail in text


def test_a_run_that_has_ended_says_how(training_page: Page) -> None:
    stopped = {"recipe": {"dataset": "table", "early_stopping": {"patience": 5}}, "steps": 48, "version": 51}
    RunRoutes(
        training_page,
        make_run(1, "finished", steps=2000, version=2002, seconds=72.0),
        make_run(2, "finished", **stopped, seconds=0.4),
        make_run(3, "finished", steps=1, total_steps=1, version=3, seconds=1.0),
        make_run(4, "cancelled", steps=7),
    )
    open_page(training_page)
    rows = {number: training_page.locator(f'li[data-run="{number}"]').inner_text() for number in range(1, 5)}
    assert "2,000 steps in 1 min 12 s" in rows[1] and "best version" not in rows[1]
    for part in (
        "48 of 2,000 steps in less than 1 s",
        "stopped early after 5 validations without a smaller loss",
    ):
        assert part in rows[2]
    assert "went back to its best version, 32" in rows[2]
    assert "1 step in 1 s" in rows[3]
    assert "after 7 of 2,000 steps" in rows[4]


def test_a_long_name_leaves_its_number_in_sight(training_page: Page) -> None:
    RunRoutes(training_page, make_run(123, "paused", model="long_" * 20))
    training_page.set_viewport_size({"width": 390, "height": 844})
    open_page(training_page)
    row, number = training_page.locator("li[data-run] label"), training_page.locator("li[data-run] .number")
    inner, outer = number.bounding_box(), row.bounding_box()
    assert inner and outer and inner["x"] + inner["width"] <= outer["x"] + outer["width"] + 1
    assert number.inner_text() == "#123" and row.get_attribute("title") == "long_" * 20


def test_a_refused_change_is_said_in_its_row(training_page: Page, faults: list[str]) -> None:
    RunRoutes(training_page, make_run(4, "running"))
    problem = {"code": "run_ended", "status": 409, "detail": "the run has ended: nothing was changed"}
    training_page.route("**/v1/runs/*/pause", lambda route: route.fulfill(status=409, json=problem))
    open_page(training_page)
    training_page.locator('[data-action="pause"]').click()
    training_page.get_by_text("the run has ended: nothing was changed").wait_for()
    assert all("409" in fault for fault in faults)
    faults.clear()


def start_run(service: str, model: str) -> str:
    """Start a run that takes longer than any test, and return its name on the page."""
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
    return f"{model} #{answer.json()['number']}"


def steps_of(page: Page) -> int:
    return int(page.locator("li[data-run] progress").get_attribute("value") or 0)


def test_a_real_run_grows_stands_still_goes_on_and_ends(training_page: Page, training_service: str) -> None:
    model = train(training_service, "runner", 2)
    name = start_run(training_service, "runner")
    open_page(training_page)
    state(training_page, "running").wait_for()
    longer = "steps => Number(document.querySelector('.plot')?.getAttribute('aria-valuemax')) > steps"
    training_page.wait_for_function(longer, arg=10)
    assert " left" in state(training_page, "running").inner_text()
    training_page.get_by_text(f"{name}, validation").wait_for()
    training_page.locator('[data-action="pause"]').click()
    state(training_page, "paused").wait_for()
    version = model.version
    training_page.wait_for_timeout(2500)
    assert model.version == version and steps_of(training_page) == version - 2
    training_page.locator('[data-action="resume"]').click()
    training_page.wait_for_function(longer, arg=version)
    training_page.locator('[data-action="cancel"]').click()
    training_page.locator('[data-action="cancelForGood"]').click()
    state(training_page, "cancelled").wait_for()
    told = training_page.locator(f'[data-version-of="{name}"]')
    told.get_by_text(f"{model.describe()['loss']:.4g}", exact=True).wait_for()
    assert f"after {model.version - 2:,} of" in state(training_page, "cancelled").inner_text()


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
    assert training_page.locator(".list h2").count() == 1
    assert not any("/v1/runs" in url for url in asked)

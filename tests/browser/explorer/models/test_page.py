"""The page of models: its list, curves that grow, the way to a version, and what it says of failures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.explorer import script
from support.run_routes import RunRoutes, make_run
from support.trained import take_steps, train

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

pytestmark = pytest.mark.browser


def row(page: Page, name: str) -> Locator:
    return page.locator(f'li[data-model="{name}"]')


def open_page(page: Page, state: str = "") -> None:
    page.goto(f"/models#{state}")
    page.locator(".list h2").first.wait_for()


def newest(page: Page, chart: int = 0) -> int:
    """Return the last place of a chart's axis."""
    return int(page.locator(".plot").nth(chart).get_attribute("aria-valuemax") or -1)


def grown(page: Page, last: int) -> None:
    page.wait_for_function(
        f"() => Number(document.querySelector('.plot')?.getAttribute('aria-valuemax')) === {last}"
    )


def test_the_list_tells_of_every_model(training_page: Page, training_service: str) -> None:
    model = train(training_service, "listed", 3)
    described = model.describe()
    open_page(training_page)
    text = row(training_page, "listed").inner_text()
    assert "version 3" in text and "step 3" in text and "adam, learning rate 0.01" in text
    assert f"{described['bytes'] / 1000:.2g} kB" in text
    assert row(training_page, "listed").locator("[data-loss]").inner_text() == f"{described['loss']:.4g}"


def test_curves_grow_while_steps_are_taken(training_page: Page, training_service: str) -> None:
    model = train(training_service, "growing", 4)
    open_page(training_page, "curves=")
    row(training_page, "growing").locator("input").check()
    grown(training_page, 4)
    take_steps(model, 6)
    grown(training_page, 10)
    loss = model.describe()["loss"]
    last = training_page.locator('[data-version-of="growing"]')
    last.get_by_text(f"{loss:.4g}").wait_for()
    assert [newest(training_page, chart) for chart in (0, 1)] == [10, 10]
    assert training_page.locator(".chart .line circle").count() == 20  # each step, of loss and of norm
    assert "curves=model%3Agrowing" in training_page.url


def test_a_long_ledger_is_read_page_by_page(training_page: Page, training_service: str) -> None:
    """Of more than 20,000 versions the latest are drawn; the others on demand."""
    train(training_service, "long", 1)
    asked: list[str] = []

    def ledger(after: int, limit: int) -> dict[str, object]:
        last = min(after + limit, 30_000)
        entries = [
            {"version": v, "kind": "step", "step": v, "loss": 1 / (v + 1), "gradient_norm": 1.0}
            for v in range(after + 1, last + 1)
        ]
        return {"entries": entries, "next": None if last == 30_000 else last}

    def answer_list(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        for one in body["models"]:
            if one["name"] == "long":
                one["version"] = 30_000
        route.fulfill(response=answer, json=body)

    def answer_ledger(route: Route) -> None:
        url = route.request.url
        asked.append(url)
        after, limit = (int(re.search(rf"{name}=(-?\d+)", url)[1]) for name in ("after", "limit"))  # type: ignore[index]
        route.fulfill(json=ledger(after, limit))

    training_page.route(re.compile(r"/v1/models\?"), answer_list)
    training_page.route("**/v1/models/long/ledger?*", answer_ledger)
    open_page(training_page, "curves=model:long")
    grown(training_page, 30_000)
    assert training_page.locator(".plot").first.get_attribute("aria-valuemin") == "10001"
    assert len(asked) == 20 and all("limit=1000" in url for url in asked)
    lengths = "all => all.map(one => one.getAttribute('d').length)"
    assert (
        max(training_page.locator(".chart .line path").evaluate_all(lengths)) < 60_000
    )  # a few points for each column of pixels
    training_page.get_by_role("button", name="long: earlier than version 10000").click()
    training_page.locator('.plot[aria-valuemin="0"]').first.wait_for()
    grown(training_page, 30_000)
    assert len(asked) == 20 + 31  # the first of them begins before version 0


def test_a_version_is_chosen_by_keyboard_or_pointer_and_opened(
    training_page: Page, training_service: str
) -> None:
    model = train(training_service, "opened", 8)
    open_page(training_page, "curves=model:opened")
    grown(training_page, 8)
    plot = training_page.locator(".plot").first
    plot.focus()
    for key in ("Home", "ArrowRight", "ArrowRight"):
        plot.press(key)
    losses = {entry["version"]: entry["loss"] for entry in model.ledger() if entry["kind"] == "step"}
    spoken = plot.get_attribute("aria-valuetext") or ""
    assert "version 3" in spoken and f"{losses[3]:.4g}" in spoken
    plot.press("Enter")
    chosen = training_page.locator('[data-version-of="opened"]')
    assert chosen.locator("input").input_value() == "3" and f"{losses[3]:.4g}" in chosen.inner_text()
    box = plot.bounding_box()
    assert box is not None
    plot.click(position={"x": box["width"] - 19, "y": box["height"] / 2})
    assert chosen.locator("input").input_value() == "8"
    chosen.locator("input").fill("5")
    chosen.locator("input").press("Enter")
    chosen.get_by_role("link").click()
    training_page.locator(".card").first.wait_for()
    training_page.wait_for_url(re.compile(r"/\?model=opened&version=5"))
    training_page.get_by_role("link", name="models").click()
    training_page.locator(".list h2").first.wait_for()


def test_several_curves_together_or_side_by_side(training_page: Page, training_service: str) -> None:
    for name, steps in (("one", 3), ("two", 5)):
        train(training_service, name, steps)
    open_page(training_page, "curves=model:one,model:two")
    grown(training_page, 5)
    assert training_page.locator(".plot").count() == 2
    assert training_page.locator(".chart .key li").all_inner_texts()[:2] == ["one", "two"]
    plot = training_page.locator(".plot").first
    plot.press("End")
    spoken = plot.get_attribute("aria-valuetext") or ""
    assert re.fullmatch(r"version 5, one , two \d\S+", spoken)  # the first has no step 5
    plot.press("Enter")
    assert training_page.locator(".versions input").first.input_value() == "3"
    training_page.get_by_label("side by side").check()
    assert training_page.locator(".plot").count() == 4
    assert {newest(training_page, chart) for chart in range(4)} == {5}  # the same axes
    training_page.get_by_label("log scale").check()
    training_page.wait_for_url(re.compile("log=1"))


def test_as_many_curves_as_there_are_colours(training_page: Page, training_service: str) -> None:
    names = [f"many_{number}" for number in range(7)]
    for name in names:
        train(training_service, name, 1)
    training_page.route(  # they alone: other tests have made models too
        re.compile(r"/v1/models\?"), lambda route: route.continue_(url=f"{route.request.url}&after=many")
    )
    open_page(training_page, "curves=" + ",".join(f"model:{name}" for name in names[:5]))
    row(training_page, names[5]).locator("input").check()
    training_page.locator(".chart .key").first.locator("li").nth(5).wait_for()
    assert row(training_page, names[6]).locator("input").is_disabled()
    row(training_page, names[0]).locator("input").uncheck()
    row(training_page, names[6]).locator("input").check()
    keys = training_page.locator(".chart .key").first.locator("li")
    training_page.wait_for_function("() => document.querySelector('.key').textContent.includes('many_6')")
    assert keys.all_inner_texts() == ["many_6", *names[1:6]]  # it has the colour that is free


def test_a_deleted_model_leaves_the_page(
    training_page: Page, training_service: str, faults: list[str]
) -> None:
    model = train(training_service, "gone", 2)
    open_page(training_page, "curves=model:gone")
    grown(training_page, 2)
    model.delete()
    row(training_page, "gone").wait_for(state="detached")
    training_page.locator(".choose-one").wait_for()
    again = train(training_service, "gone", 1)
    row(training_page, "gone").locator("input").check()
    grown(training_page, 1)
    again.delete()
    assert all("404" in fault for fault in faults)  # it is asked for by name where it may be on another page
    faults.clear()


def test_a_service_without_a_folder_says_how_to_keep_models(page: Page) -> None:
    page.goto("/models")
    assert "DELTAWIRE_DATA_DIR=data deltawire serve" in page.locator(".keep").inner_text()
    assert page.locator(".list").count() == 0


def test_it_shows_the_run_that_is_running(training_page: Page) -> None:
    """Who has chosen nothing sees the running run, or else the latest one that has taken a step."""
    first, second = make_run(3, "running"), make_run(4, "queued", steps=0, version=2, best_loss=None)
    RunRoutes(training_page, make_run(2, "finished"), first, second, make_run(5, "paused", steps=0))
    open_page(training_page)
    title = training_page.locator(".drawn h2")
    title.get_by_text("learner #3").wait_for()
    grown(training_page, 40)
    status = training_page.locator(".drawn .status")
    assert "running" in status.inner_text() and "1 h 2 min left" in status.inner_text()
    first |= {"version": 52, "steps": 50}
    grown(training_page, 50)
    first |= {"state": "finished", "seconds_left": None}
    status.get_by_text("finished").wait_for()  # the latest that has taken a step
    second |= {"state": "running", "steps": 10, "version": 12, "ahead": None}
    title.get_by_text("learner #4").wait_for()
    assert "curves" not in training_page.url
    training_page.get_by_label("learner #2").check()  # to compare it with
    title.get_by_text("learner #4, learner #2").wait_for()
    second |= {"state": "finished"}
    first |= {"state": "running"}
    training_page.locator('li[data-run="3"][data-state="running"]').wait_for()
    assert title.inner_text() == "learner #4, learner #2"  # what was chosen stays
    for name in ("learner #2", "learner #4"):
        training_page.get_by_label(name).uncheck()
    training_page.get_by_text("Choose models or runs in the lists").wait_for()
    training_page.wait_for_url(re.compile("curves=$"))  # the address follows a moment later
    training_page.reload()
    training_page.get_by_text("Choose models or runs in the lists").wait_for()


def test_boxes_that_are_left_at_once_are_all_left(training_page: Page) -> None:
    """A click that comes before the page is drawn again does not undo the one before it."""
    RunRoutes(training_page, make_run(2, "finished"), make_run(3, "running"))
    open_page(training_page)
    training_page.get_by_label("learner #2").check()
    training_page.locator(".drawn h2").get_by_text("learner #3, learner #2").wait_for()
    training_page.evaluate("document.querySelectorAll('li input:checked').forEach(box => box.click())")
    training_page.get_by_text("Choose models or runs in the lists").wait_for()


def test_without_runs_it_shows_a_model(training_page: Page, training_service: str) -> None:
    train(training_service, "aaa", 2)
    RunRoutes(training_page)
    open_page(training_page)
    training_page.locator(".drawn h2").get_by_text("aaa").wait_for()
    grown(training_page, 2)


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_every_screen_in_both_languages(
    training_page: Page, training_service: str, width: int, lang: str
) -> None:
    name = f"fits_{width}_{lang}_{'long' * 10}"
    train(training_service, name, 3)
    RunRoutes(training_page, make_run(1, "running"), make_run(2, "finished"))
    training_page.set_viewport_size({"width": width, "height": 844})
    open_page(training_page, f"curves=model:{name}&lang={lang}")
    grown(training_page, 3)
    assert training_page.evaluate("document.documentElement.scrollWidth") <= width
    assert training_page.locator("html").get_attribute("lang") == lang
    headings = "all => all.map(one => Number(one.tagName[1]))"
    assert training_page.locator("h1, h2, h3, h4").evaluate_all(headings) == [1, *[2] * 4]
    assert ("모델" if lang == "ko" else "Models") in training_page.locator(".list h2").last.inner_text()
    assert training_page.evaluate(script(str(Path(__file__).parent), "contrast")) >= 4.5


NAMELESS = """() => [...document.querySelectorAll('a, button, input, summary, progress, [tabindex="0"]')]
  .filter(one => !(one.getAttribute('aria-label') ?? one.labels?.[0]?.textContent ?? one.textContent).trim())
  .map(one => one.outerHTML)"""
MOVES = """() => [...document.querySelectorAll('*')].map(one => getComputedStyle(one))
  .filter(style => style.animationName !== 'none' || parseFloat(style.transitionDuration) > 0).length"""


def test_everything_has_a_name_and_enough_contrast_and_nothing_moves(training_page: Page) -> None:
    training_page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    problem = {"code": "non_finite", "detail": "/network/nodes/3 is not finite"}
    runs = [make_run(number, state) for number, state in enumerate(("running", "queued", "paused"), 1)]
    RunRoutes(training_page, *runs, make_run(4, "failed", problem=problem), make_run(5, "cancelled"))
    open_page(training_page, "curves=run:00000004")
    grown(training_page, 40)
    training_page.get_by_text("Numbers as a table").click()
    training_page.get_by_role("table").wait_for()
    assert training_page.evaluate(NAMELESS) == []
    assert training_page.evaluate(MOVES) == 0
    assert training_page.evaluate(script(str(Path(__file__).parent), "contrast")) >= 4.5
    landmarks = [training_page.get_by_role(role).count() for role in ("banner", "main", "status")]  # type: ignore[arg-type]
    assert landmarks == [1, 1, 1]


def test_the_curves_come_before_the_lists_by_keyboard_too(training_page: Page, training_service: str) -> None:
    """On every screen the order of the tabulator is that of the page."""
    train(training_service, "order", 2)
    open_page(training_page, "curves=model:order")
    grown(training_page, 2)
    place = "() => document.activeElement.closest('.drawn, .lists')?.className ?? 'nowhere'"
    places = []
    training_page.get_by_role("link", name="API").focus()
    for _ in range(9):
        training_page.keyboard.press("Tab")
        places.append(str(training_page.evaluate(place)))
    assert places == sorted(places) and places[0] == "drawn" and places[-1] == "lists"


@pytest.mark.parametrize(
    ("counts", "english", "korean"),
    [
        ((True, 2, 0), "2 workers compute.", "워커 2개가 계산을 맡고 있습니다."),
        ((True, 1, 1), "1 worker computes. 1 other gets no tasks: the bits would differ.", "워커 1개에는"),
        ((False, 0, 0), "The scheduler of the workers does not answer", "워커 스케줄러가 응답하지 않아"),
    ],
)
def test_it_counts_the_workers_on_other_machines(
    training_page: Page, counts: tuple[bool, int, int], english: str, korean: str
) -> None:
    workers = dict(zip(("connected", "equal", "other"), counts, strict=True))

    def answer(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, json={**response.json(), "workers": workers})

    training_page.route("**/v1/limits", answer)
    training_page.goto("/models")
    assert english in training_page.locator(".workers").inner_text()
    training_page.goto("about:blank")
    training_page.goto("/models#lang=ko")
    training_page.get_by_text(korean).wait_for()
    training_page.unroute_all(behavior="wait")


def test_a_service_without_workers_says_nothing_of_them(training_page: Page) -> None:
    open_page(training_page)
    assert not training_page.locator(".workers").count()

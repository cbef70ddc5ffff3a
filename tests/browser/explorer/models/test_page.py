"""The page of models: its list, curves that grow, the way to a version, and what it says of failures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.explorer import script
from support.model_service import key_lines
from support.service import running_service
from support.trained import take_steps, train

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

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
    open_page(training_page)
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


def test_it_asks_nothing_while_it_is_hidden(training_page: Page) -> None:
    open_page(training_page)
    hide = """hidden => {
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }"""
    training_page.evaluate(hide, True)
    training_page.wait_for_load_state("networkidle")
    asked: list[str] = []
    training_page.on("request", lambda request: asked.append(request.url))
    training_page.wait_for_timeout(2500)
    assert asked == []
    with training_page.expect_request("**/v1/models?*"):
        training_page.evaluate(hide, False)


def test_it_says_that_the_service_is_away_and_asks_less_often(
    browser: Browser, faults: list[str], tmp_path: Path
) -> None:
    with running_service(data_dir=str(tmp_path)) as url:
        context = browser.new_context(base_url=url)
        page = context.new_page()
        open_page(page)
    page.get_by_text("The service does not answer. Next try in 2 s.").wait_for()
    page.get_by_text("The service does not answer. Next try in 4 s.").wait_for()
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Try now").click()
    assert page.get_by_role("heading", name="Models", exact=True).count() == 1  # what is known stays
    context.close()


def test_keys_are_asked_for_by_the_browser_and_each_has_its_own_models(
    browser: Browser, tmp_path: Path
) -> None:
    with running_service(data_dir=str(tmp_path), api_keys=key_lines("anna", "ben")) as url:
        for key, name in (("anna", "annas"), ("ben", "bens")):
            train(url, name, 1, api_key=key)
        context = browser.new_context(base_url=url, http_credentials={"username": "", "password": "anna"})
        page = context.new_page()
        open_page(page, "curves=model:annas")
        grown(page, 1)
        assert page.locator("li[data-model]").count() == 1
        context.close()


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_every_screen_in_both_languages(
    training_page: Page, training_service: str, width: int, lang: str
) -> None:
    name = f"fits_{width}_{lang}_{'long' * 10}"
    train(training_service, name, 3)
    training_page.set_viewport_size({"width": width, "height": 844})
    open_page(training_page, f"curves=model:{name}&lang={lang}")
    grown(training_page, 3)
    assert training_page.evaluate("document.documentElement.scrollWidth") <= width
    assert training_page.locator("html").get_attribute("lang") == lang
    assert ("모델" if lang == "ko" else "Models") in training_page.locator(".list h2").last.inner_text()
    assert training_page.evaluate(script(str(Path(__file__).parent), "contrast")) >= 4.5

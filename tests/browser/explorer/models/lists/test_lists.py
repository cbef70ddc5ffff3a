"""The lists: the queue in its order, names that are found, other pages, and what stands there at first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.run_routes import RunRoutes, make_run
from support.service import running_service
from support.trained import train

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser


def section(page: Page, title: str) -> Locator:
    """Return a list by its heading."""
    return page.get_by_role("region", name=title, exact=True)


def numbers(rows: Locator) -> list[str]:
    return rows.locator("li .number").all_inner_texts()


def open_page(page: Page) -> None:
    page.goto("/models")
    page.locator("li[data-run]").first.wait_for()


def test_open_runs_stand_in_the_order_that_they_are_taken_in(training_page: Page) -> None:
    RunRoutes(
        training_page,
        make_run(1, "paused"),
        *(make_run(number, "queued", ahead=number - 2, model=f"m{number}") for number in range(5, 15)),
        make_run(3, "running"),
        make_run(4, "queued", ahead=1),
        make_run(2, "failed", problem={"code": "internal", "detail": "see the log"}),
    )
    open_page(training_page)
    rows = section(training_page, "Running and waiting")
    assert numbers(rows) == ["#3", "#4", *(f"#{number}" for number in range(5, 15)), "#1"]  # all of them
    assert "1 run before it" in rows.locator("li").nth(1).inner_text()
    assert "3 runs before it" in rows.locator("li").nth(2).inner_text()
    assert numbers(section(training_page, "Ended")) == ["#2"]


def test_names_are_found_in_all_lists(training_page: Page, training_service: str) -> None:
    names = ["needle_a", "needle_b", *(f"hay_{number}" for number in range(12))]
    made = [train(training_service, name) for name in names]
    RunRoutes(training_page, make_run(1, "running"), make_run(2, "finished", model="a_needle"))
    open_page(training_page)
    models = section(training_page, "Models")
    models.get_by_role("button", name="Next page").click()
    models.get_by_role("button", name="Previous page").click()
    search = training_page.get_by_role("searchbox", name="Find by name")
    search.fill("Needle")
    models.get_by_text("needle_b").wait_for()
    training_page.wait_for_function("() => document.querySelectorAll('li[data-model]').length === 2")
    assert training_page.locator("li[data-run]").count() == 0  # the other routes know small letters only
    search.fill("needle")
    section(training_page, "Ended").get_by_text("a_needle").wait_for()
    assert "No name has “needle” in it." in section(training_page, "Running and waiting").inner_text()
    assert training_page.locator(".drawn h2").inner_text() == "learner #1"  # the curve stays
    search.fill("no such name")
    models.get_by_text("No name has “no such name” in it.").wait_for()
    search.fill("")
    section(training_page, "Running and waiting").get_by_text("learner").wait_for()
    for model in made:
        model.delete()


def test_ended_runs_have_pages(training_page: Page) -> None:
    RunRoutes(training_page, *(make_run(number, "finished") for number in range(1, 13)))
    open_page(training_page)
    ended = section(training_page, "Ended")
    assert numbers(ended) == [f"#{number}" for number in range(12, 2, -1)]
    assert ended.locator("h2").inner_text().strip() == "Ended"  # how many there are is not known
    ended.get_by_role("button", name="Next page").click()
    ended.get_by_text("#2", exact=True).wait_for()
    assert numbers(ended) == ["#2", "#1"]
    assert training_page.locator(".drawn h2").inner_text() == "learner #12"


def test_a_queue_that_nothing_takes_is_told(training_page: Page) -> None:
    training_page.clock.install()
    RunRoutes(training_page, make_run(1, "queued", ahead=0, steps=0))
    open_page(training_page)
    assert "next in the queue" in training_page.locator("li[data-run]").inner_text()
    notice = training_page.get_by_text("Nothing takes these runs.")
    training_page.clock.run_for(5000)
    training_page.wait_for_timeout(300)
    assert notice.count() == 0
    for _ in range(8):
        training_page.clock.run_for(1100)
        training_page.wait_for_timeout(100)
    notice.wait_for()


def test_an_empty_service_says_how_to_begin(browser: Browser, tmp_path: Path) -> None:
    with running_service(data_dir=str(tmp_path)) as url:
        context = browser.new_context(base_url=url)
        page = context.new_page()
        page.goto("/models")
        page.get_by_text("There are no models yet.").wait_for()
        command = f"deltawire fit table.csv --target y --url {url}"
        assert page.locator("pre").all_inner_texts() == [command]
        assert page.get_by_role("searchbox").count() == 0
        assert "Nothing has learned yet" in page.locator(".drawn").inner_text()
        train(url, "fresh")
        page.locator('li[data-model="fresh"]').wait_for()
        assert page.locator("pre").all_inner_texts() == [
            f"deltawire train fresh --data table.csv --url {url}"
        ]
        context.close()

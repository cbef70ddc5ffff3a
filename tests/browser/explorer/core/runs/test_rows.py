"""A run in the graph: the numbers are the first batch that its model was shown, and the page says so."""

from __future__ import annotations

import io
import json
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
import requests
from support.explorer import Explorer
from support.trained import train

from deltawire_service.datasets.row_order import EpochRows

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

X = np.round(np.random.default_rng(0).standard_normal((50, 4)), 3)
Y = np.arange(50) % 3


class Trained(NamedTuple):
    """A run that has ended."""

    model: str
    run: str
    number: int

    def query(self) -> str:
        return f"?model={self.model}&version=1&run={self.run}"


def learn(url: str, model: str, **recipe: Any) -> Trained:
    """Train a model from a dataset of its name, and wait for the end."""
    train(url, model)
    table = io.StringIO()
    np.savetxt(table, np.column_stack([X, Y]), "%.17g", ",", header="a,b,c,d,y", comments="")
    headers = {"Content-Type": "text/csv"}
    requests.put(f"{url}/v1/datasets/{model}", table.getvalue(), headers=headers).raise_for_status()
    recipe |= {"dataset": model, "columns": {"x": ["a", "b", "c", "d"]}}
    answer = requests.post(f"{url}/v1/models/{model}/runs", json=recipe)
    answer.raise_for_status()
    run, end = answer.json(), monotonic() + 60
    while requests.get(f"{url}/v1/runs/{run['id']}").json()["state"] != "finished":
        assert monotonic() < end
        sleep(0.1)
    return Trained(model, run["id"], run["number"])


@pytest.fixture(scope="module")
def shuffled(training_service: str) -> Trained:
    return learn(training_service, "of_rows", epochs=1, batch_size=8, validation={"fraction": 0.2})


def data(explorer: Explorer) -> dict[str, Any]:
    explorer.tab("Edit")
    return dict(json.loads(explorer.page.locator(".editor textarea").input_value())["data"])


def test_a_run_opens_with_its_first_batch(training_page: Page, shuffled: Trained) -> None:
    explorer = Explorer(training_page, query=shuffled.query())
    note = training_page.locator('[data-rows="batch"]')
    assert note.inner_text() == (
        f"The first batch of run #{shuffled.number}: rows of the dataset of_rows, 8 in all."
    )
    rows = EpochRows(seed=0, epoch=1, start=0, stop=8, of=50, held_out=10).indices()
    assert data(explorer) == {"x": X[rows].tolist(), "y": Y[rows].tolist()}


def test_the_note_goes_with_the_numbers_and_comes_back_with_the_address(
    training_page: Page, shuffled: Trained
) -> None:
    Explorer(training_page, "lang=ko", query=shuffled.query())
    note = training_page.locator('[data-rows="batch"]')
    assert f"실행 #{shuffled.number}의 첫 배치" in note.inner_text()
    training_page.wait_for_url(lambda url: "state=" in url and f"run={shuffled.run}" in url)
    training_page.reload()
    note.wait_for()
    training_page.locator('[data-input="x"]').fill("[1, 2, 3, 4]")
    note.wait_for(state="detached")


def test_a_run_in_the_order_of_the_dataset(training_page: Page, training_service: str) -> None:
    long = learn(training_service, "of_long", epochs=1, batch_size=50, shuffle=False)
    Explorer(training_page, query=long.query())
    assert "rows of the dataset of_long, 50 in all" in training_page.locator("[data-rows]").inner_text()


@pytest.mark.parametrize("gone", ["datasets", "runs"])
def test_a_dataset_that_is_gone_is_said_and_the_numbers_are_random(
    training_page: Page, shuffled: Trained, faults: list[str], gone: str
) -> None:
    def refuse(route: Route) -> None:
        code = {"datasets": "dataset_not_found", "runs": "run_not_found"}[gone]
        detail = "you have none of this name"
        problem = {"code": code, "status": 404, "detail": detail}
        route.fulfill(status=404, json=problem, content_type="application/problem+json")

    training_page.route(f"**/v1/{gone}/*", refuse)
    explorer = Explorer(training_page, query=shuffled.query())
    note = training_page.locator('[data-rows="random"]')
    assert "these numbers are random" in note.inner_text() and "you have none" in note.inner_text()
    assert np.shape(data(explorer)["x"]) == (2, 4)
    assert faults and all("404" in fault for fault in faults)
    faults.clear()

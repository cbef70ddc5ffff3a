"""A version of a model in the explorer: its numbers are those that the SDK gets."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.explorer import Explorer
from support.trained import train

from deltawire import Client, Model, optim

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=["float64", "float32"])
def model(request: pytest.FixtureRequest, training_service: str) -> Model:
    """Return a model that has taken five steps."""
    return train(training_service, f"shown_{request.param}", 5, dtype=request.param)


def open_version(page: Page, model: Model, version: int | None = None) -> Explorer:
    return Explorer(page, query=f"?model={model.name}" + ("" if version is None else f"&version={version}"))


def document(explorer: Explorer) -> dict[str, Any]:
    explorer.tab("Edit")
    return dict(json.loads(explorer.page.locator(".editor textarea").input_value()))


def number(text: str) -> float:
    """Return a number or the norm of an array, as a card has it with two digits."""
    mantissa, _, power = text.strip("‖").replace("−", "-").partition("·10")
    plain = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    return float(mantissa) * 10.0 ** int(plain or 0)


def test_an_opened_version_shows_the_numbers_of_the_sdk(training_page: Page, model: Model) -> None:
    asked: list[str] = []
    training_page.on("request", lambda request: asked.append(request.url.partition("/v1/")[2]))
    explorer = open_version(training_page, model, 3)
    shown = document(explorer)
    assert shown["model"] == {"name": model.name, "version": 3, "dtype": model.dtype}
    params = model.params(version=3)
    for name, array in params.items():
        assert np.array_equal(np.array(shown["params"][name], array.dtype), array)
    data = {"x": np.array(shown["data"]["x"][:1], model.dtype), "y": np.array(shown["data"]["y"][:1])}
    places = ["hidden", "active", "scores", "loss"]
    expected = model.at(3).gradients(data, values=places, deltas=places)
    for drawn, arrays in ((explorer.values(), expected.values), (explorer.deltas(), expected.deltas)):
        for place in places:
            assert number(drawn[place]) == pytest.approx(float(np.linalg.norm(arrays[place])), rel=0.05)
    explorer.select("scores")
    training_page.locator(".panel .heat .all").first.click()
    titles = training_page.locator("[data-numbers] td").evaluate_all("all => all.map(one => one.title)")
    assert np.array_equal(np.array(titles, model.dtype), expected.values["scores"][0])  # to the last bit
    computed = {route for route in asked if route.endswith("gradients")}
    assert computed == {f"models/{model.name}/gradients"}


def test_without_a_number_it_is_the_newest(training_page: Page, model: Model) -> None:
    open_version(training_page, model)
    training_page.wait_for_url(re.compile(rf"\?model={model.name}&version=5#state="))
    assert training_page.locator("select.network").inner_text().startswith(f"{model.name}, version 5")


def test_the_address_keeps_the_version_and_the_data(training_page: Page, model: Model) -> None:
    explorer = open_version(training_page, model, 2)
    training_page.wait_for_url(re.compile("state="))
    before = training_page.url
    training_page.locator('[data-input="x"]').fill("[1, 2, 3, 4]")
    training_page.locator('[data-input="x"]').press("Tab")
    training_page.wait_for_url(lambda url: url != before)
    address, values = training_page.url, explorer.values()
    assert "version=2" in address
    training_page.goto("about:blank")
    training_page.goto(address)
    training_page.locator(".card").first.wait_for()
    assert explorer.values() == values
    assert json.loads(training_page.locator('[data-input="x"]').input_value()) == [1, 2, 3, 4]


def test_with_other_parameters_it_is_a_network_of_ones_own(training_page: Page, model: Model) -> None:
    explorer = open_version(training_page, model, 1)
    changed = document(explorer)
    changed["params"]["scores.bias"] = [3.0, 0.0, 0.0]
    training_page.locator(".editor textarea").fill(json.dumps(changed))
    training_page.wait_for_url(lambda url: "?model=" not in url)
    assert training_page.locator("select.network").inner_text().startswith("your version")
    assert "model" not in document(explorer)
    training_page.locator("select.network").select_option("circuit")
    training_page.wait_for_url(re.compile("/#example=circuit"))


def test_its_gradients_are_checked_in_its_own_dtype(training_page: Page, model: Model) -> None:
    explorer = open_version(training_page, model, 4)
    explorer.tab("Findings")
    training_page.locator("[data-check]").click()
    training_page.locator(".checked").wait_for(state="attached")
    assert training_page.locator(".checked .failed").count() == 0


@pytest.mark.parametrize(("query", "said"), [("?model=nobody", "nobody"), ("?model=early&version=9", "9")])
def test_what_is_not_there_is_said(
    training_page: Page, training_service: str, faults: list[str], query: str, said: str
) -> None:
    if "early" in query:
        train(training_service, "early", 1)
    training_page.goto(f"/{query}")
    assert said in training_page.locator(".refused").inner_text()
    assert all("404" in fault for fault in faults)
    faults.clear()


def test_a_model_with_too_many_numbers_for_a_picture_is_refused(
    training_page: Page, training_service: str
) -> None:
    spec = {
        "inputs": {"x": {"shape": [800]}},
        "nodes": [
            {"name": "wide", "kind": "linear", "inputs": ["x"], "config": {"units": 700}},
            {"name": "loss", "kind": "sum", "inputs": ["wide"]},
        ],
    }
    Client(training_service).create_model(spec, name="wide", optimizer=optim.sgd(0.1), seed=0)
    training_page.goto("/?model=wide")
    assert "560700 numbers" in training_page.locator(".refused").inner_text()

"""The questions about a place: which there are, and what their answers are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def ask(page: Page, state: str) -> list[str]:
    """Open a state in the mode, and return its questions."""
    page.goto("about:blank")
    Explorer(page, state)
    page.locator("[data-predict-toggle]").click()
    page.locator("[data-predict-number], [data-predict-nothing]").wait_for()
    texts = page.locator("[data-predict-which] option").all_text_contents()
    return texts or page.locator(".predict form > b").all_text_contents()


def answer(page: Page, number: str) -> tuple[str | None, str | None]:
    """Return the grade and the mistake that a number is given."""
    page.locator("[data-predict-number]").fill(number)
    page.locator("[data-predict-check]").click()
    verdict = page.locator("[data-verdict]")
    verdict.wait_for()
    return verdict.get_attribute("data-verdict"), verdict.get_attribute("data-mistake")


def test_a_place_has_a_question_for_each_of_its_red_numbers(page: Page) -> None:
    assert ask(page, "example=circuit&at=f&step=3") == ["δ f→q", "δ f→z"]  # its δ is the start, and given
    assert ask(page, "example=circuit&at=q&step=3") == ["δ q"]  # it has sent nothing yet
    assert ask(page, "example=circuit&at=q&step=4") == ["δ q", "δ q→x", "δ q→y"]
    assert ask(page, "example=circuit&at=q&step=1") == []
    assert ask(page, "example=fan_out&at=x&step=4") == []  # a term is still to come
    assert ask(page, "example=fan_out&at=x") == ["δ x"]
    questions = ask(page, "example=window_classifier&at=z1")
    assert [one.partition("[")[0] for one in questions] == ["δ z1", "δ z1→x", "∂L/∂z1.weight", "∂L/∂z1.bias"]


def test_a_tour_s_section_comes_first(page: Page) -> None:
    Explorer(page, "tour=0.2")  # the gradient of z1
    page.locator('[data-tour="0.2"]').wait_for()
    page.locator("[data-predict-toggle]").click()
    page.locator("[data-predict-which]").wait_for()
    assert page.locator("[data-predict-which] option").first.inner_text().startswith("∂L/∂z1.weight")


@pytest.mark.parametrize(
    ("state", "number", "grade", "mistake"),
    [
        ("example=circuit&at=f&step=3", "-4", "right", None),
        ("example=circuit&at=f&step=3", "4", "wrong", "sign"),
        ("example=circuit&at=f&step=3", "1", "wrong", "upstream"),
        ("example=fan_out&at=m&step=5", "10", "wrong", None),
        ("example=fan_out&at=x", "10", "wrong", "part"),  # what f sends; m sends more
        ("example=sigmoid_neuron_layer&at=s", "0.2", "right", None),
        ("example=flow_graph&at=hidden", "0", "wrong", None),
    ],
)
def test_answers(page: Page, state: str, number: str, grade: str, mistake: str | None) -> None:
    ask(page, state)
    assert answer(page, number) == (grade, mistake)


def test_the_mistakes_of_a_weight_s_gradient_are_its_factors_and_the_regularization(page: Page) -> None:
    """The network has one linear layer: δ is 1, and λ · w = 0.5 · 3."""
    Explorer(page, "example=circuit&tab=edit")
    page.locator(".editor textarea").fill(
        """{"network": {"inputs": {"u": {"shape": [2]}}, "nodes": [
              {"name": "v", "kind": "linear", "config": {"units": 1}}, {"name": "total", "kind": "sum"}],
            "regularization": {"l2": 0.5}},
            "params": {"v.weight": [[3, 0.1]], "v.bias": [0]}, "data": {"u": [[4, 2]]}}"""
    )
    page.locator('[data-node="total"]').wait_for()
    page.locator('[data-node="v"]').click()
    page.locator(".stepper input[type=range]").fill("4")
    page.locator("[data-predict-toggle]").click()
    for number, mistake in (("4", "decay"), ("5.5", None)):
        page.locator("[data-predict-which]").select_option("v.weight")
        grade = "wrong" if mistake else "right"
        assert answer(page, number) == (grade, mistake)
        page.locator("[data-predict-toggle]").click()  # and begin anew
        page.locator("[data-predict-toggle]").click()

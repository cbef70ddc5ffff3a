"""The change of the loss that a gradient predicts, against derivatives and losses computed apart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.explorer import Explorer, open_editor

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

LAMBDA = 0.5
NETWORK = {
    "inputs": {"u": {"shape": [2]}},
    "nodes": [
        {"name": "v", "kind": "linear", "inputs": ["u"], "config": {"units": 2}},
        {"name": "a", "kind": "tanh", "inputs": ["v"]},
        {"name": "total", "kind": "sum", "inputs": ["a"]},
    ],
    "loss": "total",
    "regularization": {"l2": LAMBDA, "parameters": ["*.weight"]},
}
WEIGHT, BIAS, U = np.array([[0.5, -1.0], [0.25, 0.75]]), np.array([0.1, -0.2]), np.array([0.3, 0.6])


def loss(weight: Any, bias: Any, u: Any) -> float:
    return float(np.tanh(weight @ u + bias).sum() + LAMBDA / 2 * (weight**2).sum())


def document(weight: Any = WEIGHT, bias: Any = BIAS, u: Any = U, network: Any = NETWORK) -> str:
    params = {"v.weight": weight.tolist(), "v.bias": bias.tolist()}
    return json.dumps({"network": network, "params": params, "data": {"u": [u.tolist()]}})


def numbers(page: Page, part: str) -> float:
    """Return the last number of a line of the card."""
    text = page.locator(f"[data-{part}]").inner_text().replace("−", "-")
    mantissa, _, power = text.split()[-1].partition("·10")
    digits = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    return float(mantissa) * 10.0 ** int(digits or 0)


@pytest.mark.parametrize("several", [False, True])
def test_the_old_gradient_predicts_inputs_and_parameters_with_their_regularization(
    page: Page, several: bool
) -> None:
    """Several: a weight, a bias and an input at once. The gradients are central differences."""
    open_editor(page, "example=circuit")
    text = page.locator(".editor textarea")
    text.fill(document())
    page.locator('[data-node="total"]').wait_for()
    step = 1e-6
    before = [WEIGHT, BIAS, U]
    places = [(0, (1, 0), 0.1), (1, (1,), -0.05), (2, (0,), 0.2)] if several else [(0, (1, 0), 0.1)]
    after, expected = [array.copy() for array in before], 0.0
    for which, at, change in places:
        up, down = ([array.copy() for array in before] for _ in range(2))
        up[which][at] += step
        down[which][at] -= step
        expected += (loss(*up) - loss(*down)) / (2 * step) * change
        after[which][at] += change
    page.locator("[data-what-if-dismiss]").click()  # what the circuit was replaced by
    text.fill(document(*after))
    page.locator('[data-what-if="numbers"]').wait_for()
    actual = loss(*after) - loss(*before)
    assert numbers(page, "predicted") == pytest.approx(expected, rel=1e-3)
    assert numbers(page, "actual") == pytest.approx(actual, rel=1e-3)
    assert numbers(page, "difference") == pytest.approx(actual - expected, rel=2e-3)
    named = page.locator(".what-if b.green").all_inner_texts()
    assert named == (["u[0]", "v.weight[1, 0]", "v.bias[1]"] if several else ["v.weight[1, 0]"])


def test_a_change_of_the_network_predicts_nothing(page: Page) -> None:
    open_editor(page, "example=circuit")
    text = page.locator(".editor textarea")
    text.fill(text.input_value().replace('"multiply"', '"add"'))
    card = page.locator('[data-what-if="network"]')
    card.wait_for()
    assert "The network itself was changed" in card.inner_text()
    assert page.locator("[data-predicted], [data-actual], [data-before]").count() == 0
    page.get_by_role("tab", name="Inputs").click()
    page.locator('[data-input="x"]').fill("3")  # later numbers are compared again, in the new network
    page.locator('[data-what-if="numbers"]').wait_for()
    assert page.locator("[data-actual]").inner_text() == "−1 → 4: 5"


def test_an_integer_has_no_derivative(page: Page) -> None:
    Explorer(page, "example=flow_graph")
    label = page.locator('[data-input="y"]')
    label.fill("1" if label.input_value() != "1" else "2")
    card = page.locator('[data-what-if="integers"]')
    card.wait_for()
    assert "There is no derivative by integers (y)" in card.inner_text()
    assert page.locator("[data-actual]").count() == 1 and page.locator("[data-predicted]").count() == 0


def test_a_delta_that_was_sent_in_part_predicts_nothing(page: Page) -> None:
    """An input of 5000 numbers: the trace has a sample of them."""
    open_editor(page, "example=circuit")
    network = {"inputs": {"u": {"shape": [5000]}}, "nodes": [{"name": "total", "kind": "sum"}]}
    text = page.locator(".editor textarea")
    text.fill(json.dumps({"network": network, "data": {"u": [[0.5] * 5000]}}))
    page.locator('[data-node="total"]').wait_for()
    page.locator("[data-what-if-dismiss]").click()
    text.fill(json.dumps({"network": network, "data": {"u": [[0.25] + [0.5] * 4999]}}))
    card = page.locator('[data-what-if="large"]')
    card.wait_for()
    assert "The δ of u is too large" in card.inner_text()
    assert page.locator("[data-predicted]").count() == 0

"""One number of an array's delta, taken apart: what each edge sends, and from which factors."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from support.explorer import Explorer, open_editor

from deltawire_service.api.root import PAGE

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

FLOW_GRAPH = json.loads((PAGE / "examples" / "flow_graph.json").read_text())


def read(text: str) -> float:
    """Return a number as the page writes it."""
    mantissa, _, power = text.replace("−", "-").strip("()").partition("·10")
    return float(mantissa) * 10.0 ** int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)


def numbers(one: Locator) -> list[float]:
    """Return the number of each edge, and of their sum where there are several."""
    return [read(text) for text in one.locator(".apart > li > b").all_text_contents()]


def products(edge: Locator) -> list[float]:
    """Return the products of an edge's number from their factors, which the products shown agree with."""
    number = r"\(?(−?[\d.]+(?:·10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?)\)?"
    found = []
    for line in edge.locator(".products li").all_inner_texts():
        if factors := re.search(rf" = {number} · {number} = {number}$", line):
            found.append(read(factors[1]) * read(factors[2]))
            assert read(factors[3]) == pytest.approx(found[-1], rel=2e-3)
    return found


def flow_graph_loss(below: Any, beside: Any) -> Any:
    """Return the loss of the first example, with the x of each of its two paths apart."""
    params = {name: np.array(array) for name, array in FLOW_GRAPH["params"].items()}
    hidden = params["hidden.weight"] @ below + params["hidden.bias"]
    scores = params["scores.weight"] @ (1 / (1 + anp.exp(-hidden)) + beside) + params["scores.bias"]
    return anp.log(anp.sum(anp.exp(scores))) - scores[FLOW_GRAPH["data"]["y"][0]]


def test_every_number_of_an_inputs_delta_is_the_sum_of_what_its_edges_send(page: Page) -> None:
    Explorer(page, "example=flow_graph&at=x")
    x = np.array(FLOW_GRAPH["data"]["x"][0])
    through, past = (grad(flow_graph_loss, path)(x, x) for path in (0, 1))
    one = page.locator('[data-component="x"]')
    cells = page.locator('[data-section="arriving"] .cell.choice')
    assert cells.count() == 4
    seen = set()
    for i in range(4):
        cells.nth(i).click()
        one.locator("b", has_text=f"x[{i}]").first.wait_for()
        expected = [past[i], through[i], past[i] + through[i]]  # skip sends first
        assert numbers(one) == pytest.approx(expected, rel=1e-3)
        edge = one.locator(".apart > li", has_text="from hidden")
        assert f"weight[0, {i}] · δ hidden[0]" in edge.inner_text()
        assert len(products(edge)) == 4 and sum(products(edge)) == pytest.approx(through[i], abs=2e-5)
        assert products(one.locator(".apart > li", has_text="from skip")) == pytest.approx(
            [past[i]], rel=1e-3
        )
        seen.add(edge.inner_text())
    assert len(seen) == 4


def test_a_sigmoid_s_number_is_its_local_gradient_times_what_arrived(page: Page) -> None:
    Explorer(page, "example=flow_graph&at=hidden")
    x = np.array(FLOW_GRAPH["data"]["x"][0])
    weight, bias = (np.array(FLOW_GRAPH["params"][f"hidden.{part}"]) for part in ("weight", "bias"))

    def loss(hidden: Any) -> Any:
        scores = np.array(FLOW_GRAPH["params"]["scores.weight"]) @ (1 / (1 + anp.exp(-hidden)) + x)
        scores = scores + np.array(FLOW_GRAPH["params"]["scores.bias"])
        return anp.log(anp.sum(anp.exp(scores))) - scores[FLOW_GRAPH["data"]["y"][0]]

    expected = grad(loss)(weight @ x + bias)
    page.locator('[data-section="arriving"] .cell.choice').nth(2).click()
    one = page.locator('[data-component="hidden"]')
    assert "∂a/∂hidden[2] · δ a[2]" in one.inner_text()
    assert products(one) == pytest.approx([expected[2]], rel=2e-3)
    assert numbers(one) == [pytest.approx(expected[2], rel=1e-3)]


def test_the_number_that_was_chosen_is_that_of_its_own_node(page: Page) -> None:
    """Another node begins with its largest number: scores has three, and x four."""
    explorer = Explorer(page, "example=flow_graph&at=x")
    page.locator('[data-section="arriving"] .cell.choice').nth(3).click()
    page.locator('[data-component="x"] b', has_text="x[3]").first.wait_for()
    explorer.select("scores")
    page.locator('[data-component="scores"] b', has_text="scores[2]").first.wait_for()


def test_a_layer_without_a_rule_shows_only_what_it_sends(page: Page) -> None:
    Explorer(page, "example=flow_graph&at=scores")
    one = page.locator('[data-component="scores"]')
    assert one.locator(".products").count() == 0  # log softmax mixes its numbers
    assert len(numbers(one)) == 1


def test_a_long_sum_says_what_its_other_terms_come_to(page: Page) -> None:
    explorer = open_editor(page, "example=circuit")
    rng = np.random.default_rng(5)
    weight = rng.normal(size=(9, 2)).round(2)
    network = {
        "inputs": {"u": {"shape": [2]}},
        "nodes": [{"name": "v", "kind": "linear", "config": {"units": 9}}, {"name": "total", "kind": "sum"}],
    }
    params = {"v.weight": weight.tolist(), "v.bias": [0.0] * 9}
    document = {"network": network, "params": params, "data": {"u": [[1, 2]]}}
    page.locator(".editor textarea").fill(json.dumps(document))
    page.locator('[data-node="total"]').wait_for()
    explorer.at(explorer.last())
    explorer.select("u")
    page.locator('[data-section="arriving"] .cell.choice').nth(1).click()
    one = page.locator('[data-component="u"]')
    largest = sorted(weight[:, 1], key=abs, reverse=True)
    assert products(one) == pytest.approx(largest[:6])
    others = one.locator(".products li").last.inner_text()
    assert others.startswith("3 more = ")
    assert read(others.removeprefix("3 more = ")) == pytest.approx(sum(largest[6:]), rel=1e-3)

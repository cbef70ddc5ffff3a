"""Warnings read from the numbers: dead, saturated, vanishing, nothing arriving."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def findings(page: Page, kind: str, numbers: list[Any], **config: Any) -> dict[str, str]:
    """Return the findings for numbers that go through one layer to their sum, by name.

    numbers: of both examples, or a list for each.
    """
    explorer = Explorer(page, "example=circuit")
    explorer.tab("Edit")
    shape = [len(numbers[0]) if isinstance(numbers[0], list) else len(numbers)]
    network = {
        "inputs": {"x": {"shape": shape}, "zero": {"shape": shape}},
        "nodes": [
            {"name": "moved", "kind": "add", "inputs": ["x", "zero"]},
            {"name": "layer", "kind": kind, "inputs": ["moved"], "config": config},
            {"name": "total", "kind": "sum", "inputs": ["layer"]},
        ],
    }
    rows = numbers if isinstance(numbers[0], list) else [numbers, numbers]
    data = {"x": rows, "zero": [[0] * shape[0]] * len(rows)}
    page.locator(".editor textarea").fill(json.dumps({"network": network, "data": data}))
    page.locator('[data-node="total"]').wait_for()
    explorer.tab("Findings")
    entries = page.locator("[data-finding]")
    names = entries.evaluate_all("all => all.map(one => one.dataset.finding)")
    return dict(zip(names, entries.all_inner_texts(), strict=True))


@pytest.mark.parametrize(
    "kind, numbers, expected",
    [
        (
            "relu",
            [-0.5, -1, -2, -0.1],
            {"dead layer": "at all 4 numbers of all 2 examples", "nothing moved": "It ends in layer"},
        ),
        ("relu", [-50, -30, -20, -90], {"dead layer": "exactly 0", "nothing moved": "because it is dead"}),
        ("relu", [-0.5, -1, -2, 3], {"deadUnits layer": "3 of its 4 numbers"}),
        ("relu", [[-0.5, -1, -2, 3], [-1, 2, 3, 4]], {"deadUnits layer": "1 of its 4 numbers"}),
        ("relu", [[-0.5, -1, -2, 3], [1, 2, 3, 4]], {}),
        (
            "relu",
            [[-0.5, -1], [3, 4]],
            {"inactive layer": "In other examples it is not", "nothing moved": "inactive in this example"},
        ),
        (
            "relu",
            [[-0.5, -1]],
            {"inactive layer": "One example does not show", "nothing moved": "inactive in this example"},
        ),
        (
            "tanh",
            [[30, -40, 25, 50], [0, 0, 0, 1]],
            {"saturated layer": "So in 1 of 2", "vanishing moved": "saturated"},
        ),
        ("tanh", [30, -40, 25, 50], {"saturated layer": "at most", "vanishing moved": "it is saturated"}),
        ("tanh", [30, -40, 25, 0.5], {"saturated layer": "3 of the 4 numbers"}),
        (
            "tanh",
            [6, 7, -6, 6],
            {
                "saturated layer": "from −6 to 7 and at least 6 away from 0",
                "vanishing moved": "δ of moved is",
            },
        ),
        ("tanh", [0.1, -0.5, 0.3, 1], {}),
    ],
)
def test_each_kind_of_finding(page: Page, kind: str, numbers: list[Any], expected: dict[str, str]) -> None:
    """A slope of 0 is dead; but far out on a curve, where next to nothing is left of it, saturated."""
    listed = findings(page, kind, numbers)
    assert list(listed) == list(expected)
    for name, part in expected.items():
        assert part in listed[name]


def test_a_node_where_nothing_arrives_has_no_ratio(page: Page) -> None:
    text = findings(page, "relu", [-1, -2])["nothing moved"]
    assert "Nothing arrives at moved: its δ is exactly 0." in text and "times" not in text
    assert page.locator('[data-node="moved"] [data-sign="nothing"]').count() == 1


def test_the_layer_whose_delta_vanishes_and_why(page: Page) -> None:
    explorer = Explorer(page, "example=deep_sigmoid")
    explorer.tab("Findings")
    listed = page.locator("[data-finding]").evaluate_all("all => all.map(one => one.dataset.finding)")
    assert listed == ["saturated a3", "vanishing z3 a2 z2 a1 z1"]  # the cause, then what comes of it
    text = page.locator("[data-finding^=vanishing]").inner_text()
    assert "it changed most in a3: times 2.1·10⁻⁴, because it is saturated" in text
    assert "6.847·10⁻⁶ of what it was near the loss at the first of them, 6.077·10⁻⁷ at the last" in text
    assert page.get_by_role("tab", name="Findings").inner_text().split() == ["Findings", "2"]
    signs = page.locator(".warning-sign").evaluate_all("all => all.map(one => one.dataset.sign)")
    assert sorted(signs) == ["cause"] + ["vanishing"] * 5
    assert page.locator('[data-node="a3"] [data-sign="cause"]').count() == 1
    page.locator("[data-finding^=vanishing] button", has_text="z1").click()
    own = page.locator('[data-panel="z1"] [data-warning="vanishing"]').inner_text()
    assert "δ of z1 is 6.077·10⁻⁷" in own and "changed most in a3" in own


def finding_of(page: Page, nodes: list[dict[str, Any]], **data: Any) -> list[str]:
    """Return the findings of a network with inputs of two numbers and labels, each with its text."""
    explorer = Explorer(page, "example=circuit")
    explorer.tab("Edit")
    specs = {
        name: {"shape": [], "dtype": "int64"} if name == "y" else {"shape": list(np.shape(rows[0]))}
        for name, rows in data.items()
    }
    network = {"inputs": specs, "nodes": nodes, "loss": "loss"}
    page.locator(".editor textarea").fill(json.dumps({"network": network, "data": data}))
    page.locator('[data-node="loss"]').wait_for()
    explorer.tab("Findings")
    return page.locator("[data-finding]").all_inner_texts()


def test_a_margin_that_is_kept_is_no_vanishing(page: Page) -> None:
    nodes = [
        {"name": "a", "kind": "negate", "inputs": ["s"]},
        {"name": "b", "kind": "negate", "inputs": ["a"]},
        {"name": "loss", "kind": "max_margin", "inputs": ["b", "c"]},
    ]
    cause, effect = finding_of(page, nodes, s=[5, 0], c=[1, 1])
    assert cause.startswith("Margin kept loss") and "So in 1 of 2 examples." in cause
    assert effect.startswith("No δ b, a") and "because the margin is kept" in effect


def test_an_example_that_is_fitted_is_no_vanishing(page: Page) -> None:
    nodes = [
        {"name": "a", "kind": "negate", "inputs": ["x"]},
        {"name": "s", "kind": "negate", "inputs": ["a"]},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["s", "y"]},
    ]
    (only,) = finding_of(page, nodes, x=[[20, 0], [0, 0]], y=[0, 1])
    assert only.startswith("Fitted example loss") and "So in 1 of 2 examples." in only


def test_small_deltas_have_a_norm(page: Page) -> None:
    """The squares of 10⁻²⁰⁰ are 0 in float64: it vanishes, and is not exactly 0."""
    nodes = [
        {"name": "a", "kind": "negate", "inputs": ["x"]},
        {"name": "b", "kind": "multiply", "inputs": ["a", "c"]},
        {"name": "loss", "kind": "sum", "inputs": ["b"]},
    ]
    (only,) = finding_of(page, nodes, x=[[1, 2]], c=[[3e-200, 4e-200]])
    assert only.startswith("Vanishing δ a")
    assert page.locator('[data-delta="x"] text').first.text_content() == "δ ‖5.0·10⁻²⁰⁰‖"

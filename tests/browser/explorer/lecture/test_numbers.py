"""The lecture's numbers, read from the page at every step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_the_circuit_at_every_step(page: Page) -> None:
    """f = (x + y)·z: what is not computed yet is blank, and never 0."""
    explorer = Explorer(page, "example=circuit&step=0")
    given = {"x": "−2", "y": "5", "z": "−4"}
    seen = []
    for step in range(explorer.last() + 1):
        explorer.at(step)
        seen.append((explorer.values(), explorer.deltas(), explorer.edges()))
    f = {"f→q": "−4", "f→z": "3"}
    assert seen == [
        (given, {}, {}),
        (given | {"q": "3"}, {}, {}),
        (given | {"q": "3", "f": "−12"}, {}, {}),
        (given | {"q": "3", "f": "−12"}, {"f": "1", "q": "−4", "z": "3"}, f),
        (
            given | {"q": "3", "f": "−12"},
            {"f": "1", "q": "−4", "z": "3", "x": "−4", "y": "−4"},
            f | {"q→x": "−4", "q→y": "−4"},
        ),
    ]


def test_the_sigmoid_neuron_at_every_step(page: Page) -> None:
    """The slide's numbers from right to left, one gate at a step."""
    explorer = Explorer(page, "example=sigmoid_neuron_gates&step=0")
    values = ["p0 −2", "p1 6", "s 1", "minus_s −1", "power 0.37", "below 1.37", "f 0.73"]
    for step, text in enumerate(values, start=1):
        name, number = text.split()
        assert name not in explorer.at(step - 1).values()
        assert explorer.at(step).values()[name] == number
        assert explorer.deltas() == {} == explorer.edges()
    sends = [
        {"f→below": "−0.53"},
        {"below→power": "−0.53", "below→one": "−0.53"},
        {"power→minus_s": "−0.20"},
        {"minus_s→s": "0.20"},
        {"s→p0": "0.20", "s→p1": "0.20", "s→w2": "0.20"},
        {"p1→w1": "−0.39", "p1→x1": "−0.59"},
        {"p0→w0": "−0.20", "p0→x0": "0.39"},
    ]
    expected: dict[str, str] = {}
    for step, sent in enumerate(sends, start=8):
        expected |= sent
        assert explorer.at(step).edges() == expected
    assert explorer.step() == explorer.last()
    inputs = {
        name: number for name, number in explorer.deltas().items() if name in ("w0", "x0", "w1", "x1", "w2")
    }
    assert inputs == {"w0": "−0.20", "x0": "0.39", "w1": "−0.39", "x1": "−0.59", "w2": "0.20"}


def test_a_gate_shows_local_times_upstream(page: Page) -> None:
    explorer = Explorer(page, "example=circuit&step=3&at=f")
    product = page.locator('[data-product="q→f/0"]')
    assert product.locator("b").all_inner_texts() == ["−4", "1", "−4"]
    assert page.locator('[data-product="z→f/1"] b').all_inner_texts() == ["3", "1", "3"]
    text = page.locator(".panel .formula").evaluate_all("all => all.map(one => one.dataset.tex)")
    assert "f = {q} \\cdot {z}" in text and "= {3} \\cdot {(-4)} = -12" in text
    assert explorer.page.locator(".katex-error").count() == 0


def test_a_fan_out_shows_a_running_sum_until_all_have_arrived(page: Page) -> None:
    """f = (x + y)·y·x at (3, 2): x gets 10 from f and 6 from s."""
    explorer = Explorer(page, "example=fan_out&step=4&at=x")
    assert explorer.deltas()["x"] == "10 + ?" and "y" not in explorer.deltas()
    assert "10 + ?" in page.locator('[data-sum="x"]').inner_text()
    explorer.at(5)
    assert explorer.deltas() | {"x": "10 + ?", "y": "15 + ?"} == explorer.deltas()
    explorer.at(6)
    assert (explorer.deltas()["x"], explorer.deltas()["y"]) == ("16", "21")
    edges = explorer.edges()
    assert (edges["f→x"], edges["s→x"], edges["m→y"], edges["s→y"]) == ("10", "6", "15", "6")
    explorer.select("x")
    assert "10 + 6 = 16" in page.locator('[data-sum="x"]').inner_text()
    paths = page.locator('[data-paths="x"]').inner_text()
    assert "x → f\n" in paths and "\n10 = 10" in paths
    assert "x → s → m → f\n" in paths and "\n1 · 2 · 3 = 6" in paths and "\n6 + 10 = 16" in paths


def test_the_short_circuit_brings_its_own_delta(page: Page) -> None:
    explorer = Explorer(page, "example=flow_graph&at=x")
    terms = page.locator(".panel .terms").inner_text()
    assert "hidden" in terms and "skip" in terms
    assert page.locator('[data-edge="x→skip/1"].jump').count() == 1
    assert {"skip→x", "hidden→x"} <= set(explorer.edges())

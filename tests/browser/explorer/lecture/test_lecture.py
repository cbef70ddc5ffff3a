"""The twenty steps of a lecture on a projector: every number that is meant is readable."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.explorer import Explorer, script

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

PICTURE = Path(__file__).parents[1] / "picture" / "test_picture.py"

PASTED = {
    "network": {
        "inputs": {"u": {"shape": [3]}, "label": {"shape": [], "dtype": "int64"}},
        "nodes": [
            {"name": "lift", "kind": "linear", "inputs": ["u"], "config": {"units": 3}},
            {"name": "gate", "kind": "relu"},
            {"name": "joined", "kind": "add", "inputs": ["gate", "u"]},
            {"name": "votes", "kind": "linear", "config": {"units": 2}},
            {"name": "cost", "kind": "softmax_nll", "inputs": ["votes", "label"]},
        ],
        "loss": "cost",
    },
    "params": {
        "lift.weight": [[1, -1, 0.5], [0.5, 1, 1], [-1, 0.5, 2]],
        "lift.bias": [-9, -8, -9],
        "votes.weight": [[1, 0.5, -1], [-0.5, 1, 1]],
        "votes.bias": [0, 0.1],
    },
    "data": {"u": [[1, 2, -0.5]], "label": [1]},
}


class Lecture(Explorer):
    """The explorer on a projector, and what the audience sees of it."""

    def __init__(self, page: Page, faults: list[str]):
        page.set_viewport_size({"width": 1280, "height": 720})
        self.faults = faults
        super().__init__(page)

    def part(self, selector: str) -> Locator:
        return self.page.locator(selector)

    def click(self, selector: str) -> None:
        self.part(selector).click()

    def explanation(self, number: int) -> None:
        """Open an explanation from the head of the page."""
        self.part(".tours button").nth(number - 1).click()
        self.arrive(f"{number - 1}.0")

    def next(self, stop: str) -> None:
        self.click('[data-tour-go="next"]')
        self.arrive(stop)

    def arrive(self, stop: str) -> None:
        self.part(f'[data-tour="{stop}"]').wait_for()

    def read(self, *selectors: str) -> None:
        """Scroll to each part that is meant, and find it in full, large enough and uncovered."""
        for selector in selectors:
            self.part(selector).first.wait_for()
            for one in self.part(selector).all():
                one.scroll_into_view_if_needed()
                self.readable(one)

    def readable(self, parts: Locator) -> None:
        unreadable = parts.evaluate_all(script(__file__, "unreadable"))
        assert not unreadable, unreadable

    def numbers(self, least: float = 10.99) -> None:
        """Find every value, δ and edge number of the picture readable, with no text over another."""
        self.page.wait_for_timeout(900)  # a δ on its way has arrived
        seen: dict[str, Any] = self.page.evaluate(script(str(PICTURE), "legible"))
        assert seen["smallest"] >= least
        for fault in ("outside", "cut", "overlapping"):
            assert not seen[fault], (fault, seen[fault])
        assert seen["numbers"] >= self.part(".card").count() // 2
        self.readable(self.part(":is([data-value], [data-delta], [data-edge-gradient]) > text"))


def begin_with_two_equations(on: Lecture) -> None:
    """“Start here” leads to a network of two windows, with all its numbers."""
    on.click("[data-welcome]")
    on.arrive("0.0")
    on.numbers()
    on.read(".tour p", ".step-text")


def first_equation(on: Lecture) -> None:
    """δ goes down through Wᵀ: the equation with names, and the one with numbers."""
    on.next("0.1")
    on.numbers()
    on.read('[data-section="sends"] .formula')


def second_equation(on: Lecture) -> None:
    """The gradient of one weight is made of the contributions of both windows, and of λW."""
    on.next("0.2")
    on.part('[data-gradient="z1.weight"] .cell.choice').nth(3).click()
    on.numbers()
    terms = '[data-weight="z1.weight"] .terms > li'
    on.read(f"{terms}:first-child", f"{terms}:last-child")
    *parts, together = on.part(f"{terms} > b").all_inner_texts()
    read = [float(one.replace("−", "-")) for one in (*parts, together)]
    assert len(parts) >= 2 and sum(read[:-1]) == pytest.approx(read[-1], rel=2e-3)


def word_vectors(on: Lecture) -> None:
    on.next("0.3")
    on.numbers()
    on.read('[data-section="gradient"] h3', '[data-section="gradient"] .heat figcaption')


def circuit_forward(on: Lecture) -> None:
    """In presentation mode, green numbers come one by one, large enough for the last row."""
    on.explanation(2)
    on.press("p")
    on.part(".page.presented").wait_for()
    on.press("Home")
    for step in (1, 2):
        on.press("ArrowRight")
        on.part(f'[data-step="{step}"]').wait_for()
    on.numbers(16.4)
    assert on.values() == {"x": "−2", "y": "5", "z": "−4", "q": "3", "f": "−12"}


def circuit_backward(on: Lecture) -> None:
    """Each δ travels along its edge; at the end all three inputs have theirs."""
    for step in (3, 4):
        on.press("ArrowRight")
        on.part(f'[data-step="{step}"]').wait_for()
    on.numbers(16.4)
    assert on.edges() == {"f→q": "−4", "f→z": "3", "q→x": "−4", "q→y": "−4"}
    on.press("Escape")
    on.part(".panel").wait_for()


def predict_first(on: Lecture) -> None:
    """The audience says what q gets, and what z gets with a wrong sign."""
    on.next("1.1")
    on.click("[data-predict-toggle]")
    for guess, grade in (("-4", "right"), ("-3", "wrong")):
        on.part("[data-predict-number]").fill(guess)
        on.press("Enter")
        on.read(f'[data-verdict="{grade}"]', "[data-score]")
    on.numbers()
    on.click("[data-predict-toggle]")


def what_if(on: Lecture) -> None:
    """−4 at x predicts the loss of another x, exactly as long as nothing else changes."""
    on.next("1.2")
    on.part('[data-input="x"]').fill("7")
    on.read("[data-predicted]", "[data-actual]", "[data-difference]")
    assert "−36" in on.part("[data-predicted]").inner_text()
    on.numbers()
    assert on.part("[data-before]").count() > 1
    on.read("[data-before]")


def neuron_of_gates(on: Lecture) -> None:
    on.next("1.3")
    on.numbers()
    on.read('[data-section="sends"] .product')
    on.next("1.4")
    on.numbers()
    on.read('[data-section="paths"] .paths li:first-child')


def neuron_as_one_layer(on: Lecture) -> None:
    on.next("1.5")
    on.numbers()
    on.read('[data-section="sends"] .formula', '[data-section="sends"] .product')


def two_uses_of_one_input(on: Lecture) -> None:
    """An unfinished sum says so; one step later it is 16."""
    on.explanation(3)
    on.numbers()
    on.read('[data-sum="x"]')
    assert "10 + ?" in on.part('[data-sum="x"]').inner_text()
    on.next("2.1")
    on.numbers()
    on.read('[data-sum="x"]')
    assert "10 + 6 = 16" in on.part('[data-sum="x"]').inner_text()


def skip_connection(on: Lecture) -> None:
    on.next("2.2")
    on.page.locator('[data-edge-button^="x→skip"] .edge-label').click()
    on.part('[data-edge-button^="x→skip"] .strong').wait_for()
    on.numbers()
    on.press("Escape")
    on.read('[data-section="sends"] .formula')


def path_that_carries_most(on: Lecture) -> None:
    """Thicker is more; and one component of δ at x is taken apart, edge by edge."""
    on.next("2.3")
    on.numbers()
    on.read('[data-section="paths"] .paths li:first-child', '[data-section="paths"] h3')
    width = "one => parseFloat(getComputedStyle(one).strokeWidth)"
    skip, hidden = (on.part(f'[data-edge^="x→{name}"]').evaluate(width) for name in ("skip", "hidden"))
    assert skip > hidden
    on.part('[data-section="arriving"] .cell.choice').nth(1).click()
    on.read('[data-component="x"] .apart > li:first-child', '[data-component="x"] .apart > li:last-child')


def softmax_with_its_loss(on: Lecture) -> None:
    on.explanation(4)
    on.numbers()
    on.read('[data-section="sends"] .formula')


def layers_below(on: Lecture) -> None:
    """A linear layer sends Wᵀδ, a sigmoid a (1 − a) times δ."""
    on.next("3.1")
    on.numbers()
    on.read('[data-section="sends"] .formula')
    on.next("3.2")
    on.numbers()
    on.read('[data-section="sends"] .maps .heat:first-child')


def killed_signal(on: Lecture) -> None:
    """The third sigmoid kills δ: the plots, the sign at its card and the finding agree."""
    on.next("3.3")
    on.read(".plots .curves", '[data-panel="a3"] .warning')
    on.tab("Findings")
    on.read(".findings li:first-child")
    assert "a3" in on.part(".findings li").first.inner_text()
    on.numbers()


def search(on: Lecture) -> None:
    on.press("/")
    on.page.keyboard.type("a6")
    on.read("[data-found]")
    on.press("Enter")
    on.part('[data-panel="a6"]').wait_for()
    on.read('[data-panel="a6"] h2')
    on.numbers()


def training_and_back_through_it(on: Lecture) -> None:
    on.part("select.network").select_option("moons")
    on.part('[data-node="hidden"]').wait_for()
    on.tab("Train")
    on.click("[data-train]")
    on.part('[data-trained="300"]').wait_for(timeout=90_000)
    on.read(".training output", ".training [data-along]")
    on.numbers()
    on.part(".training [data-along]").fill("0")
    on.numbers()


def pasted_network(on: Lecture) -> None:
    """A network of the audience: a relu that lets nothing through, and a way around it."""
    paste = """(body, text) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", text);
      body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    }"""
    on.part("body").evaluate(paste, json.dumps(PASTED))
    on.part('[data-node="joined"]').wait_for()
    on.select("gate")
    on.numbers()
    on.read('[data-panel="gate"] .warning')
    on.select("u")
    on.read('[data-component="u"] .apart > li:last-child')


def link_and_back(on: Lecture) -> None:
    """The link opens the same picture for everyone; Back leads to the network before."""
    on.page.wait_for_timeout(400)  # the address is written
    there, numbers = on.page.url, on.values() | on.deltas() | on.edges()
    on.page.goto("about:blank")
    on.page.goto(there)
    on.part('[data-panel="u"]').wait_for()
    on.numbers()
    assert on.values() | on.deltas() | on.edges() == numbers
    on.page.go_back()  # to the blank page
    on.page.go_back()
    on.part('[data-panel="u"]').wait_for()
    on.page.go_back()
    on.part('[data-node="scores"]').wait_for()
    on.numbers()


STEPS: list[Callable[[Lecture], None]] = [
    begin_with_two_equations,
    first_equation,
    second_equation,
    word_vectors,
    circuit_forward,
    circuit_backward,
    predict_first,
    what_if,
    neuron_of_gates,
    neuron_as_one_layer,
    two_uses_of_one_input,
    skip_connection,
    path_that_carries_most,
    softmax_with_its_loss,
    layers_below,
    killed_signal,
    search,
    training_and_back_through_it,
    pasted_network,
    link_and_back,
]


def test_the_twenty_steps_of_a_lecture(page: Page, faults: list[str], tmp_path: Path) -> None:
    """Each step leaves a picture of the page in the folder of the test."""
    assert len(STEPS) == 20
    lecture = Lecture(page, faults)
    for number, step in enumerate(STEPS, start=1):
        try:
            step(lecture)
        finally:
            page.screenshot(path=tmp_path / f"{number:02}_{step.__name__}.png")
        assert faults == [], step.__name__

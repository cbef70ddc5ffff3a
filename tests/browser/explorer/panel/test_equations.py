"""Equations: inside the panel, with the shapes of their arrays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.explorer import Explorer, open_editor

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", ["flow_graph", "window_classifier", "deep_sigmoid", "moons", "residual"])
def test_no_formula_runs_out_of_the_panel(page: Page, name: str) -> None:
    explorer = Explorer(page, f"example={name}")
    wide = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.dataset.tex)"
    nodes = page.locator("[data-node]").evaluate_all("all => all.map(one => one.dataset.node)")
    for node in [node for node in nodes if not node[-1:].isdigit() or int(node[-1]) < 4]:
        page.locator(f'[data-node="{node}"] .ring').focus()
        explorer.press("Enter")
        page.locator(f'[data-panel="{node}"]').wait_for()
        assert page.locator(".panel .formula").evaluate_all(wide) == [], node


def test_shapes_stand_beside_the_equations(page: Page) -> None:
    explorer = Explorer(page, "example=flow_graph")
    explorer.select("hidden")
    assert page.locator(".panel .shapes").all_inner_texts() == [
        "weight 4×4, x 4, bias 4",
        "weight 4×4, δ hidden 4",
        "δ hidden 4, x 4",
        "δ hidden 4",
    ]
    explorer.select("log_probs")  # its formula speaks of single places: of numbers it has the result alone
    assert page.locator(".panel .formula.numbers").first.get_attribute("data-tex").count("pmatrix") == 2  # type: ignore[union-attr]


INTEGERS = {"shape": [3], "dtype": "int64"}


def equations(
    page: Page, nodes: list[dict[str, Any]], inputs: dict[str, Any], data: dict[str, Any], params: Any = None
) -> str:
    """Return all formulas of the panel of the first node, one a line."""
    document = {"network": {"inputs": inputs, "nodes": nodes}, "data": data}
    explorer = open_editor(page, "example=circuit")
    page.locator(".editor textarea").fill(json.dumps(document | ({"params": params} if params else {})))
    name = nodes[0]["name"]
    page.locator(f'[data-node="{name}"]').wait_for()
    explorer.at(explorer.last())
    explorer.select(name)
    assert page.locator(".katex-error").count() == 0
    return "\n".join(page.locator(".panel .formula").evaluate_all("all => all.map(one => one.dataset.tex)"))


def column(*numbers: str) -> str:
    return r"\begin{pmatrix}" + r"\\".join(numbers) + r"\end{pmatrix}"


def test_an_equation_is_not_cut_at_an_equals_sign_in_brackets(page: Page) -> None:
    nodes = [
        {"name": "filled", "kind": "masked_fill", "inputs": ["x", "m"], "config": {"value": 5}},
        {"name": "total", "kind": "sum"},
    ]
    written = equations(
        page, nodes, {"x": {"shape": [3]}, "m": INTEGERS}, {"x": [[1, 2, 3]], "m": [[0, 1, 0]]}
    )
    mask, x, f = column("0", "1", "0"), column("1", "2", "3"), column("1", "5", "3")
    assert rf"= c\,[{{{mask}}} = 1] + {{{x}}} \circ [{{{mask}}} = 0] = {f}" in written


def test_definitions_of_symbols_have_their_numbers(page: Page) -> None:
    nodes = [{"name": "n", "kind": "layer_norm"}, {"name": "top", "kind": "max"}]
    written = equations(page, nodes, {"x": {"shape": [3]}}, {"x": [[1, 2, 4]]})
    x = column("1", "2", "4")
    lines = written.split("\n")
    assert rf"\hat{{x}} = \left({{{x}}} - \overline{{{{{x}}}}}\right) / s" in lines
    assert rf"s = \sqrt{{\operatorname{{var}} {{{x}}} + {{1 \cdot 10^{{-5}}}}}}" in lines
    assert rf"g = {{{column('1', '1', '1')}}} \circ {{{column('0', '0', '1')}}}" in lines


def test_an_embedding_says_which_rows_it_takes(page: Page) -> None:
    nodes = [
        {"name": "e", "kind": "embedding", "config": {"rows": 4, "width": 2}},
        {"name": "total", "kind": "sum"},
    ]
    params = {"e.weight": [[1, 2], [3, 4], [5, 6], [7, 8]]}
    written = equations(page, nodes, {"w": INTEGERS}, {"w": [[3, 1, 3]]}, params)
    assert r"= \text{weight}_{3,\,1,\,3} = \begin{pmatrix}7&8\\3&4\\7&8\end{pmatrix}" in written
    row = rf"{{{column('1', '1')}}}^{{\top}}"
    assert rf"= e_{{{{3}}}}\,{row} + e_{{{{1}}}}\,{row} + e_{{{{3}}}}\,{row}" in written


@pytest.mark.parametrize(
    ("shape", "data", "expected"),
    [
        ([], (1.5, 1.0), r"= \max(0,\, {2} - {1.5} + {1}) = 1.5"),
        ([2], ([1.5, 0], [1, -3]), r"= \max(0,\, {2} - {1.5} + {1}) + \max(0,\, {2} - {0} + {(-3)}) = 1.5"),
    ],
)
def test_a_margin_is_a_number(page: Page, shape: list[int], data: tuple[Any, Any], expected: str) -> None:
    nodes = [{"name": "l", "kind": "max_margin", "inputs": ["a", "b"], "config": {"margin": 2}}]
    written = equations(
        page, nodes, {"a": {"shape": shape}, "b": {"shape": shape}}, {"a": [data[0]], "b": [data[1]]}
    )
    assert expected in written.split("\n")


def test_a_long_sum_over_places_has_its_result_alone(page: Page) -> None:
    nodes = [{"name": "l", "kind": "max_margin", "inputs": ["a", "b"]}]
    inputs = {"a": {"shape": [7]}, "b": {"shape": [7]}}
    assert "\n= 7\n" in equations(page, nodes, inputs, {"a": [[0] * 7], "b": [[0] * 7]})

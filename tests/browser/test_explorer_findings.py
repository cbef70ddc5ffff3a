"""What the page makes of numbers: dead, saturated, nothing arriving."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def found(page: Page, kind: str, numbers: list[float], **config: Any) -> dict[str, str]:
    """The findings of numbers, plus 0, through one layer to their sum."""
    explorer = Explorer(page, "example=circuit")
    explorer.tab("Edit")
    shape = [len(numbers)]
    network = {
        "inputs": {"x": {"shape": shape}, "zero": {"shape": shape}},
        "nodes": [
            {"name": "moved", "kind": "add", "inputs": ["x", "zero"]},
            {"name": "layer", "kind": kind, "inputs": ["moved"], "config": config},
            {"name": "total", "kind": "sum", "inputs": ["layer"]},
        ],
    }
    data = {"x": [numbers], "zero": [[0] * len(numbers)]}
    page.locator(".editor textarea").fill(json.dumps({"network": network, "data": data}))
    page.locator('[data-node="total"]').wait_for()
    explorer.tab("Findings")
    entries = page.locator("[data-finding]")
    names = entries.evaluate_all("all => all.map(one => one.dataset.finding)")
    return dict(zip(names, entries.all_inner_texts(), strict=True))


@pytest.mark.parametrize(
    "kind, numbers, told",
    [
        ("relu", [-0.5, -1, -2, -0.1], {"dead layer": "everywhere", "nothing moved": "It ends in layer"}),
        ("relu", [-50, -30, -20, -90], {"dead layer": "everywhere", "nothing moved": "because it is dead"}),
        ("relu", [-0.5, -1, -2, 3], {"dead layer": "at 3 of 4 numbers"}),
        ("tanh", [30, -40, 25, 50], {"saturated layer": "at most 0", "nothing moved": "it is saturated"}),
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
def test_what_it_is_called(page: Page, kind: str, numbers: list[float], told: dict[str, str]) -> None:
    """A slope of 0 is dead; but far out on a curve, where it is only rounded to 0, saturated."""
    seen = found(page, kind, numbers)
    assert list(seen) == list(told)
    for name, part in told.items():
        assert part in seen[name]


def test_where_nothing_arrives_no_ratio_is_told(page: Page) -> None:
    text = found(page, "relu", [-1, -2])["nothing moved"]
    assert "Nothing arrives at moved: its δ is exactly 0." in text and "times" not in text
    assert page.locator('[data-node="moved"] [data-sign="nothing"]').count() == 1

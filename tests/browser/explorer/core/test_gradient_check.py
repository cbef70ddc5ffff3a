"""The gradient check: a badge beside every red number, and none that passes a wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser


def checked(page: Page, state: str) -> Explorer:
    explorer = Explorer(page, state)
    explorer.tab("Findings")
    page.locator("[data-check]").click()
    page.locator("[data-agree]").wait_for(timeout=60_000)
    return explorer


def badges(page: Page, attribute: str) -> dict[str, str]:
    """Return the badges in the picture by place or edge."""
    texts = page.locator(f".drawing [{attribute}]").evaluate_all(
        "(all, name) => all.map(one => [one.getAttribute(name), one.firstChild.textContent])", attribute
    )
    return dict(texts)


@pytest.mark.parametrize("name", ["fan_out", "flow_graph", "window_classifier", "deep_sigmoid"])
def test_every_red_number_has_a_badge(page: Page, name: str) -> None:
    explorer = checked(page, f"example={name}")
    places, edges = badges(page, "data-badge"), badges(page, "data-edge-badge")
    assert places.keys() == explorer.deltas().keys()
    assert len(edges) == len(explorer.edges())
    for badge in [*places.values(), *edges.values()]:
        sign, difference = badge.split()
        assert sign == "✓" and float(difference.replace("−", "-")) < 1e-9
    assert page.locator(".checked tr.failed").count() == 0
    assert (
        page.locator('[data-agree="true"]')
        .inner_text()
        .startswith(f"All {page.locator('.checked tr').count()} agree with the complex step to")
    )
    assert page.locator("details.each[open]").count() == 0


def test_gradients_of_parameters_have_a_badge(page: Page) -> None:
    checked(page, "example=flow_graph&at=scores")
    for parameter in ("scores.weight", "scores.bias"):
        badge = page.locator(f'.panel [data-badge="params/{parameter}"]')
        assert badge.inner_text().startswith("✓")


def test_a_path_is_checked_by_itself(page: Page) -> None:
    """Each of the two that meet at x has a row of its own."""
    explorer = checked(page, "example=fan_out&at=x")
    text = page.locator(".checked").text_content() or ""
    assert "f → x" in text and "s → x" in text and "δ s" in text
    assert page.locator('.panel .terms [data-badge^="edges/x→"]').count() == 2
    explorer.at(4)  # the sum is not finished: nothing to say yes to
    assert "x" not in badges(page, "data-badge")


def test_a_wrong_number_fails(page: Page) -> None:
    def off_by_a_little(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        for step in body.get("trace", {}).get("backward", []):
            for sent in step["sends"]:
                if (step["node"], sent["to"]) == ("f", "x"):
                    sent["delta"]["numbers"][0] += 1e-6
        route.fulfill(response=answer, json=body)

    page.route("**/v1/gradients", off_by_a_little)
    checked(page, "example=fan_out&at=x")
    edges = badges(page, "data-edge-badge")
    assert edges["x→f/1"].startswith("✗") and edges["x→s/0"].startswith("✓")
    assert badges(page, "data-badge")["x"].startswith("✗")
    assert page.locator('[data-agree="false"]').inner_text().startswith("2 of ")
    failed = page.locator(".checked tr.failed").all_inner_texts()  # and the table is unfolded
    assert len(failed) == 2

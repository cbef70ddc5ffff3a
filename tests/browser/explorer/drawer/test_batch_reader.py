"""Batches from elsewhere: tables and JSON, pasted and from files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def opened(page: Page, state: str) -> None:
    Explorer(page, state)
    page.locator(".batch summary").click()


def outcome(page: Page) -> tuple[str, str]:
    """Return "read" or "wrong", and the text beside the field."""
    note = page.locator("[data-batch]")
    note.wait_for()
    return note.get_attribute("data-batch") or "", note.inner_text()


def pasted(page: Page, text: str) -> tuple[str, str]:
    page.locator("[data-paste]").fill(text)
    return outcome(page)


def data(page: Page) -> dict[str, list[object]]:
    """Return the data of the request in the editor."""
    page.get_by_role("tab", name="Edit").click()
    return dict(json.loads(page.locator(".editor textarea").input_value())["data"])


@pytest.mark.parametrize(
    "text",
    [
        "x[0],x[1],y\n0.5,-1,1\n2,1e-3,0\n",
        'y,"x[1]","x[0]"\n1,-1,0.5\n0,0.001,2',
        "0.5,-1,1\r\n2,1e-3,0\r\n\r\n",
        "\ufefflength\twidth\tclass\n0.5\t-1\t1\n2\t0.001\t0",
        "0,5;-1;1\n2;0,001;0",
        '{"x": [[0.5, -1], [2, 0.001]], "y": [1, 0]}',
        '{"data": {"x": [[0.5, -1], [2, 0.001]], "y": [1, 0]}}',
        '[{"x": [0.5, -1], "y": 1}, {"x": [2, 0.001], "y": 0}]',
    ],
)
def test_a_batch_is_read(page: Page, text: str) -> None:
    opened(page, "example=moons")
    assert pasted(page, text) == ("read", "2 examples read")
    page.locator("select.example option", has_text="1 / 2").wait_for(state="attached")
    page.get_by_role("tab", name="Edit").click()  # which has it when it has been answered
    page.wait_for_function(
        "() => JSON.parse(document.querySelector('.editor textarea').value).data.y.length === 2"
    )
    assert data(page) == {"x": [[0.5, -1], [2, 0.001]], "y": [1, 0]}


@pytest.mark.parametrize(
    "text, wrong",
    [
        ("0.5,-1,1\n2,a,0", "Line 2, column 2: 'a' is not a number."),
        (
            "1,2,0\n1,2,9007199254740993",
            "Line 2, column 3: 9007199254740993 is too large to be kept exactly.",
        ),
        ('{"x": [[1, 2]], "y": [9007199254740993]}', "y/0 is or has 9007199254740993, which"),
        ("x[0],x[1],y\n1,2,3\n\n4,5", "Line 4: expected 3 columns, got 2."),
        ("1,2\n3,4", "Line 1: expected 3 columns (x[0], x[1], y), got 2."),
        ("\n\n1,2\n3,4,5", "Line 3: expected 3 columns (x[0], x[1], y), got 2."),
        ("x[0],x[1],y", "It contains no example."),
        ("a,b,y\n1,2,3", "unknown columns a, b; missing x[0], x[1]"),
        ("a,b\n1,2", "unknown columns a, b; missing x[0], x[1], y"),
        ('{"x": [[1, 2]],\n  "y": [0]]}', "Line 2: not JSON"),
        ('[{"x": [1, 2], "y": 0}, {"x": [1, 2]}]', "Example 2 has no y."),
    ],
)
def test_a_fault_names_its_line(page: Page, text: str, wrong: str) -> None:
    opened(page, "example=moons")
    state, said = pasted(page, text)
    assert state == "wrong" and said.startswith(wrong), said
    assert page.locator("select.example option").count() == 80  # the batch stays


def test_a_file_with_shared_inputs_and_matrices(page: Page) -> None:
    """Shared inputs have no rows; an array takes its numbers row by row."""
    opened(page, "example=circuit")
    network = {
        "inputs": {"m": {"shape": [2, 2]}, "k": {"shape": [], "shared": True}, "s": {"shape": []}},
        "nodes": [
            {"name": "t", "kind": "sum", "inputs": ["m"]},
            {"name": "p", "kind": "multiply", "inputs": ["t", "k"]},
            {"name": "f", "kind": "multiply", "inputs": ["p", "s"]},
        ],
    }
    page.get_by_role("tab", name="Edit").click()
    first = {"m": [[[0, 0], [0, 0]]], "k": 3, "s": [1]}
    page.locator(".editor textarea").fill(json.dumps({"network": network, "data": first}))
    page.locator('[data-node="p"]').wait_for()
    page.get_by_role("tab", name="Inputs").click()
    page.locator(".batch summary").click()
    page.locator("[data-upload]").set_input_files(
        {"name": "batch.csv", "mimeType": "text/csv", "buffer": b"1,2,3,4,10\n5,6,7,8,20\n"}
    )
    assert outcome(page) == ("read", "2 examples read from batch.csv")
    note, frame = page.locator("[data-batch]").bounding_box(), page.locator(".content").bounding_box()
    assert note and frame and frame["y"] <= note["y"]
    # Without scrolling; browsers scroll by whole pixels.
    assert note["y"] + note["height"] <= frame["y"] + frame["height"] + 1
    page.locator('[data-value="f"] text', has_text="300").wait_for()
    assert data(page) == {"m": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]], "k": 3, "s": [10, 20]}


def test_the_inputs_stay_after_a_batch_that_the_service_refuses(page: Page, faults: list[str]) -> None:
    opened(page, "example=moons")
    page.locator("[data-paste]").fill('{"x": 5}')
    page.locator(".refused").wait_for()
    assert faults and all("422" in fault for fault in faults)
    faults.clear()
    page.locator('[data-input="x"]').fill("[9, 9]")
    page.locator(".refused").wait_for(state="detached")
    assert page.locator("select.example option").count() == 80

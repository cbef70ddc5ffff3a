"""How a predicted number is judged, and which mistakes are recognised."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

MISTAKES = [["upstream", 2.0], ["local", 5.0], ["part", 7.0], ["decay", 9.5]]

CASES = [
    (10.0, 10.0, "right", None),
    (0.1966, 0.2, "right", None),  # two digits, as the picture has them
    (0.1949, 0.195, "right", None),  # rounded to 0.19 and 0.20
    (0.1966, 0.19, "close", None),
    (0.1966, 0.22, "wrong", None),
    (1234.0, 1200.0, "right", None),
    (1234.0, 1300.0, "close", None),
    (-4.0, 4.0, "wrong", "sign"),
    (-0.1966, 0.2, "wrong", "sign"),
    (10.0, 2.0, "wrong", "upstream"),
    (10.0, 5.0, "wrong", "local"),
    (10.0, 7.0, "wrong", "part"),
    (10.0, 9.5, "wrong", "decay"),  # a mistake comes before what is close
    (2.0, 2.0, "right", None),  # the local gradient is 1: nothing was forgotten
    (0.0, 0.0, "right", None),
    (0.0, 0.1, "wrong", None),
    (3e-9, 3.04e-9, "right", None),
    (3e-9, 0.0, "wrong", None),
]


def test_verdicts(page: Page) -> None:
    Explorer(page, "example=circuit")
    asked = [[{"truth": truth, "mistakes": MISTAKES}, guess] for truth, guess, *_ in CASES]
    found = page.evaluate(
        f"""import('/explorer/core/predictions/verdict.js').then(({{ verdictOn }}) =>
          {json.dumps(asked)}.map(([question, guess]) => verdictOn(question, guess)))"""
    )
    expected = [{"grade": grade, "mistake": mistake} for *_, grade, mistake in CASES]
    for case, one, other in zip(CASES, found, expected, strict=True):
        assert one == other, case


def test_numbers_are_read_as_people_write_them(page: Page) -> None:
    Explorer(page, "example=circuit")
    texts = ["−0.25", " -0,25 ", "1e-3", ".5", "", "one", "1 2"]
    found = page.evaluate(
        f"""import('/explorer/core/predictions/verdict.js').then(({{ readNumber }}) =>
          {json.dumps(texts)}.map(readNumber).map((one) => (Number.isNaN(one) ? null : one)))"""
    )
    assert found == [-0.25, -0.25, 1e-3, 0.5, None, None, None]

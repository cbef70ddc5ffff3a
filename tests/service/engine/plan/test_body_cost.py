"""The memory of bodies beside their arrays: for each number, and for each list that numbers are in."""

from __future__ import annotations

import json

import numpy as np
import pytest

from deltawire_service.engine.plan.body_cost import NO_BODY_COST, BodyCost, count_lists, count_numbers

SHAPES = [(3, 4, 5), (7,), (2, 1)]


@pytest.mark.parametrize("shape", [(3, 4, 5), (7,), (2, 1), (1, 1, 1), (6, 1, 1)])
def test_lists_are_counted_as_json_has_them(shape: tuple[int, ...]) -> None:
    text = json.dumps(np.zeros(shape, int).tolist())
    assert count_lists([shape]) == text.count("[")
    assert count_numbers([shape]) == text.count("0")


def test_a_body_costs_by_its_numbers_and_its_lists() -> None:
    cost = BodyCost(read_number=10, read_list=100, written_number=3, written_list=7)
    numbers, lists = 60 + 7 + 2, 1 + 3 + 12 + 1 + 1 + 2
    assert cost.read_bytes(SHAPES) == 10 * numbers + 100 * lists
    assert cost.written_bytes(SHAPES) == 3 * numbers + 7 * lists
    assert NO_BODY_COST.read_bytes(SHAPES) == NO_BODY_COST.written_bytes(SHAPES) == 0

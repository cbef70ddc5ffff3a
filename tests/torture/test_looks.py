"""The layers look at the deadline often enough, with examples that are eight times smaller."""

from __future__ import annotations

import pytest
from torture.looks import CASES, MOST_SECONDS, SHORT, Case, longest_look

CHOSEN = [case for case in CASES if case.kind in ("gelu", "linear", "conv1d", "lstm")]


@pytest.mark.parametrize("case", CHOSEN, ids=lambda case: case.kind)
def test_a_layer_looks_at_the_deadline_all_the_time(case: Case) -> None:
    assert longest_look(case, SHORT) < MOST_SECONDS

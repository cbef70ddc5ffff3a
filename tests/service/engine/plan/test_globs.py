"""Globs of names: those that fnmatch finds, in a time that does not grow with unknown or equal ones."""

from __future__ import annotations

from fnmatch import fnmatchcase
from math import inf
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltawire_layers import DeadlineExceeded, call_until
from deltawire_service.engine.plan.globs import match_globs

TEXTS = st.text("ab.*?[]!", max_size=5)


@given(st.lists(TEXTS, max_size=8), st.lists(TEXTS, max_size=8))
def test_names_match_as_fnmatch_has_it(globs: list[str], names: list[str]) -> None:
    matched, unmatched = match_globs(globs, names)
    assert matched == {name for name in names if any(fnmatchcase(name, glob) for glob in globs)}
    assert unmatched == [
        place for place, glob in enumerate(globs) if not any(fnmatchcase(name, glob) for name in names)
    ]


def test_thousands_of_globs_take_a_moment() -> None:
    """They took 20 s, with two thousand names."""
    names = [f"node{number}.weight" for number in range(2000)]
    globs = [f"node{number}.w*" for number in range(1000)] + names[1000:]
    started = process_time()
    matched, unmatched = match_globs(globs, names)
    assert process_time() - started < 2
    assert matched == set(names) and unmatched == []


def test_matching_ends_at_the_deadline() -> None:
    with pytest.raises(DeadlineExceeded):
        call_until(-inf, lambda: match_globs(["a*"], ["ab"]))

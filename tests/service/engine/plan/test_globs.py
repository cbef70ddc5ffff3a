"""Globs of names: those that fnmatch finds, in a time that does not grow with unknown or equal ones."""

from __future__ import annotations

from fnmatch import fnmatchcase
from math import inf
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deltawire_layers import DeadlineExceeded, call_until
from deltawire_service.engine.plan.globs import match_globs

TEXTS = st.text("ab.*?[]!", max_size=5) | st.text("az-^!\\&~|\n\0é\U0001f600\ud800", max_size=5)
CLASSES = st.builds("{}[{}]{}".format, TEXTS, st.text("abz-!]^[\\", max_size=10), TEXTS)


@given(st.lists(TEXTS | CLASSES, max_size=8), st.lists(TEXTS, max_size=8))
@example(
    ["[]--!--a]", "[z-a!-c]", "[z-a!]", "[!-a]", "[!z-a]", "[]-a]", "[a-]", "[--a]", "[z-a]"], [*"abc!-]["]
)
@example(["[]", "[!]", "[!]]", "[]]", "[[]", "a[", "[a", "*[*", "[a-cx-z]?**"], ["[]", "]", "a[", "ax", ""])
def test_names_match_as_fnmatch_has_it(globs: list[str], names: list[str]) -> None:
    matched, unmatched = match_globs(globs, names)
    assert matched == {name for name in names if any(fnmatchcase(name, glob) for glob in globs)}
    assert unmatched == [
        place for place, glob in enumerate(globs) if not any(fnmatchcase(name, glob) for name in names)
    ]


@pytest.mark.parametrize(
    "glob", ["*a*b*c*{}*", "*weight*{}", "*?*?*?*?*?*{}", "*[a-hj-z]*[e-gi-k]*{}", "[n{0}]ode*.[!b{0}]*"]
)
@pytest.mark.parametrize("count", [2, 1280])
def test_each_glob_takes_microseconds(glob: str, count: int) -> None:
    """A regular expression took 50 µs to compile for each, and 0.4 µs for each name."""
    names = [f"node{number}.{name}" for number in range(count // 2) for name in ("weight", "bias")]
    globs = [glob.format(number) for number in range(1900)]
    started = process_time()
    match_globs(globs, names)
    assert process_time() - started < (0.06 if count == 2 else 0.3)


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

"""Values in messages: short, and in JSON's words."""

from __future__ import annotations

from typing import Any

import pytest

from deltawire_plugins.shown import MOST_CHARACTERS, shown


@pytest.mark.parametrize(
    "value, text",
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (1, "1"),
        (1.5, "1.5"),
        ("a", "'a'"),
        ("None", "'None'"),
        ("\n", "'\\n'"),
        ([None, [True, "a"]], "[null, [true, 'a']]"),
        ({"a": None, "b": {"c": False}}, "{'a': null, 'b': {'c': false}}"),
    ],
)
def test_a_value_is_shown_in_words_of_json(value: Any, text: str) -> None:
    assert shown(value) == text


def test_a_long_value_is_cut() -> None:
    for value in ("a" * 10**6, list(range(10**5)), [["a" * 50] * 50] * 50):
        assert len(shown(value)) <= MOST_CHARACTERS + 1

"""Texts become numbers and come back; windows are a piece apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltawire_service.cli.demos.vocabulary import Vocabulary, windows

TEXT = "the class of the object is the class that the method has, and the object is it. __init__ too\n\n"


@given(st.text(sorted(set(TEXT)), max_size=60), st.integers(len(set(TEXT)), 60))
def test_every_text_of_its_characters_comes_back(text: str, size: int) -> None:
    vocabulary = Vocabulary(TEXT, size)
    numbers = vocabulary.numbers(text)
    assert vocabulary.text(numbers) == text
    assert numbers.dtype == np.int64 and all(0 <= number < len(vocabulary) for number in numbers)


def test_the_most_frequent_words_have_one_number_and_others_are_spelled() -> None:
    vocabulary = Vocabulary(TEXT, len(set(TEXT)) + 2)
    assert vocabulary.pieces[-2:] == [" the", " class"] and len(vocabulary) == len(set(TEXT)) + 2
    assert [vocabulary.text([number]) for number in vocabulary.numbers(" the it class")] == [
        " the", " ", "i", "t", " class",
    ]  # fmt: skip


def test_a_character_that_is_not_there_is_refused() -> None:
    with pytest.raises(KeyError, match="!"):
        Vocabulary("abc", 3).numbers("a!")


def test_windows_are_beside_the_same_a_piece_later() -> None:
    parts = windows(np.arange(10), 4, 3)
    np.testing.assert_array_equal(parts["text"], [[0, 1, 2, 3], [3, 4, 5, 6]])
    np.testing.assert_array_equal(parts["next"], parts["text"] + 1)

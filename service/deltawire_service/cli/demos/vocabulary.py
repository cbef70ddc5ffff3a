"""Texts as numbers: frequent words have one number each, other words are spelled."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np

from deltawire.wire import Array

PIECE = re.compile(r' ?(?:"[^" ]+"|\*\w+\*|\w+)|.', re.DOTALL)
"""A word, also in quotation marks or asterisks, with the space before it; or any other character."""


class Vocabulary:
    """Numbers the characters and the most frequent words of a text.

    Args:
        text: Has every character that can be numbered.
        size: Numbers in all.
    """

    def __init__(self, text: str, size: int):
        characters = sorted(set(text))
        words = Counter(piece for piece in PIECE.findall(text) if len(piece) > 1)
        self.pieces = characters + [word for word, _ in words.most_common(size - len(characters))]
        self._numbers = {piece: number for number, piece in enumerate(self.pieces)}

    def __len__(self) -> int:
        return len(self.pieces)

    def numbers(self, text: str) -> Array:
        """Return the numbers of a text, (pieces,)."""
        pieces = (
            piece for word in PIECE.findall(text) for piece in ([word] if word in self._numbers else word)
        )
        return np.array([self._numbers[piece] for piece in pieces], np.int64)

    def text(self, numbers: Iterable[int]) -> str:
        """Return the text of such numbers."""
        return "".join(self.pieces[number] for number in numbers)


def windows(numbers: Array, length: int, stride: int) -> dict[str, Array]:
    """Return parts of a text, each beside the same one a piece later.

    Args:
        numbers: Of the text, (pieces,).
        length: Pieces of a part.
        stride: Pieces from the beginning of one part to that of the next.

    Returns:
        `text` and `next`, (parts, length) each.
    """
    parts = np.lib.stride_tricks.sliding_window_view(numbers, length + 1)[::stride]
    return {"text": parts[:, :-1].copy(), "next": parts[:, 1:].copy()}

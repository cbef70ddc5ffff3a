"""The texts of categories: how many a table may have, and how long they may be."""

from __future__ import annotations

from collections.abc import Collection

MOST_CATEGORIES = 10_000
"""Different texts of a column."""

MOST_TEXTS = 100_000
"""Different texts of all columns together."""

LONGEST_TEXT = 256
"""Characters of a category. A column with a longer number has no categories, so its cells are not held."""

MOST_CHARACTERS = 2**21
"""Characters of all texts together: every request that opens the dataset reads them."""


class HeldTexts:
    """Counts the different texts of all columns of a table."""

    def __init__(self) -> None:
        self._texts = self._characters = 0

    def add(self, texts: Collection[str], in_column: int) -> str:
        """Count texts that are new to their column. Return the bound that they break, in words, or nothing.

        Args:
            texts: the texts.
            in_column: how many their column has, with these.
        """
        self._texts += len(texts)
        self._characters += sum(map(len, texts))
        if in_column > MOST_CATEGORIES or self._texts > MOST_TEXTS:
            return f"too many different texts: at most {MOST_CATEGORIES} in a column, {MOST_TEXTS} in all"
        if self._characters > MOST_CHARACTERS:
            return f"too long texts: at most {MOST_CHARACTERS} characters in all categories of the table"
        return ""

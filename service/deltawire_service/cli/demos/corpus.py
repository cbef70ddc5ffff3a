"""Prose that comes with every Python: the reference of the language, as `help("for")` prints it."""

from __future__ import annotations

import re

NO_PROSE = re.compile(r"^\s|[*=\-~]{4}|::=", re.MULTILINE)
"""In a paragraph: code, a list or a table, the line below a heading, or a rule of the grammar."""

IN_ASCII = str.maketrans("‘’“”–", "''\"\"-")


def prose() -> list[str]:
    """Return the paragraphs of the reference that are sentences in ASCII: one line each, without repeats."""
    from pydoc_data.topics import topics  # 450 kB that other commands do not need

    paragraphs = (part.translate(IN_ASCII) for name in sorted(topics) for part in topics[name].split("\n\n"))
    return [*dict.fromkeys(" ".join(part.split()) for part in paragraphs if _is_prose(part))]


def _is_prose(paragraph: str) -> bool:
    return paragraph.isascii() and paragraph.endswith((".", ":")) and not NO_PROSE.search(paragraph)

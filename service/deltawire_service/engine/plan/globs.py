"""Globs of names: each is read once, and those without wildcards are looked up instead of matched."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from fnmatch import translate

from deltawire_layers import check_deadline

WILDCARD = re.compile(r"[*?[]")


def match_globs(globs: Sequence[str], names: Collection[str]) -> tuple[frozenset[str], list[int]]:
    """Return the names that match any glob, and the places of the globs that match none.

    Args:
        globs: patterns as of fnmatch, case-sensitive.
        names: the names.

    Raises:
        DeadlineExceeded: the deadline passed before the last glob was matched.
    """
    known, matched, unmatched = set(names), set[str](), list[int]()
    seen: dict[str, bool] = {}
    for place, glob in enumerate(globs):
        if glob not in seen:
            check_deadline()
            if WILDCARD.search(glob):
                matches = re.compile(translate(glob)).match
                found = {name for name in names if matches(name)}
            else:
                found = {glob} & known
            matched |= found
            seen[glob] = bool(found)
        if not seen[glob]:
            unmatched.append(place)
    return frozenset(matched), unmatched

"""Globs of names, as fnmatch has them. Thousands of them, and of names, take milliseconds.

Compiling one as a regular expression would take 50 µs, and matching all names with it longer still.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from deltawire_layers import check_deadline
from deltawire_service.engine.plan.name_places import NamePlaces

WILDCARD = re.compile(r"[*?[]")

CLASS = re.compile(r"\[!?+\]?+[^]]*\]")

RANGE = re.compile("(.)-(.)", re.DOTALL)
"""A range in a class."""


def match_globs(globs: Sequence[str], names: Collection[str]) -> tuple[frozenset[str], list[int]]:
    """Return the names that match any glob, and the places of the globs that match none.

    Args:
        globs: patterns as of fnmatch, case-sensitive.
        names: the names.

    Raises:
        DeadlineExceeded: the deadline passed before the last glob was matched.
    """
    plain = set(names).intersection(glob for glob in globs if not WILDCARD.search(glob))
    matched, ends = frozenset(plain), dict.fromkeys(filter(WILDCARD.search, globs), 0)
    if ends:
        places, all_ends = NamePlaces([*names]), 0
        for glob in ends:
            check_deadline()
            ends[glob] = _ends(glob, places)
            all_ends |= ends[glob]
        matched |= places.names_at(all_ends)
    return matched, [place for place, glob in enumerate(globs) if not (ends.get(glob) or glob in plain)]


def _ends(glob: str, places: NamePlaces) -> int:
    """Return where the names end that a glob matches."""
    at, next_one = places.starts, 0
    while at and next_one < len(glob):
        letter = glob[next_one]
        next_one += 1
        if letter == "*":
            if glob[next_one : next_one + 1] != "*":
                at = places.onward(at)
            continue
        if letter == "?":
            letters = places.letters
        elif letter == "[" and (match := CLASS.match(glob, next_one - 1)):
            letters = _class(match[0][1:-1], places)
            next_one = match.end()
        else:
            letters = places[letter]
        at = (at & letters) << 1
    return at & places.ends


def _class(inside: str, places: NamePlaces) -> int:
    """Return the places of the letters of a class; inside: what stands between its brackets."""
    negated, found, rest = inside[0] == "!", 0, inside
    if negated:
        rest = inside[1:]
    if "-" in rest:
        begin = 0 if negated else _end_of_empty_ranges(rest)
        if begin and rest.startswith("!", begin):  # what is left begins with it, so fnmatch negates it
            negated, begin = True, begin + 1
            if match := RANGE.match(rest, begin - 1):  # and takes the hyphen of a range from ! for a letter
                found, begin = places["-"] | places[match[2]], match.end()
        parts = RANGE.split(rest[begin:])
        for first, last in {*zip(parts[1::3], parts[2::3], strict=True)}:
            if first <= last:
                found |= places.between(first, last)
        rest = "".join(parts[::3])
    for letter in rest:
        found |= places[letter]
    return places.letters ^ found if negated else found


def _end_of_empty_ranges(inside: str) -> int:
    """Return where the empty ranges end that a class begins with."""
    end = 0
    while (match := RANGE.match(inside, end)) and match[1] > match[2]:
        end = match.end()
    return end

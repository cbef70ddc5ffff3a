"""Import the entries of a suite of other people's networks, and keep each one's verdict in a file.

`verdicts/<suite>.json` has the verdict of every entry:

- `right`: all numbers of the import agree with the original's;
- `refused: …`: the importer names an operation that it cannot express;
- `outside: …`: the documented scope of the suite leaves the entry out.

No entry may be wrong, and an entry that is right there may not become refused.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from deltawire import Refused

FOLDER = Path(__file__).parent / "verdicts"

LONGEST = 160
"""Characters of a verdict, so that a file can be read."""

RIGHT = "right"

Entry = Callable[[], str]
"""Imports a network, and returns how it differs from its original: "" for no difference.

Raises Refused when the importer refuses it, and Outside when it is not in the suite's scope.
"""


class Outside(Exception):
    """An entry that the suite's documented scope leaves out."""


class Suite(NamedTuple):
    """Networks of one source.

    Args:
        name: The name of its file of verdicts.
        entries: Returns its entries by name.
    """

    name: str
    entries: Callable[[], Mapping[str, Entry]]

    def verdict(self, name: str) -> str:
        """Return the verdict of an entry; any exception but those of an entry makes it wrong."""
        try:
            with _others_warnings():
                difference = self.entries()[name]()
        except Refused as error:
            return _short(f"refused: {error.faults[0].detail}")
        except Outside as error:
            return _short(f"outside: {error}")
        except Exception as error:  # a crash of the importer; the rest of the suite is still tried
            return _short(f"wrong: {type(error).__name__}: {error}")
        return _short(f"wrong: {difference}") if difference else RIGHT

    def check(self, name: str) -> None:
        """Hold the verdict of an entry against the file: a loss fails; another change is expected to fail."""
        before, now = recorded(self.name).get(name, "not in the file"), self.verdict(name)
        if is_loss(before, now):
            pytest.fail(f"{name}: {before}; now {now}")
        if before != now:
            pytest.xfail(f"{name}: {before}; now {now}: update the file by `{command(self.name)}`")

    def check_names(self) -> None:
        """Check that the file has a verdict for every entry, and for no other."""
        with _others_warnings():
            entries = self.entries()
        assert recorded(self.name).keys() == entries.keys(), f"write it by `{command(self.name)}`"


@contextmanager
def _others_warnings() -> Iterator[None]:
    """Leave the warnings of other packages to them; pytest makes errors of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def is_loss(before: str, now: str) -> bool:
    """Return True when an entry is wrong, or was right and is so no more."""
    return now.startswith("wrong") or (before == RIGHT and now != RIGHT)


@cache
def recorded(suite: str) -> dict[str, str]:
    """Return the verdicts in a suite's file, by entry; none when there is no file yet."""
    file = FOLDER / f"{suite}.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


def write(suite: str, verdicts: Mapping[str, str]) -> None:
    """Write the verdicts of a suite to its file."""
    (FOLDER / f"{suite}.json").write_text(json.dumps(verdicts, indent=1, ensure_ascii=False) + "\n")


def command(suite: str) -> str:
    """Return the command that writes a suite's file."""
    return f"PYTHONPATH=tests .venv-suites/bin/python -m suites.rewrite {suite}"


def _short(verdict: str) -> str:
    line = " ".join(verdict.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"

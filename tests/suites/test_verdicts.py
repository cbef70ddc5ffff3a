"""What a verdict is, when a change of one fails, and that the table of the docs counts the files."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from pathlib import Path

import pytest
from suites import rewrite, verdicts
from suites.verdicts import FOLDER, Outside, Suite, is_loss, recorded

from deltawire import Fault, Refused

PAGE = Path(__file__).parents[2] / "docs" / "importers.md"
SUITES = sorted(file.stem for file in FOLDER.glob("*.json"))


def refused() -> str:
    raise Refused([Fault("", "not_expressible", "head (topk):\n no layer does this")])


def outside() -> str:
    raise Outside("has no batch")


def crashed() -> str:
    raise KeyError("weight")


MADE_UP = Suite(
    "made_up",
    lambda: {
        "good": lambda: "",
        "bad": lambda: "the value of output 0 is off by 0.1",
        "refused": refused,
        "outside": outside,
        "crashed": crashed,
    },
)


@pytest.mark.parametrize(
    "name, verdict",
    [
        ("good", "right"),
        ("bad", "wrong: the value of output 0 is off by 0.1"),
        ("refused", "refused: head (topk): no layer does this"),
        ("outside", "outside: has no batch"),
        ("crashed", "wrong: KeyError: 'weight'"),
    ],
)
def test_verdicts(name: str, verdict: str) -> None:
    assert MADE_UP.verdict(name) == verdict


@pytest.mark.parametrize(
    "before, now, loss",
    [
        ("right", "right", False),
        ("right", "refused: a", True),
        ("right", "outside: a", True),
        ("refused: a", "refused: b", False),
        ("refused: a", "right", False),
        ("refused: a", "wrong: b", True),
        ("right", "wrong: b", True),
    ],
)
def test_losses(before: str, now: str, loss: bool) -> None:
    assert is_loss(before, now) is loss


def test_a_loss_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict.fromkeys(("good", "refused", "bad"), "right")
    monkeypatch.setattr(verdicts, "recorded", lambda suite: before)
    MADE_UP.check("good")
    for name in ("refused", "bad"):
        with pytest.raises(pytest.fail.Exception, match=f"{name}: right; now"):
            MADE_UP.check(name)


def test_a_gain_asks_for_the_file_to_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "recorded", lambda suite: {"good": "refused: a", "refused": "refused: a"})
    for name in ("good", "refused"):
        with pytest.raises(pytest.xfail.Exception, match="update the file by `.*rewrite made_up`"):
            MADE_UP.check(name)


def test_a_file_with_a_loss_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    written: dict[str, dict[str, str]] = {}
    monkeypatch.setattr(rewrite, "write", written.__setitem__)
    assert rewrite.rewritten(MADE_UP) == [
        "bad: new; now wrong: the value of output 0 is off by 0.1",
        "crashed: new; now wrong: KeyError: 'weight'",
    ]
    assert not written
    without = {name: entry for name, entry in MADE_UP.entries().items() if name not in ("bad", "crashed")}
    assert not rewrite.rewritten(Suite("made_up", lambda: without))
    assert list(written["made_up"]) == ["good", "refused", "outside"]


@pytest.mark.parametrize("suite", SUITES)
def test_no_entry_is_wrong(suite: str) -> None:
    assert not [name for name, verdict in recorded(suite).items() if verdict.startswith("wrong")]


@pytest.mark.parametrize("suite", SUITES)
def test_the_table_of_the_docs_counts_the_file(suite: str) -> None:
    counts = Counter(verdict.partition(":")[0] for verdict in recorded(suite).values())
    link = re.escape(f"(../tests/suites/verdicts/{suite}.json)")
    row = re.search(rf"^\|.*{link}.*\|$", PAGE.read_text(), re.MULTILINE)
    assert row, f"docs/importers.md has no row for {suite}"
    cells = [cell.strip() for cell in row[0].strip("|").split("|")]
    entries = counts.total()
    expected = [entries, entries - counts["outside"], counts["right"], counts["refused"]]
    assert cells[-4:] == list(map(str, expected))


def test_warnings_of_other_packages_are_no_verdict() -> None:
    def warned() -> str:
        warnings.warn("a kernel is slow", stacklevel=1)
        return ""

    assert Suite("made_up", lambda: {"warned": warned}).verdict("warned") == "right"

"""deltawire datasets list and show."""

from __future__ import annotations

from pathlib import Path

from support.commands import document
from support.console import run

from deltawire_service.cli.outcome import Exit


def test_no_dataset_is_said(table: Path) -> None:
    assert "deltawire datasets upload makes one" in run("datasets", "list").stdout


def test_a_dataset_is_listed_and_shown(table: Path) -> None:
    description = document("datasets", "upload", "shops", "shops.csv")
    (entry,) = document("datasets", "list")["datasets"]
    assert entry.items() <= description.items()
    assert "shops" in run("datasets", "list").stdout
    shown = run("datasets", "show", "shops").stdout
    assert shown.startswith("shops   3 rows, 3 columns, ")
    rows = {line.split()[0]: line for line in shown.splitlines()[5:]}
    assert "2 categories: north, south" in rows["shop"]
    assert rows["price"].split() == ["price", "float64", "2", "0.5", "1.5", "2.5", "1"]
    assert document("datasets", "show", "shops") == description


def test_another_name_is_refused(table: Path) -> None:
    wrong = run("datasets", "show", "shop")
    assert wrong.exit_code == Exit.REFUSED and "dataset_not_found" in wrong.stderr

"""deltawire datasets upload and delete: what the SDK does."""

from __future__ import annotations

from pathlib import Path

from support.commands import document
from support.console import run

from deltawire import Client
from deltawire_service.cli.outcome import Exit


def test_a_table_is_uploaded_and_deleted(table: Path) -> None:
    uploaded = document("datasets", "upload", "shops", "shops.csv")
    assert uploaded == Client(data_dir="data").dataset("shops").describe()
    assert document("datasets", "upload", "shops", "shops.csv", "--key", "again") == uploaded
    deleted = run("datasets", "delete", "shops", "--yes")
    assert deleted.stdout == "deleted shops\n"
    assert document("datasets", "list") == {"datasets": []}


def test_a_file_that_is_no_table_is_refused(table: Path) -> None:
    table.rename("shops.txt")
    for name in ("shops.txt", "none.csv"):
        assert run("datasets", "upload", "shops", name).exit_code == Exit.USAGE
    Path("broken.csv").write_text("a,b\n1\n")
    wrong = run("datasets", "upload", "shops", "broken.csv")
    assert wrong.exit_code == Exit.REFUSED and "line 2" in wrong.stderr


def test_columns_are_named_as_texts(table: Path) -> None:
    Path("codes.csv").write_text("code,y\n192.168.100,1\n")
    assert run("datasets", "upload", "codes", "codes.csv").exit_code == Exit.REFUSED
    columns = document("datasets", "upload", "codes", "codes.csv", "--texts", "code")["columns"]
    assert columns[0]["categories"] == ["192.168.100"]

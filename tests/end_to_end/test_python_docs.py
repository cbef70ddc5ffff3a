"""docs/python.md does what it says, and names everything the client has."""

from __future__ import annotations

import inspect

import pytest
from support.console import ROOT, blocks, without_times

import deltawire
from deltawire import Client

PAGE = ROOT / "docs" / "python.md"


def test_the_snippets_print_what_the_page_says(
    capsys: pytest.CaptureFixture[str], plain_terminal: None
) -> None:
    found = blocks(PAGE)
    assert [block.language for block in found] == ["python", "text"] * (len(found) // 2)
    names: dict[str, object] = {}  # one program, told in pieces
    for code, printed in zip(found[::2], found[1::2], strict=True):
        exec(compile(code.text, str(PAGE), "exec"), names)
        assert without_times(capsys.readouterr().out) == without_times(printed.text)


def test_everything_public_is_named() -> None:
    page = PAGE.read_text()
    for name in deltawire.__all__:
        assert f"`{name}" in page or f"deltawire.{name}`" in page, name
    calls = [name for name, _ in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_")]
    for name in set(calls) - {"call", "close"}:
        assert f"`{name}(" in page, name
    for argument in list(inspect.signature(Client).parameters)[1:]:
        assert f"`{argument}`" in page or f"{argument}=" in page, argument

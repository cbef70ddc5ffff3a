"""docs/write-a-layer.md builds the package in examples/deltawire-swiglu, all of it and nothing else."""

from __future__ import annotations

import sys

import pytest
from support.console import ROOT, blocks, outcome, told

PAGE = ROOT / "docs" / "write-a-layer.md"
PACKAGE = ROOT / "examples" / "deltawire-swiglu"
BLOCKS = blocks(PAGE)


def code(text: str) -> list[str]:
    """The lines of a text, but not the empty ones: between two blocks there is prose."""
    return [line for line in text.splitlines() if line]


@pytest.mark.parametrize("file", ["pyproject.toml", "deltawire_swiglu.py", "test_swiglu.py", "train.py"])
def test_the_blocks_of_a_file_are_the_file(file: str) -> None:
    assert code("".join(block.text for block in BLOCKS if block.file == file)) == code(
        (PACKAGE / file).read_text()
    )


def test_every_file_is_built_and_every_block_belongs_to_one() -> None:
    named = {block.file for block in BLOCKS if block.language in ("python", "toml")}
    assert named | {"README.md"} == {path.name for path in PACKAGE.iterdir() if path.is_file()}
    assert {block.language for block in BLOCKS} == {"python", "toml", "sh", "console", "text"}


def test_the_kit_says_what_the_page_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PACKAGE)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    (shown,) = (block.text for block in BLOCKS if block.language == "console")
    command, output = told(shown)
    assert output.fullmatch(outcome(command))

"""docs/write-a-layer.md builds the package in examples/deltawire-swiglu, all of it and nothing else."""

from __future__ import annotations

import runpy
import sys
from typing import Any

import pytest
from support.console import ROOT, blocks, outcome, told

from deltawire_layers import check_layer

PAGE = ROOT / "docs" / "write-a-layer.md"
PACKAGE = ROOT / "examples" / "deltawire-swiglu"
BLOCKS = blocks(PAGE)


def code(text: str) -> list[str]:
    """The lines of a text, but not the empty ones: between two blocks there is prose."""
    return [line for line in text.splitlines() if line]


FILES = (
    *("pyproject.toml", "deltawire_swiglu.py", "test_swiglu.py", "train.py"),
    *("forward_numpy.py", "forward_jax.py", "forward_torch.py", "test_forward.py"),
)


@pytest.mark.parametrize("file", FILES)
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
    for shown in (block.text for block in BLOCKS if block.language == "console"):
        command, output = told(shown)
        assert output.fullmatch(outcome(command))


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of the example, from which its files import each other."""
    monkeypatch.syspath_prepend(PACKAGE)


def loaded(file: str) -> dict[str, Any]:
    return runpy.run_path(str(PACKAGE / file))


@pytest.mark.usefixtures("package")
def test_the_equations_are_compared_with_the_forward_line() -> None:
    loaded("test_forward.py")["test_the_equations"]()


@pytest.mark.jax
@pytest.mark.usefixtures("package")
def test_the_layer_of_jax_keeps_the_contract() -> None:
    check_layer(loaded("forward_jax.py")["Elman"](), (2, 3))


@pytest.mark.torch
@pytest.mark.usefixtures("package")
def test_the_layers_of_torch_keep_the_contract() -> None:
    layers = loaded("forward_torch.py")
    check_layer(layers["Encoder"](), (2, 8))
    check_layer(layers["Mixer"](hidden=4), (3,))

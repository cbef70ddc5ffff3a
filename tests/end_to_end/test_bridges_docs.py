"""Snippets of the pages about other libraries print what the pages say; the examples do what they are for."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support.console import ROOT, blocks

SNIPPETS = [
    pytest.param("bridges.md", 0, marks=pytest.mark.torch, id="torch bridge"),
    pytest.param("bridges.md", 1, marks=pytest.mark.jax, id="jax bridge"),
    pytest.param("bridges.md", 2, marks=pytest.mark.torch, id="a model in torch"),
    pytest.param("bridges.md", 3, marks=pytest.mark.jax, id="a model in jax"),
    pytest.param("importers.md", 0, marks=pytest.mark.torch, id="torch import"),
    pytest.param("importers.md", 1, marks=pytest.mark.torch, id="a torch module that returns its loss"),
    pytest.param("importers.md", 2, marks=pytest.mark.torch, id="a torch network that learns"),
    pytest.param("importers.md", 3, marks=pytest.mark.onnx, id="ONNX import"),
    pytest.param("importers.md", 4, marks=pytest.mark.onnx, id="ONNX import of an image's size"),
    pytest.param("importers.md", 5, marks=pytest.mark.onnx, id="ONNX import of a speech network"),
    pytest.param("importers.md", 6, marks=pytest.mark.torch, id="torch import checked by a service"),
    pytest.param("importers.md", 7, id="scikit-learn import"),
    pytest.param("importers.md", 8, marks=pytest.mark.suites, id="transformers import"),
    pytest.param("sklearn.md", 0, id="scikit-learn classifier"),
]

EXAMPLES = [
    pytest.param("torch_middle_layer.py", marks=pytest.mark.torch),
    pytest.param("jax_middle_layer.py", marks=pytest.mark.jax),
    pytest.param("onnx_gradients.py", marks=pytest.mark.onnx),
    pytest.param("sklearn_pipeline.py"),
]


def snippets(page: str) -> list[tuple[str, str]]:
    """Code, and what it prints."""
    found = blocks(ROOT / "docs" / page)
    assert [block.language for block in found] == ["python", "text"] * (len(found) // 2)
    return [(code.text, printed.text) for code, printed in zip(found[::2], found[1::2], strict=True)]


@pytest.mark.parametrize("page, place", SNIPPETS)
def test_a_snippet_prints_what_the_page_says(
    page: str, place: int, capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = snippets(page)[place]
    exec(compile(code, page, "exec"), {})
    assert capsys.readouterr().out == printed


def test_every_snippet_is_run() -> None:
    named = [parameter.values for parameter in SNIPPETS]
    pages = {page for page, _ in named}
    assert sorted(named) == sorted((page, place) for page in pages for place in range(len(snippets(page))))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_does_what_it_is_for(name: str) -> None:
    run = subprocess.run(
        [sys.executable, ROOT / "examples" / name], capture_output=True, text=True, timeout=300, cwd=ROOT
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_example_is_run() -> None:
    named = {parameter.values[0] for parameter in EXAMPLES}
    named |= {"several_machines.py", "fine_tune_resnet.py"}  # which tests of their own run
    assert named == {path.name for path in (ROOT / "examples").glob("*.py")}

"""The notebook runs from top to bottom, and shows what is stored in it: texts and pictures."""

from __future__ import annotations

import ast
import json
from contextlib import redirect_stdout
from io import StringIO
from typing import Any
from xml.etree import ElementTree

from support.console import ROOT

NOTEBOOK = ROOT / "examples" / "recipes" / "first_network.ipynb"


def executed(source: str, names: dict[str, Any]) -> list[dict[str, Any]]:
    """The outputs of a cell, as Jupyter stores them: what is printed, and the value of a last expression."""
    tree, printed, value = ast.parse(source), StringIO(), None
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with redirect_stdout(printed):
        exec(compile(tree, str(NOTEBOOK), "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names)
    outputs: list[dict[str, Any]] = []
    if text := printed.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)})
    if value is not None:
        data = {"text/plain": [repr(value)]}
        if hasattr(value, "_repr_html_"):
            data["text/html"] = [value._repr_html_()]
        outputs.append(
            {"output_type": "execute_result", "metadata": {}, "execution_count": None, "data": data}
        )
    return outputs


def cells() -> list[dict[str, Any]]:
    return list(json.loads(NOTEBOOK.read_text())["cells"])


def test_every_cell_shows_what_is_stored() -> None:
    names: dict[str, Any] = {}
    for cell in cells():
        if cell["cell_type"] == "code":
            assert executed("".join(cell["source"]), names) == cell["outputs"], "".join(cell["source"])


def test_it_has_a_picture() -> None:
    data = [output.get("data", {}) for cell in cells() for output in cell.get("outputs", [])]
    (picture,) = ["".join(each["text/html"]) for each in data if "text/html" in each]
    assert ElementTree.fromstring(picture).tag.endswith("svg")

"""Arguments by construction: a translation reads each of its own, or says why it need not."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from deltawire.importers.arguments import UNREAD

TORCH = pytest.param("torch", marks=pytest.mark.torch)
ONNX = pytest.param("onnx", marks=pytest.mark.onnx)


def table(source: str) -> dict[str, Callable[..., Any]]:
    if source == "onnx":
        return dict(import_module("deltawire.importers.onnx.operators").OPERATORS)
    modules = import_module("deltawire.importers.torch_fx.modules").MODULES
    functions = import_module("deltawire.importers.torch_fx.functions").FUNCTIONS
    return functions | {kind.__name__: function for kind, function in modules.items()}


def unread(function: Callable[..., Any]) -> list[str]:
    """The parameters a translation neither reads nor annotates as one of `UNREAD`."""
    definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    body = definition.body  # type: ignore[attr-defined]
    read = {one.id for part in body for one in ast.walk(part) if isinstance(one, ast.Name)}
    parameters = inspect.signature(function, eval_str=True).parameters
    return [
        name
        for name, parameter in parameters.items()
        if name not in read and parameter.annotation not in UNREAD
    ]


@pytest.mark.parametrize("source", [TORCH, ONNX])
def test_every_argument_is_read_or_annotated(source: str) -> None:
    # What gives its input back needs no site; a module without settings is translated by its class alone.
    allowed = {"at", "module", "own"}
    ignored = {name: set(unread(function)) - allowed for name, function in table(source).items()}
    assert {name: names for name, names in ignored.items() if names} == {}


def test_an_argument_that_is_ignored_is_found() -> None:
    def ignoring(at: Any, x: Any, dtype: None = None) -> Any:
        return at.layer("exp", x)

    assert unread(ignoring) == ["dtype"]


@pytest.mark.parametrize("source", [TORCH, ONNX])
def test_every_argument_is_annotated(source: str) -> None:
    bare = {
        name: [p.name for p in inspect.signature(function).parameters.values() if p.annotation is p.empty]
        for name, function in table(source).items()
    }
    assert {name: names for name, names in bare.items() if names} == {}


SYNONYMS = [
    {"index", "indices"}, {"training", "train"}, {"sizes", "chunks"}, {"sizes", "split_size"},
    {"sizes", "split_sizes"}, {"dim0", "axis0"}, {"dim1", "axis1"},
]  # fmt: skip
"""What we and ATen call the same argument, where that is not the same word."""


@pytest.mark.torch
def test_arguments_are_in_the_order_of_aten() -> None:
    """Export gives arguments by position: the names at each place are those of ATen's schema."""
    torch = import_module("torch")
    functions = import_module("deltawire.importers.torch_fx.functions").FUNCTIONS
    by_result = import_module("deltawire.importers.torch_fx.shapes").BY_RESULT
    tried = 0
    for name, function in functions.items():
        plain = name.removeprefix("aten.")
        packet = getattr(torch.ops.aten, plain, None)
        instead = functions.get(f"aten.{plain}", function) if packet is not None else None
        if packet is None or function in by_result or instead is not function:
            continue
        parameters = list(inspect.signature(function).parameters.values())[2:]
        ours = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        for overload in packet.overloads():
            schema = getattr(packet, overload)._schema
            if str(schema.arguments[0].type) not in ("Tensor", "List[Tensor]"):
                continue
            theirs = [one.name for one in schema.arguments if not one.kwarg_only][1:]
            for here, there in zip(ours, theirs, strict=False):
                tried += 1
                same = here == there or {here, there} in SYNONYMS or here in ("a", "b")
                assert same, f"{name}.{overload}: {here} is {there} in ATen"
    assert tried > 100

"""The node tests of the onnx package whose operators docs/importers.md lists as read."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from suites.verdicts import Entry, Outside, Suite, recorded


@cache
def entries() -> dict[str, Entry]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy's, about the numbers some tests are generated from
        from onnx.backend.test.case.node import collect_testcases

        return {case.name: entry(case) for case in sorted(collect_testcases(None), key=lambda one: one.name)}


def entry(case: Any) -> Entry:
    def differs() -> str:
        from suites.onnx_entries import Expected, differs

        if why := outside(case.model):
            raise Outside(why)
        return differs(case.model, [Expected(*pair) for pair in case.data_sets], case.rtol, case.atol)

    return differs


def outside(model: Any) -> str:
    """Return why a test is not in scope; "" when it is."""
    from deltawire.importers.onnx.operators import OPERATORS
    from deltawire.importers.onnx.operators.table import FOLDED

    unread = [node.op_type for node in model.graph.node if node.op_type not in {*OPERATORS, *FOLDED}]
    if unread:
        return f"{unread[0]} is not read"
    if any(node.domain for node in model.graph.node):
        return "has operators of another domain"
    kinds = [list(types(slots)) for slots in (model.graph.input, model.graph.output)]
    odd = {
        kind
        for kind in (*kinds[0], *kinds[1])
        if kind not in ("float32", "float64", "int64", "int32", "bool")
    }
    if odd:
        return f"has numbers of {', '.join(sorted(odd))}"
    if not all(kind.startswith("float") for kind in kinds[1]) or not kinds[0]:
        return "computes integers"
    if not any(kind.startswith("float") for kind in kinds[0]):
        return "computes with integers"
    sizes = [dim.dim_value for slot in model.graph.input for dim in slot.type.tensor_type.shape.dim]
    if 0 in sizes:
        return "has an input without numbers"
    return ""


def types(slots: Any) -> Iterator[str]:
    """Yield the dtypes of inputs or outputs; "no tensor" for sequences and optional values."""
    import onnx

    for slot in slots:
        if not slot.type.HasField("tensor_type"):
            yield "no tensor"
        else:
            yield str(onnx.helper.tensor_dtype_to_np_dtype(slot.type.tensor_type.elem_type))


SUITE = Suite("onnx_nodes", entries)


@pytest.mark.suites
def test_every_test_has_a_verdict() -> None:
    SUITE.check_names()


@pytest.mark.suites
@pytest.mark.parametrize("name", recorded("onnx_nodes"))
def test_a_test_keeps_its_verdict(name: str) -> None:
    SUITE.check(name)

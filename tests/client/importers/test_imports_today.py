"""All of torch's and ONNX's cases: none is imported wrongly, none crashes, none of the list is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.imports_today import faults, onnx_verdicts, recorded, torch_verdicts


@pytest.mark.parametrize(
    "source, verdicts, least",
    [
        pytest.param("torch", torch_verdicts, 482, marks=pytest.mark.torch),
        pytest.param("onnx", onnx_verdicts, 567, marks=pytest.mark.onnx),
    ],
)
def test_the_list_only_grows(
    source: str, verdicts: Callable[[], Iterator[tuple[str, str]]], least: int
) -> None:
    names = recorded()[source]
    assert len(names) >= least
    found: dict[str, Any] = dict(verdicts())
    assert faults(found, names) == []

"""The models that the onnx package has from torch: those of modules, and those of operators."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from suites.verdicts import Entry, Suite, recorded

RTOL, ATOL = 1e-3, 1e-7
"""Allowed differences: those of onnx's own tests."""


@cache
def entries() -> dict[str, Entry]:
    import onnx

    data = Path(onnx.__file__).parent / "backend" / "test" / "data"
    folders = [*data.glob("pytorch-converted/test_*"), *data.glob("pytorch-operator/test_*")]
    return {folder.name: entry(folder) for folder in sorted(folders, key=lambda one: one.name)}


def entry(folder: Path) -> Entry:
    def differs() -> str:
        import onnx
        from suites.onnx_entries import Expected, differs

        data = [
            Expected(arrays(one, "input"), arrays(one, "output"))
            for one in sorted(folder.glob("test_data_set_*"))
        ]
        return differs(onnx.load(folder / "model.onnx"), data, RTOL, ATOL)

    return differs


def arrays(folder: Path, role: str) -> list[Any]:
    """Return the inputs or the outputs of a run, in order."""
    import onnx

    files = sorted(folder.glob(f"{role}_*.pb"), key=lambda one: int(one.stem.rpartition("_")[2]))
    return [onnx.numpy_helper.to_array(onnx.load_tensor(file)) for file in files]


SUITE = Suite("onnx_pytorch", entries)


@pytest.mark.suites
def test_every_model_has_a_verdict() -> None:
    SUITE.check_names()


@pytest.mark.suites
@pytest.mark.parametrize("name", recorded("onnx_pytorch"))
def test_a_model_keeps_its_verdict(name: str) -> None:
    SUITE.check(name)

"""Which products MKL computes, and what happens where it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from deltawire_layers import blas, pieces
from deltawire_layers.numeric.multiplication.mkl import Mkl
from deltawire_plugins.blas import BlasUnusable


class Recorder:
    """Stands in for MKL, and notes what it is given."""

    version, kernel = "1.2.3", "processors of a kind"

    def __init__(self, able: bool = True) -> None:
        self.able, self.shapes = able, list[tuple[int, ...]]()

    def multiply(self, a: np.ndarray, b: np.ndarray, value: np.ndarray) -> bool:
        self.shapes.append((*a.shape, b.shape[1]))
        if self.able:
            value[...] = a @ b
        return self.able


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Have MKL compute from 1,000 multiplications on."""
    monkeypatch.setattr(blas, "mkl", recorder := Recorder())
    monkeypatch.setattr(blas, "LEAST", 1000)
    return recorder


def arrays(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape) for shape in shapes]


@pytest.mark.parametrize(
    "left, right, shapes",
    [
        ((10, 10), (10, 10), [(10, 10, 10)]),
        ((9, 10), (10, 10), []),  # too small
        ((3, 10, 10), (3, 10, 10), [(10, 10, 10)] * 3),
        ((2, 2, 10, 10), (2, 2, 10, 20), [(10, 10, 20)] * 4),
        ((30, 5, 10), (30, 10, 10), []),  # each of them is too small
        ((3, 10, 10), (1, 10, 10), []),  # numpy broadcasts
        ((0, 10, 10), (0, 10, 10), []),
    ],
)
def test_mkl_computes_what_is_large_enough(
    left: tuple[int, ...], right: tuple[int, ...], shapes: list[tuple[int, ...]], recorder: Recorder
) -> None:
    a, b = arrays(left, right)
    product = pieces.product(a, b)
    assert recorder.shapes == shapes
    np.testing.assert_array_equal(product, a @ b)
    blas.multiply(a, b, value := np.full_like(product, np.nan))
    np.testing.assert_array_equal(value, product)


@pytest.mark.parametrize("shape", [(10, 10), (3, 10, 10)])
def test_numpy_computes_what_mkl_does_not_take(shape: tuple[int, ...], recorder: Recorder) -> None:
    recorder.able = False
    a, b = arrays(shape, shape)
    np.testing.assert_array_equal(pieces.product(a, b), a @ b)
    assert recorder.shapes == [(10, 10, 10)]


def test_every_cut_of_a_large_product_is_computed_by_mkl(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "PIECE", 2**12)
    monkeypatch.setattr(pieces, "WIDTH", 16)
    a, b = arrays((64, 20), (20, 40))
    np.testing.assert_allclose(pieces.product(a, b), a @ b, rtol=1e-12)
    assert recorder.shapes == [(16, 20, 40)] * 4
    recorder.shapes.clear()
    np.testing.assert_allclose(pieces.product(b.T, a.T), (a @ b).T, rtol=1e-12)
    assert recorder.shapes == [(40, 20, 16)] * 4


def refuse(choice: str) -> None:
    raise BlasUnusable("MKL is not installed")


def absent(choice: str) -> Path:
    return Path("/nowhere/libmkl_rt.so.3")


@pytest.mark.parametrize(
    "found, message", [(refuse, "MKL is not installed"), (absent, "MKL cannot be loaded")]
)
def test_a_choice_that_cannot_be_taken_is_refused_and_no_choice_takes_numpy(
    found: Callable[[str], Path], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blas, "mkl_to_load", found)
    with pytest.raises(BlasUnusable, match=f"^DELTAWIRE_BLAS: {message}"):
        blas.load("mkl")
    assert blas.load("auto") is None


def test_a_library_that_is_not_mkl_is_refused(tmp_path: Path) -> None:
    (tmp_path / "libmkl_rt.so.3").write_text("not a library")
    with pytest.raises(BlasUnusable, match="MKL cannot be loaded"):
        Mkl(tmp_path / "libmkl_rt.so.3")


def test_the_choice_holds_for_the_process(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert blas.name() == "mkl" and blas.description() == "mkl 1.2.3, processors of a kind"
    blas.check("mkl"), blas.check("auto")
    with pytest.raises(BlasUnusable, match="DELTAWIRE_BLAS: numpy cannot be taken after mkl"):
        blas.check("numpy")
    monkeypatch.setattr(blas, "mkl", None)
    assert blas.name() == "numpy" and blas.description() is None
    blas.check("numpy"), blas.check("auto")
    with pytest.raises(BlasUnusable, match="DELTAWIRE_BLAS: mkl cannot be taken after numpy"):
        blas.check("mkl")


def test_a_wrong_choice_stops_the_process_and_names_the_variable() -> None:
    command = [sys.executable, "-c", "import deltawire_layers"]
    environment = {**os.environ, "DELTAWIRE_BLAS": "openblas"}
    failed = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert failed.returncode == 1
    message = "DELTAWIRE_BLAS: expected auto, numpy or mkl, got 'openblas'"
    assert failed.stderr.splitlines()[-1] == f"deltawire_plugins.blas.BlasUnusable: {message}"

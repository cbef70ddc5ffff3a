"""The fingerprint: the same in processes that compute the same bits, another where anything differs."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from support.blas import KERNELS
from support.engine import LAYERS
from support.layers import registry

from deltawire_layers import blas
from deltawire_service.engine import fingerprint
from deltawire_service.engine.fingerprints import battery, digest

SCRIPT = """
from deltawire_layers import load_layers
from deltawire_service.engine import fingerprint
print(fingerprint(load_layers()))
"""


def fingerprint_with(**variables: str) -> str:
    """The fingerprint of a process of its own."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", **variables}
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def test_equal_processes_have_equal_fingerprints() -> None:
    first, second = (fingerprint_with(OPENBLAS_CORETYPE=KERNELS[0]) for _ in range(2))
    assert first == second and len(first) == 64


def test_another_kernel_and_threads_of_blas_are_another_fingerprint() -> None:
    prints = {fingerprint_with(OPENBLAS_CORETYPE=kernel) for kernel in KERNELS}
    assert len(prints) == len(KERNELS)
    assert fingerprint_with(OPENBLAS_CORETYPE=KERNELS[0], OPENBLAS_NUM_THREADS="2") not in prints


@pytest.mark.mkl
def test_mkl_is_another_fingerprint() -> None:
    first, second = (fingerprint_with(DELTAWIRE_BLAS="mkl") for _ in range(2))
    assert first == second != fingerprint_with(DELTAWIRE_BLAS="numpy")


def test_another_library_of_products_is_another_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    results = battery()
    before = digest((), results)
    monkeypatch.setattr(blas, "description", lambda: "mkl 2026.2, processors of a kind")
    assert digest((), results) != before


def test_other_plugins_are_another_fingerprint() -> None:
    assert fingerprint(LAYERS) == fingerprint(LAYERS)
    assert fingerprint(registry(mine=LAYERS["tanh"])) != fingerprint(registry())


def test_results_are_the_same_again_and_cover_every_dtype() -> None:
    first, second = battery(), battery()
    assert [array.tobytes() for array in first] == [array.tobytes() for array in second]
    assert {array.dtype.name for array in first} == {"float32", "float64", "complex128"}
    assert all(np.isfinite(array).all() for array in first)


@pytest.mark.parametrize("place", [0, 5, -1])
def test_any_bit_changes_it(place: int) -> None:
    results = battery()
    before = digest(("deltawire 1",), results)
    results[place] = results[place].copy()
    results[place].view(np.uint8).flat[0] ^= 1
    assert digest(("deltawire 1",), results) != before

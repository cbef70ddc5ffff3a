"""Same request, same bits, whatever the number of threads, under two kernels of OpenBLAS and under MKL."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from support.blas import KERNELS

TESTS = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "kernel, blas",
    [*((kernel, "numpy") for kernel in KERNELS), pytest.param(KERNELS[0], "mkl", marks=pytest.mark.mkl)],
)
def test_threads_do_not_change_a_bit(kernel: str, blas: str) -> None:
    environment = {
        **os.environ, "OPENBLAS_CORETYPE": kernel, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": search_path(),
        "DELTAWIRE_BLAS": blas,
    }  # fmt: skip
    seed = random.randrange(2**32)
    command = [sys.executable, "-m", "support.same_bits", str(seed)]
    output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    report = json.loads(output.splitlines()[-1])
    assert report["kernels"] == [kernel] and report["blas"] == blas
    assert report["different"] == [], f"seed {seed}"
    assert min(report["cut"][what] for what in ("chunks", "segments", "pieces")) > 10  # all of it was tried


def search_path() -> str:
    return os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])

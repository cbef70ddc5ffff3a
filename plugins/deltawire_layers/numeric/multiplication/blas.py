"""Matrix products by the BLAS of this process: numpy's own, or MKL for those that are large enough.

The choice is made when this module is imported, and holds until the process ends.
"""

from __future__ import annotations

import os

import numpy as np

from deltawire_layers.layer import Array
from deltawire_layers.numeric.multiplication.mkl import Mkl
from deltawire_plugins.blas import VARIABLE, BlasUnusable, mkl_to_load

LEAST = 2**21
"""Multiplications from which MKL computes: some 30 µs, of which its call from Python takes 3."""


def load(choice: str) -> Mkl | None:
    """Return MKL where it computes large products, else None.

    choice: the setting, `auto`, `numpy` or `mkl`.

    Raises:
        BlasUnusable: the choice names what cannot be used.
    """
    try:
        library = mkl_to_load(choice)
        return Mkl(library) if library else None
    except BlasUnusable as error:
        if choice == "auto":  # auto does without MKL
            return None
        raise BlasUnusable(f"{VARIABLE}: {error}") from None


mkl = load(os.environ.get(VARIABLE) or "auto")
"""MKL, where it computes large products; None where numpy's BLAS computes all."""


def name() -> str:
    """Return the choice that was made: `numpy` or `mkl`."""
    return "numpy" if mkl is None else "mkl"


def check(choice: str) -> None:
    """Raise BlasUnusable when a setting names another BLAS than the process has taken."""
    if choice not in ("auto", name()):
        raise BlasUnusable(f"{VARIABLE}: {choice} cannot be taken after {name()}: set it before the start")


def description() -> str | None:
    """Return what MKL is: its version, and the processors it computes for; None where numpy computes all."""
    return None if mkl is None else f"mkl {mkl.version}, {mkl.kernel}"


def multiply(a: Array, b: Array, value: Array | None = None) -> Array:
    """Return a b over the last two axes.

    Args:
        a: (..., n, k).
        b: (..., k, m).
        value: receives the product (..., n, m); shares no memory with the others.
    """
    if mkl is not None and a.shape[-2] * a.shape[-1] * b.shape[-1] >= LEAST:
        if a.shape[:-2] == b.shape[:-2]:
            result = np.empty((*a.shape[:-1], b.shape[-1]), a.dtype) if value is None else value
            if all(mkl.multiply(a[place], b[place], result[place]) for place in np.ndindex(a.shape[:-2])):
                return result
    if value is not None:
        np.matmul(a, b, value)
        return value
    plain: Array = a.dot(b) if a.ndim == 2 else a @ b
    return plain

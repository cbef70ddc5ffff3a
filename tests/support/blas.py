"""The kernels of OpenBLAS that this processor can run."""

from __future__ import annotations

import platform

from numpy._core._multiarray_umath import __cpu_features__ as FEATURES
from threadpoolctl import threadpool_info


def _kernels() -> tuple[str, str]:
    if platform.machine() in ("x86_64", "AMD64"):
        if FEATURES["AVX512_SKX"]:
            return "SkylakeX", "Haswell"
        return ("Haswell", "Sandybridge") if FEATURES["AVX2"] else ("Sandybridge", "Nehalem")
    return "NEOVERSEN1", "ARMV8"


KERNELS = _kernels()
"""Two that round differently, by their names in OPENBLAS_CORETYPE."""


def blas_threads() -> dict[str, str]:
    """The environment of a process whose BLAS has as many threads as that of this one has now."""
    pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    return {"OPENBLAS_NUM_THREADS": str(max(pools))}

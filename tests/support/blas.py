"""The kernels of OpenBLAS that this processor can run."""

from __future__ import annotations

import platform

from numpy._core._multiarray_umath import __cpu_features__ as FEATURES


def _kernels() -> tuple[str, str]:
    if platform.machine() in ("x86_64", "AMD64"):
        if FEATURES["AVX512_SKX"]:
            return "SkylakeX", "Haswell"
        return ("Haswell", "Sandybridge") if FEATURES["AVX2"] else ("Sandybridge", "Nehalem")
    return "NEOVERSEN1", "ARMV8"


KERNELS = _kernels()
"""Two that round differently, by their names in OPENBLAS_CORETYPE."""

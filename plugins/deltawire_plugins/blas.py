"""Which BLAS multiplies matrices in this process, and with how many threads it starts. Imports no numpy."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from collections.abc import Callable
from pathlib import Path

ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
"""What BLAS reads when numpy is loaded: threads of its own would not give way to other processes."""

VARIABLE = "DELTAWIRE_BLAS"
"""The setting, which a process reads once."""

CHOICES = ("auto", "numpy", "mkl")

INTEL = "GenuineIntel"

MKL = re.compile(r"libmkl_rt\.so(\.\d+)?|mkl_rt(\.\d+)?\.dll")
"""The library with MKL's C interface; it loads the others beside it."""


class BlasUnusable(RuntimeError):
    """The BLAS that the setting names cannot be used."""


def vendor() -> str:
    """Return the vendor of the processor, such as GenuineIntel; empty where the system does not tell."""
    try:
        with open("/proc/cpuinfo") as lines:
            return next((line.split(":")[1].strip() for line in lines if line.startswith("vendor_id")), "")
    except OSError:
        return INTEL if INTEL in platform.processor() else ""  # Windows names it there


def installed_mkl() -> Path | None:
    """Return the library of MKL that the extra `mkl` has installed; None without the extra."""
    try:
        files = importlib.metadata.files("mkl") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    paths = (Path(str(file.locate())) for file in files if MKL.fullmatch(file.name))
    return next((path.resolve() for path in paths if path.is_file()), None)


def mkl_to_load(
    choice: str,
    vendor: Callable[[], str] = vendor,
    installed: Callable[[], Path | None] = installed_mkl,
) -> Path | None:
    """Return the library of MKL that computes matrix products; None where numpy's own BLAS does.

    Args:
        choice: the setting: `numpy`, `mkl`, or `auto`: MKL where it is installed, on Intel processors.
        vendor: returns the vendor of the processor.
        installed: returns the library that is installed.

    Raises:
        BlasUnusable: there is no such choice, or MKL is chosen and not installed.
    """
    if choice not in CHOICES:
        raise BlasUnusable(f"expected auto, numpy or mkl, got {choice!r}")
    if choice == "numpy" or (choice == "auto" and vendor() != INTEL):
        return None
    library = installed()
    if library is None and choice == "mkl":
        raise BlasUnusable("MKL is not installed: pip install 'deltawire[mkl]'")
    return library

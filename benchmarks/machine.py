"""Where and with what the numbers were taken."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

from benchmarks.tables import table


def machine(packages: Iterable[str]) -> str:
    """A table: processor, system, Python, numpy's BLAS, versions of packages."""
    blas = next(pool for pool in threadpool_info() if pool["user_api"] == "blas")
    rows = [
        ("processor", f"{processor()}, {len(os.sched_getaffinity(0))} cores"),
        (
            "system",
            f"{platform.system()} {platform.release()}, {platform.libc_ver()[0]} {platform.libc_ver()[1]}",
        ),
        ("Python", platform.python_version()),
        (
            "numpy",
            f"{np.__version__}, {blas['internal_api']} {blas['version']}, kernel {blas['architecture']}",
        ),
        *((name, version(name)) for name in packages),
    ]
    return table(("", ""), rows)


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")

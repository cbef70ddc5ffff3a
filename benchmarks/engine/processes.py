"""How the process of each engine is set up, before the engine and numpy are loaded."""

from __future__ import annotations

import os
import sys

MODULES = {
    "ours": "ours",
    "torch": "torch_peer",
    "jax": "jax_peer",
    "autograd": "autograd_peer",
    "bare": "bare",
}

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""What BLAS reads as soon as it is loaded: how many threads it has."""


def variables(engine: str, threads: int) -> dict[str, str]:
    """Return the environment of an engine's process.

    Our engine gives BLAS its threads itself, as in the service.
    """
    return dict.fromkeys(VARIABLES, "1" if engine == "ours" else str(threads))


def set_up(engine: str, threads: int) -> None:
    """Hold this process to as many processors as it may have threads: jax, for one, asks for nothing else."""
    wanted = variables(engine, threads)
    if "numpy" in sys.modules and not wanted.items() <= os.environ.items():
        raise RuntimeError("numpy is loaded already, with other threads: give its Program these variables")
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    os.environ.update(wanted)

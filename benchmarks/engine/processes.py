"""How the process of each engine is set up, before the engine and numpy are loaded."""

from __future__ import annotations

import os

MODULES = {
    "ours": "ours",
    "torch": "torch_peer",
    "jax": "jax_peer",
    "autograd": "autograd_peer",
    "bare": "bare",
}

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def set_up(engine: str, threads: int) -> None:
    """Hold this process to as many processors as it may have threads: jax, for one, asks for nothing else."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    # Our engine gives BLAS its threads itself, as in the service.
    os.environ.update(dict.fromkeys(VARIABLES, "1" if engine == "ours" else str(threads)))

"""How many threads BLAS computes with, in processes that do not leave that to it. Imports no numpy."""

from __future__ import annotations

ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
"""What BLAS reads when numpy is loaded: threads of its own would not give way to other processes."""

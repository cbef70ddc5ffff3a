"""Matrix products by MKL, through its C interface.

The library computes in the caller's thread: the engine's threads share large products in pieces, which shapes
alone cut. Its mode of reproducible results makes bits independent of where in memory the numbers are.
"""

from __future__ import annotations

from ctypes import CDLL, POINTER, Structure, byref, c_char_p, c_double, c_float, c_int, c_void_p, cast
from pathlib import Path
from typing import Any

import numpy as np

from deltawire_layers.layer import Array
from deltawire_plugins.blas import BlasUnusable

ROW_MAJOR, AS_IT_IS, TRANSPOSED = 101, 111, 112
"""Constants of CBLAS."""

SEQUENTIAL, INTEGERS_OF_32_BITS, SAME_BITS = 1, 0, 2
"""Constants of MKL: no threads of its own, the size of integers, and reproducible results (MKL_CBWR_AUTO)."""

MOST = 2**31 - 1
"""The greatest size or stride that the interface takes."""


class _Version(Structure):
    _fields_ = [
        *((name, c_int) for name in ("major", "minor", "update")),
        *((name, c_char_p) for name in ("status", "build", "processor", "platform")),
    ]


class Mkl:
    """MKL, loaded and told how to compute, for the whole process.

    Args:
        library: the file of libmkl_rt.

    Attributes:
        addresses: of cblas_sgemm and cblas_dgemm.

    Raises:
        BlasUnusable: it cannot be loaded, or another part of the process uses it already in another way.
    """

    def __init__(self, library: Path):
        try:
            loaded = CDLL(str(library))
        except OSError as error:
            raise BlasUnusable(f"MKL cannot be loaded: {error}") from None
        if loaded.MKL_Set_Threading_Layer(SEQUENTIAL) != SEQUENTIAL:
            raise BlasUnusable("MKL has threads already: load deltawire before what else uses it")
        if loaded.MKL_Set_Interface_Layer(INTEGERS_OF_32_BITS) != INTEGERS_OF_32_BITS:
            raise BlasUnusable(
                "MKL takes integers of 64 bits already: load deltawire before what else uses it"
            )
        if loaded.MKL_CBWR_Set(SAME_BITS) != 0:
            raise BlasUnusable("MKL has computed already: load deltawire before what else uses it")
        self.addresses = [cast(each, c_void_p).value for each in (loaded.cblas_sgemm, loaded.cblas_dgemm)]
        self._gemm: dict[np.dtype[Any], Any] = {
            np.dtype(np.float32): _gemm(loaded.cblas_sgemm, c_float),
            np.dtype(np.float64): _gemm(loaded.cblas_dgemm, c_double),
        }
        version = _Version()
        loaded.MKL_Get_Version.argtypes = [POINTER(_Version)]
        loaded.MKL_Get_Version(byref(version))
        self.version = f"{version.major}.{version.update}"
        self.kernel = (version.processor or b"").decode()

    def multiply(self, a: Array, b: Array, value: Array) -> bool:
        """Write the product of two matrices to a third, unless MKL cannot read them as they are.

        Args:
            a: (n, k).
            b: (k, m).
            value: (n, m), its rows contiguous, which shares no memory with the others.

        Returns:
            Whether it is written.
        """
        gemm = self._gemm.get(a.dtype)
        if gemm is None or b.dtype != a.dtype or value.dtype != a.dtype:
            return False
        left, right, below = _layout(a), _layout(b), _layout(value)
        if left is None or right is None or below is None or below[0] != AS_IT_IS:
            return False
        (n, k), m = a.shape, b.shape[1]
        gemm(
            ROW_MAJOR, left[0], right[0], n, m, k,
            1.0, a.ctypes.data, left[1], b.ctypes.data, right[1], 0.0, value.ctypes.data, below[1],
        )  # fmt: skip
        return True


def _gemm(function: Any, number: type) -> Any:
    """Declare the arguments of cblas_sgemm or cblas_dgemm, which `multiply` passes as plain numbers."""
    scaled = [number, c_void_p, c_int]
    function.argtypes = [*[c_int] * 6, *scaled, c_void_p, c_int, *scaled]
    function.restype = None
    return function


def _layout(matrix: Array) -> tuple[int, int] | None:
    """Return how CBLAS reads a matrix: as it is or transposed, and its leading dimension; None if it cannot.

    An axis of size 1 has any stride.
    """
    (rows, columns), (down, across), size = matrix.shape, matrix.strides, matrix.itemsize
    if matrix.flags.aligned and max(rows, columns) <= MOST:
        if columns == 1 or across == size:
            leading = down if rows > 1 else columns * size
            if columns * size <= leading <= MOST * size and leading % size == 0:
                return AS_IT_IS, leading // size
        if rows == 1 or down == size:
            leading = across if columns > 1 else rows * size
            if rows * size <= leading <= MOST * size and leading % size == 0:
                return TRANSPOSED, leading // size
    return None

"""The matrix products of BLAS, for kernels that compute them between other operations."""

from __future__ import annotations

from ctypes import CDLL, c_void_p, cast
from functools import cache
from importlib.util import find_spec

from deltawire_layers.numeric.multiplication import blas
from deltawire_plugins.compiled import compiled

NAMES = {"scipy_cblas_{}64_": True, "cblas_{}64_": True, "scipy_cblas_{}": False}
"""What builds of numpy call the functions, and whether their integers have 64 bits.

The plain name is left out: it does not show the size of its integers, and may be another library's.
"""

FUNCTIONS = ("sgemm", "sgemv", "dgemm", "dgemv")


@cache
def hand_over() -> bool:
    """Give the kernels the functions that products call; return whether numpy's are among them."""
    module = find_spec("numpy._core._multiarray_umath")
    if compiled is None or module is None or module.origin is None:
        return False
    library = CDLL(module.origin)  # it is loaded already, and finds what it was linked with
    for name, wide in NAMES.items():
        functions = [getattr(library, name.format(each), None) for each in FUNCTIONS]
        addresses = [cast(each, c_void_p).value for each in functions if each is not None]
        if len(addresses) == len(FUNCTIONS):
            compiled.take_products(*addresses, wide)
            if blas.mkl is not None:
                compiled.take_large_products(*blas.mkl.addresses, blas.LEAST)
            return True
    return False

"""The fingerprint of a process: equal fingerprints, equal bits.

Results depend on more than the versions of libraries: on the kernels that BLAS chooses for the processor, on
its number of threads, on the SIMD instructions that numpy uses. So the fingerprint is a digest of results.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterable, Iterator
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

from deltawire_layers import Array, Registry, analytic, blas, kernels, pieces, products, repeated, sharing
from deltawire_service.engine.execute.finite import quietly
from deltawire_service.engine.plan import cuts, memory_plan
from deltawire_service.engine.random_streams import stream

BLAS = ThreadpoolController().select(user_api="blas").lib_controllers
"""The BLAS that numpy has loaded; looking for it reads files, which a request must not do."""

PRODUCTS = ((1, 700, 40), (3, 5, 7), (129, 31, 65), (40, 1100, 50), (300, 20, 530))
"""Rows, terms and columns: products of vectors, small and odd ones, and long sums, which kernels split."""

ELEMENTWISE: tuple[Callable[[Array], Array], ...] = (
    *(np.exp, np.expm1, np.log, np.log1p, np.sqrt, np.sin, np.cos, np.tanh, np.reciprocal),
    *(analytic.sigmoid, analytic.softplus, analytic.erf),
)

CONSTANTS = (
    *(memory_plan.CHUNK_BYTES, memory_plan.CHUNK_ROWS, memory_plan.MOST_CHUNK_BYTES, cuts.MOST_SEGMENTS),
    *(memory_plan.TWO_CHUNKS_ROWS, memory_plan.TWO_CHUNKS_OPERATIONS),
    *(pieces.PIECE, pieces.WIDTH, pieces.HALF, sharing.MOST_PIECES, sharing.NUMBERS, blas.LEAST),
    *(repeated.MOST_ROWS, repeated.FEWEST),
)
"""Where sums and products are cut."""


def fingerprint(layers: Registry) -> str:
    """Return the fingerprint of this process, 64 hex digits; computed once, in less than 100 ms.

    layers: the registered layers, whose distributions are part of it.
    """
    threads = tuple(library.num_threads for library in BLAS)
    return _fingerprint(tuple(sorted({layers.distribution(kind) for kind in layers})), threads)


@cache
def _fingerprint(distributions: tuple[str, ...], blas_threads: tuple[int, ...]) -> str:
    return digest(distributions, battery())


def digest(distributions: tuple[str, ...], results: Iterable[Array]) -> str:
    """Return the digest of results, of versions, of distributions and of where sums are cut."""
    sha256 = hashlib.sha256()
    libraries = np.__version__, platform.machine(), blas.description(), kernels.version()
    sha256.update(repr((*libraries, distributions, CONSTANTS)).encode())
    for array in results:
        sha256.update(array.tobytes())
    return sha256.hexdigest()


@quietly
def battery() -> list[Array]:
    """Compute the results that the fingerprint is a digest of."""
    return [result for dtype in ("float32", "float64", "complex128") for result in _results(np.dtype(dtype))]


def _results(dtype: np.dtype[np.generic]) -> Iterator[Array]:
    numbers = stream(0, dtype.name)  # uniform numbers are made of integers: the same on every machine
    for n, k, m in PRODUCTS:
        a, b = (numbers.random(shape).astype(dtype) for shape in ((n, k), (k, m)))
        yield products.matmul(a, b)
        yield products.outer(b, b[:, ::-1])
    stack = numbers.random((4, 33, 65)).astype(dtype)
    yield products.matmul(stack, stack.swapaxes(1, 2))
    # From 0.01 on, where all functions are defined, and with an odd length, for the ends of SIMD loops.
    x = (0.01 + 8 * numbers.random(4099)).astype(dtype)
    yield from (function(x) for function in ELEMENTWISE)
    yield np.power(x, x[::-1])
    table = x[:4096].reshape(64, 64)
    yield np.asarray(np.add.reduce(x))
    yield np.add.reduce(table, axis=0)
    yield np.add.reduce(table, axis=1)
    yield np.multiply.reduce(table / 4, axis=1)
    yield np.einsum("ij,ij->i", table, table)
    yield np.einsum("ij,ij->j", table, table)
    if dtype.kind == "f":
        yield np.maximum.accumulate(table, axis=1)

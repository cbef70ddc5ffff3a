"""MKL's products: numpy's to rounding in every layout, and the same bits in every thread and place."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided
from support.shared_pieces import shared
from threadpoolctl import threadpool_info

from deltawire_layers import blas, pieces, products
from deltawire_layers.numeric.multiplication.mkl import Mkl

pytestmark = pytest.mark.mkl

DTYPES = st.sampled_from(["float32", "float64"])
SIZES = st.integers(1, 40) | st.sampled_from([64, 96, 129, 257])
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0])


def mkl() -> Mkl:
    """MKL, which the environment of these tests has chosen."""
    assert isinstance(blas.mkl, Mkl), "run these tests with DELTAWIRE_BLAS=mkl"
    return blas.mkl


class Layout(NamedTuple):
    """Where in memory a matrix has its numbers."""

    steps: tuple[int, int]
    """Numbers from one row to the next, and from one column to the next, in units of a contiguous matrix."""
    transposed: bool
    padding: int
    """Numbers between contiguous rows, or columns."""
    offset: int
    """Numbers before the first."""

    def place(self, matrix: np.ndarray) -> np.ndarray:
        """Return an equal matrix with this layout."""
        if self.transposed:
            return self._replace(transposed=False).place(matrix.T).T
        (rows, columns), (down, across) = matrix.shape, self.steps
        width = columns * abs(across) + self.padding
        memory = np.full(self.offset + rows * abs(down) * width, np.nan, matrix.dtype)[self.offset :]
        spread = memory.reshape(rows, abs(down), width)[:, 0, : columns * abs(across)]
        placed = spread[:: np.sign(down), ::across]
        placed[...] = matrix
        return placed


STEPS = st.sampled_from([1, 1, 1, 2, -1, -2])
LAYOUTS = st.builds(Layout, st.tuples(STEPS, STEPS), st.booleans(), st.integers(0, 3), st.integers(0, 17))


def numbers(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def check(value: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    """Compare a product with numpy's of wider numbers, which no BLAS computes."""
    wide = [array.astype(np.longdouble) for array in (a, b)]
    bound = 2 * a.shape[-1] * np.finfo(a.dtype).eps * np.matmul(*map(abs, wide))
    assert value.dtype == a.dtype and value.shape == bound.shape
    assert (abs(value - np.matmul(*wide)) <= bound).all()


@given(SIZES, SIZES, SIZES, LAYOUTS, LAYOUTS, DTYPES)
def test_products_are_numpys_in_every_layout(
    n: int, k: int, m: int, left: Layout, right: Layout, dtype: str
) -> None:
    a, b = left.place(numbers((n, k), dtype)), right.place(numbers((k, m), dtype, 1))
    with patch.object(blas, "LEAST", 0):
        check(blas.multiply(a, b), a, b)
        check(products.matmul(a, b), a, b)
        check(products.outer(a.T, b), a, b)


@given(SIZES, SIZES, SIZES, st.integers(0, 3), st.booleans(), st.booleans(), DTYPES)
def test_mkl_reads_rows_and_columns_with_gaps_between(
    n: int, k: int, m: int, padding: int, first: bool, second: bool, dtype: str
) -> None:
    a = Layout((1, 1), first, padding, 0).place(numbers((n, k), dtype))
    b = Layout((1, 1), second, padding, 0).place(numbers((k, m), dtype, 1))
    value = Layout((1, 1), False, padding, 0).place(np.full((n, m), np.nan, dtype))
    assert mkl().multiply(a, b, value)
    check(value, a, b)
    memory = value.base
    assert memory is not None and np.isnan(memory.reshape(n, m + padding)[:, m:]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_mkl_takes_no_layout_that_it_would_read_wrongly(dtype: str) -> None:
    square, line = numbers((8, 8), dtype), numbers((20,), dtype)
    size = line.itemsize
    windows = as_strided(line, (8, 8), (size, size))  # rows overlap
    close = as_strided(line, (5, 8), (3 * size, size))
    copies = np.broadcast_to(line[:8], (8, 8))
    raw = np.zeros(8 * 8 * size + 1, np.uint8)[1:].view(dtype).reshape(8, 8)
    raw[...] = square
    swapped = square.astype(square.dtype.newbyteorder())
    odd = [
        windows,
        copies,
        copies.T,
        raw,
        swapped,
        square[::-1],
        square[:, ::-1],
        square[::2, ::2],
        square[:, ::2],
    ]
    with patch.object(blas, "LEAST", 0):
        for each in odd:
            rows, columns = each.shape
            for a, b in ((each, numbers((columns, 4), dtype)), (numbers((4, rows), dtype), each)):
                value = np.empty((len(a), b.shape[1]), dtype)
                assert not mkl().multiply(a, b, value)
                check(blas.multiply(a, b).astype(dtype), a.astype(dtype), b.astype(dtype))
        assert not mkl().multiply(close, numbers((8, 4), dtype), np.empty((5, 4), dtype))
        assert not mkl().multiply(square, square, np.empty((8, 8), dtype).T)
        assert not mkl().multiply(square, square, np.empty((8, 16), dtype)[:, ::2])


@pytest.mark.parametrize("other", ["int64", "complex128", "longdouble"])
def test_other_dtypes_and_two_dtypes_are_left_to_numpy(other: str) -> None:
    a, b = np.arange(64).reshape(8, 8).astype(other), np.arange(64, 128.0).reshape(8, 8)
    with patch.object(blas, "LEAST", 0):
        for left, right in ((a, a), (a, b), (b, a)):
            result = blas.multiply(left, right)
            assert result.dtype == np.result_type(left, right)
            np.testing.assert_array_equal(result, np.einsum("ij,jk->ik", left, right))


@given(SIZES, SIZES, SIZES)
def test_products_under_the_complex_step_have_their_real_parts_by_mkl(n: int, k: int, m: int) -> None:
    a, b = (numbers(shape, "float64") * (1 + 1e-200j) for shape in ((n, k), (k, m)))
    with patch.object(blas, "LEAST", 0), patch.object(products, "FEWEST", 0):
        value = products.matmul(a, b)
    check(value.real.copy(), a.real.copy(), b.real.copy())
    np.testing.assert_allclose(value.imag, 2e-200 * (a.real @ b.real), rtol=1e-9, atol=1e-212)


@given(SIZES, SIZES, SIZES, st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 50]), DTYPES)
def test_numbers_that_are_not_finite_stay_where_they_belong(
    n: int, k: int, m: int, seed: int, often: int, dtype: str
) -> None:
    rng = np.random.default_rng(seed)
    a, b = numbers((n, k), dtype), numbers((k, m), dtype, 1)
    for matrix in (a, b):
        places = rng.integers(0, 100, matrix.shape) < often
        matrix[places] = rng.choice(SPECIAL, places.sum())
    with patch.object(blas, "LEAST", 0), np.errstate(invalid="ignore"):
        value, expected = (
            blas.multiply(a, b),
            np.einsum("ij,jk->ik", *(x.astype(np.longdouble) for x in (a, b))),
        )
    for kind in (np.isnan, np.isposinf, np.isneginf):
        np.testing.assert_array_equal(kind(value), kind(expected))


@given(st.integers(0, 3), SIZES, SIZES, SIZES, st.sampled_from(["apart", "heads", "one"]), DTYPES)
def test_stacks_are_numpys(stack: int, n: int, k: int, m: int, kind: str, dtype: str) -> None:
    a, b = numbers((2, stack, n, k), dtype), numbers((2, stack, k, m), dtype, 1)
    if kind == "heads":  # as attention has them: beside each other in each row
        a, b = (np.ascontiguousarray(x.swapaxes(1, 2)).swapaxes(1, 2) for x in (a, b))
    elif kind == "one":
        b = np.broadcast_to(b[:1, :1], b.shape) if stack else b
    with patch.object(blas, "LEAST", 0):
        whole = pieces.product(a, b)
        check(whole, a, b)
        for place in np.ndindex(2, stack):
            assert blas.multiply(a[place], b[place]).tobytes() == whole[place].tobytes()


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 300), DTYPES)
def test_a_product_has_the_same_bits_wherever_its_numbers_are(n: int, k: int, m: int, dtype: str) -> None:
    a, b = numbers((n, k), dtype), numbers((k, m), dtype, 1)
    mkl().multiply(a, b, first := np.empty((n, m), dtype))
    for offset in (1, 2, 3, 5, 8, 13):
        layout = Layout((1, 1), False, 0, offset)
        value = layout.place(np.zeros((n, m), dtype))
        mkl().multiply(layout.place(a), layout.place(b), value)
        assert value.tobytes() == first.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(64, 256, 256), (512, 256, 256), (128, 784, 512), (1024, 250, 100)])
def test_a_product_has_the_same_bits_in_every_thread(shape: tuple[int, int, int], dtype: str) -> None:
    n, k, m = shape
    a, b = numbers((n, k), dtype), numbers((k, m), dtype, 1)
    alone = blas.multiply(a, b)
    with ThreadPoolExecutor(3) as threads:
        results = list(threads.map(lambda _: blas.multiply(a, b).tobytes(), range(30)))
    assert set(results) == {alone.tobytes()}
    counts: list[int] = []
    small = patch.multiple(pieces, PIECE=2**16, WIDTH=16)
    with small:
        cut = pieces.product(a, b)
        with shared(counts):
            assert pieces.product(a, b).tobytes() == cut.tobytes()
    assert counts[0] > 1


def test_mkl_has_no_threads_of_its_own_and_says_what_it_is() -> None:
    (loaded,) = (pool for pool in threadpool_info() if pool["internal_api"] == "mkl")
    assert loaded["num_threads"] == 1 and loaded["threading_layer"] == "sequential"
    assert loaded["version"].startswith(mkl().version.rsplit(".", 1)[0]) and mkl().kernel

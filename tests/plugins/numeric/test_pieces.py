"""Products in pieces: those of the whole, cut by shapes alone, and the same bits whoever computes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.shared_pieces import shared

from deltawire_layers import DeadlineExceeded, call_until, pieces, sharing

SIZES = st.integers(1, 40)
DTYPES = st.sampled_from(["float32", "float64", "complex128"])


@contextmanager
def small() -> Iterator[None]:
    """Cut small products as finely as large ones."""
    with patch.multiple(pieces, PIECE=2**5, WIDTH=3):
        yield


def arrays(*shapes: tuple[int, ...], dtype: str) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


@given(SIZES, SIZES, SIZES, st.integers(0, 3), DTYPES, st.booleans())
def test_a_product_is_numpys_and_the_same_bits_shared_or_not(
    n: int, k: int, m: int, stack: int, dtype: str, transposed: bool
) -> None:
    leading = (stack,) if stack else ()
    a, b = arrays((*leading, k, n) if transposed else (*leading, n, k), (*leading, k, m), dtype=dtype)
    a = a.swapaxes(-1, -2) if transposed else a
    counts: list[int] = []
    with small():
        alone = pieces.product(a, b)
        with shared(counts):
            together = pieces.product(a, b)
    assert together.tobytes() == alone.tobytes() and alone.dtype == a.dtype
    np.testing.assert_allclose(alone, a @ b, rtol=1e-4 if dtype == "float32" else 1e-12, atol=1e-5)
    assert not counts or 1 <= counts[0] <= sharing.MOST_PIECES


@given(st.integers(1, 5000), st.integers(1, 64))
def test_slices_cover_an_axis_evenly(length: int, count: int) -> None:
    slices = sharing.cuts(length, count)
    assert [place for each in slices for place in range(length)[each]] == list(range(length))
    sizes = [len(range(length)[each]) for each in slices]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(
    "shape, count",
    [
        ((128, 784, 512), 2),  # by its columns
        ((512, 128, 784), 2),  # not 3: two threads would not end together
        ((4096, 512, 512), 16),
        ((64, 64, 64), 0),  # too small
        ((200, 10_000, 200), 0),  # too narrow
        ((256, 1024, 256), 2),  # in halves
        ((500, 1000, 100), 0),  # its halves would be too narrow across
        ((8, 10_000, 1000), 2),
    ],
)
def test_shapes_decide_the_cut(shape: tuple[int, int, int], count: int) -> None:
    n, k, m = shape
    a, b = np.ones((n, k), np.float32), np.ones((k, m), np.float32)
    counts: list[int] = []
    with shared(counts):
        pieces.product(a, b)
    assert counts == ([count] if count else [])


def test_a_stack_is_shared_by_its_leading_axis() -> None:
    a, b = np.ones((12, 200, 100), np.float32), np.ones((12, 100, 200), np.float32)
    counts: list[int] = []
    with shared(counts):
        value = pieces.product(a, b)
    assert counts == [2] and (value == 100).all()


@given(SIZES, SIZES, SIZES, st.integers(0, 3), DTYPES)
def test_a_long_product_is_numpys_in_pieces_that_end_soon(
    n: int, k: int, m: int, stack: int, dtype: str
) -> None:
    leading = (stack, 2) if stack else ()
    a, b = arrays((*leading, n, k), (*leading, k, m), dtype=dtype)
    sizes = list[int]()

    def matmul(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
        sizes.append(a.size * b.shape[-1])
        out[...] = a @ b

    with small(), patch.multiple(pieces, LONGEST=2**10, NARROWEST=2), patch.object(np, "matmul", matmul):
        value = pieces.product(a, b)
    np.testing.assert_allclose(value, a @ b, rtol=1e-4 if dtype == "float32" else 1e-12, atol=1e-5)
    assert all(size <= 2**10 or size < 2 * 4 * 4 * k for size in sizes)


@pytest.mark.parametrize("leading", [(), (1,), (3,), (2, 3)])
def test_a_long_product_looks_at_the_deadline(leading: tuple[int, ...]) -> None:
    a, b = arrays((*leading, 40, 30), (*leading, 30, 40), dtype="float64")
    with small(), patch.multiple(pieces, LONGEST=2**10), pytest.raises(DeadlineExceeded):
        call_until(-inf, lambda: pieces.product(a, b))


def test_no_product_of_a_request_takes_long() -> None:
    """The largest products that fit the planned memory of a request, cut as they are by default."""
    numbers = 2**27  # 512 MiB in float32
    for n, k, m in [(6600, 6600, 6600), (500, numbers // 1001, 500), (11_000, 11_000, 1)]:
        assert longest(n, k, m) <= 2**33


def longest(n: int, k: int, m: int) -> int:
    """The multiplications of the largest product that is computed in one go, without computing any."""
    sizes = list[int]()
    a, b, value = (np.broadcast_to(np.float32(0), shape) for shape in ((n, k), (k, m), (n, m)))
    with patch.object(np, "matmul", lambda a, b, out: sizes.append(a.size * b.shape[-1])):
        pieces._multiply(a, b, value)
    return max(sizes)

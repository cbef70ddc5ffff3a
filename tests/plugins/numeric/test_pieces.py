"""Products in pieces: those of the whole, cut by shapes alone, and the same bits whoever computes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltawire_layers import pieces

SIZES = st.integers(1, 40)
DTYPES = st.sampled_from(["float32", "float64", "complex128"])


@contextmanager
def small() -> Iterator[None]:
    """Cut small products as finely as large ones."""
    with patch.multiple(pieces, PIECE=2**5, WIDTH=3):
        yield


@contextmanager
def shared(counts: list[int]) -> Iterator[None]:
    """Compute pieces in another order, as threads may, and note how many there are."""

    def share(functions: Sequence[Callable[[], object]]) -> None:
        counts.append(len(functions))
        for function in reversed(functions):
            function()

    token = pieces.sharing.set(share)
    try:
        yield
    finally:
        pieces.sharing.reset(token)


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
    assert not counts or 1 <= counts[0] <= pieces.MOST_PIECES


@given(st.integers(1, 5000), st.integers(1, 64))
def test_slices_cover_an_axis_evenly(length: int, count: int) -> None:
    slices = pieces.cuts(length, count)
    assert [place for each in slices for place in range(length)[each]] == list(range(length))
    sizes = [len(range(length)[each]) for each in slices]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(
    "shape, count",
    [
        ((128, 784, 512), 2),  # by its columns
        ((512, 128, 784), 3),
        ((4096, 512, 512), 16),
        ((64, 64, 64), 0),  # too small
        ((200, 10_000, 200), 0),  # too narrow
        ((8, 10_000, 1000), 3),
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

"""Products with a packed matrix: their bits, their digits, and which products are packed."""

from __future__ import annotations

from ctypes import CDLL, c_double, c_float
from ctypes.util import find_library
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.shared_pieces import shared

from deltawire_layers import kernels, sharing
from deltawire_layers.numeric.compiled import panels
from deltawire_layers.numeric.repeated import FEWEST, MOST_ROWS, repeated

pytestmark = pytest.mark.kernels

DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])
TERMS = 256
"""Terms of a sum that the kernel adds one after the other."""


def fused(dtype: str) -> Any:
    """Return C's fma of arrays: x b + c, rounded once."""
    name, number = {"float32": ("fmaf", c_float), "float64": ("fma", c_double)}[dtype]
    function = getattr(CDLL(find_library("m")), name)
    function.argtypes, function.restype = [number] * 3, number
    each = np.frompyfunc(function, 3, 1)
    return lambda *arrays: each(*(array.astype(object) for array in arrays)).astype(dtype)


def twin(a: Any, b: Any, plus: Any) -> Any:
    """Return a b + plus as the kernel promises it: fused products in order, and sums of 256 added up."""
    fma, value = fused(a.dtype.name), plus
    for start in range(0, a.shape[1], TERMS):
        total = np.zeros((len(a), b.shape[1]), a.dtype)
        for k in range(start, min(start + TERMS, a.shape[1])):
            total = fma(a[:, k, None], b[k], total)
        value = total if value is None else value + total
    return value


def multiplied(a: Any, b: Any, plus: Any = None) -> Any:
    product = panels.packed(b)
    assert product is not None
    return product(a, plus)


@given(
    rows=st.integers(1, 20),
    terms=st.sampled_from([1, 2, 3, 15, 16, 17, 33, 255, 256, 257, 513]),
    columns=st.integers(1, 70),
    layout=st.sampled_from(["rows", "columns", "strides"]),
    added=st.integers(0, 2),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_product_has_the_bits_of_fused_sums_in_order(
    rows: int, terms: int, columns: int, layout: str, added: int, dtype: str, seed: int
) -> None:
    random = np.random.default_rng(seed)
    if terms > 40:
        rows, columns = 1 + rows % 3, 1 + columns % 35
    a = random.normal(size=(rows, 2, terms)).astype(dtype)[:, 1]
    b = random.normal(size=(terms, 2 * columns)).astype(dtype)[:, :columns]
    if layout != "strides":
        b = (np.ascontiguousarray if layout == "rows" else np.asfortranarray)(b)
    plus = [None, *(random.normal(size=size).astype(dtype) for size in (columns, (rows, columns)))][added]
    value = multiplied(a, b, plus)
    assert value.tobytes() == twin(a, b, plus).tobytes()


@DTYPES
def test_numbers_that_are_not_finite_reach_their_rows_and_columns_alone(dtype: str) -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(size=(9, 30)).astype(dtype), random.normal(size=(30, 37)).astype(dtype)
    for place, number in enumerate([np.nan, np.inf, -np.inf]):
        a[3 * place, 2] = b[2, 15 * place + 3] = number
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(np.isfinite(multiplied(a, b)), np.isfinite(a @ b))
        assert np.isnan(multiplied(np.zeros((2, 30), dtype), b)[:, [3, 18, 33]]).all()


@DTYPES
@pytest.mark.parametrize("terms", [256, 5000, 40000])
def test_a_sum_keeps_its_digits_however_long_it_is(dtype: str, terms: int) -> None:
    a, b = np.random.default_rng(0).uniform(size=(2, 8, terms)).astype(dtype)
    exact = a.astype(np.longdouble) @ b.T.astype(np.longdouble)
    error = np.abs(multiplied(a, b.T) / exact - 1).max() / np.finfo(dtype).eps
    assert error < 16


@DTYPES
@pytest.mark.parametrize(("rows", "times"), [(1, 9), (2, 4), (6, 3), (256, 4), (257, 9)])
def test_shapes_decide_which_products_are_packed(
    dtype: str, rows: int, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    packed = panels.packed
    monkeypatch.setattr(panels, "packed", lambda b: made.append(packed(b)) or made[-1])
    random = np.random.default_rng(0)
    sequence, b = random.normal(size=(rows, times, 7)).astype(dtype), random.normal(size=(7, 5)).astype(dtype)
    product = repeated(b, sequence)
    assert [product] == made or not made
    assert bool(made) == (1 < rows <= MOST_ROWS and times >= FEWEST)
    for plus in (None, b[0], sequence[:, 1, :5]):
        value = product(sequence[:, 2], plus)
        assert value.dtype == dtype
        exact = sequence[:, 2] @ b + (0 if plus is None else plus)
        np.testing.assert_allclose(value, exact, atol=20 * np.finfo(dtype).eps)


def test_what_no_kernel_computes_is_left_to_matrix_products(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    sequence, b = random.normal(size=(6, 9, 7)), random.normal(size=(7, 5))
    moved = sequence + 1e-200j
    pairs = [(moved, b), (moved, b + 1e-200j), (sequence, b)]
    for left, right in pairs:
        if left is sequence:
            monkeypatch.setattr(kernels, "compiled", None)
        value = repeated(right, left)(left[:, 2], right[0])
        assert value.dtype == left.dtype
        np.testing.assert_allclose(value, left[:, 2] @ right + right[0], rtol=1e-14)


def test_threads_that_share_the_panels_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    a, b, plus = (random.normal(size=size) for size in ((6, 50), (50, 90), (6, 90)))
    alone = multiplied(a, b, plus)
    monkeypatch.setattr(sharing, "NUMBERS", 8)
    counts: list[int] = []
    with shared(counts):
        together = multiplied(a, b, plus)
    assert counts == [6]
    assert together.tobytes() == alone.tobytes()


def test_arrays_that_do_not_fit_are_refused() -> None:
    import deltawire_kernels

    a, b, value, packed = np.ones((3, 4)), np.ones((4, 5)), np.ones((3, 5)), np.empty((1, 4, 16))
    deltawire_kernels.pack(b, packed)
    product = deltawire_kernels.packed_product
    for wrong in (packed[:, :3].copy(), np.ones((2, *packed.shape[1:])), packed[:, :, :8].copy()):
        with pytest.raises(ValueError, match="not those of the matrix"):
            deltawire_kernels.pack(b, wrong)
        with pytest.raises(ValueError, match="not those of the matrix"):
            product(a, wrong, None, value, 0, 1)
    with pytest.raises(ValueError, match="do not fill the rows"):
        product(a, packed, None, np.ones(16), 0, 1)
    with pytest.raises(ValueError, match="rows are not contiguous"):
        product(np.ones((4, 3)).T, packed, None, value, 0, 1)
    with pytest.raises(ValueError, match="no such panels"):
        product(a, packed, None, value, 0, 2)
    for plus in (np.ones(4), np.ones((1, 5))):
        with pytest.raises(ValueError, match="differ in size"):
            product(a, packed, plus, value, 0, 1)
    with pytest.raises(TypeError):
        product(a.astype(np.float32), packed, None, value, 0, 1)

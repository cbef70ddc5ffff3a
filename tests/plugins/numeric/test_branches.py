"""Functions with branches: values, slopes by the complex step, ties, and the branch that is not taken."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from deltawire_layers.numeric import branches

H = 1e-200
REAL = [np.float32, np.float64]
DTYPES = [*REAL, np.complex128]
STRANGE = [-inf, -1e4, -1e-300, -0.0, 0.0, 1e-300, 2.0, inf, nan]


@pytest.fixture(autouse=True)
def warnings_are_errors() -> Any:
    """No function warns about numbers of the branch it does not take."""
    with np.errstate(all="raise"):
        yield


def same_bits(result: np.ndarray, expected: np.ndarray) -> None:
    assert (result.dtype, result.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(result, expected)


@given(st.data(), st.sampled_from(REAL), hnp.array_shapes(max_dims=3, min_side=0))
def test_keep_and_choose_are_where(data: st.DataObject, dtype: type[Any], shape: tuple[int, ...]) -> None:
    numbers = st.floats(width=np.dtype(dtype).itemsize * 8)
    condition = data.draw(hnp.arrays(np.bool_, shape))
    x = data.draw(hnp.arrays(dtype, shape, elements=numbers))
    yes, no = data.draw(numbers), data.draw(numbers)
    same_bits(branches.keep(condition, x), np.where(condition, x, dtype(0)))
    same_bits(branches.choose(condition, yes, no, x), np.where(condition, dtype(yes), dtype(no)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_keep_leaves_no_trace_of_the_rest(dtype: type[Any]) -> None:
    x = np.array(STRANGE, dtype)
    condition = np.arange(len(x)) % 2 == 0
    kept = branches.keep(condition, x)
    np.testing.assert_array_equal(kept[condition], x[condition])
    assert not kept[~condition].any()


@pytest.mark.parametrize("dtype", REAL)
def test_keep_takes_any_layout(dtype: type[Any]) -> None:
    x = np.arange(24, dtype=dtype).reshape(4, 6)
    for layout in (x.T, x[::2, ::-1], np.asfortranarray(x), np.broadcast_to(x[0], (4, 6)), x[:, :1]):
        condition = np.broadcast_to(layout, (4, 6) if layout.shape == (4, 1) else layout.shape) % 2 == 0
        same_bits(branches.keep(condition, layout), np.where(condition, layout, dtype(0)))


def test_choose_takes_the_real_dtype() -> None:
    chosen = branches.choose(np.array([True, False]), 1.0, 0.1, np.zeros(2, np.complex128))
    assert (chosen.tolist(), chosen.dtype) == ([1, 0.1], np.float64)


@pytest.mark.parametrize("dtype", DTYPES)
def test_values(dtype: type[Any]) -> None:
    x = np.array(STRANGE, dtype)
    for function, expected in (
        (branches.relu, [0, 0, 0, 0, 0, 1e-300, 2, inf, nan]),
        (branches.absolute, [inf, 1e4, 1e-300, 0, 0, 1e-300, 2, inf, nan]),
        (lambda x: branches.clip(x, -1, 1), [-1, -1, -1e-300, 0, 0, 1e-300, 1, 1, nan]),
    ):
        result = function(x)
        assert result.dtype == dtype
        np.testing.assert_array_equal(result.real, np.array(expected, x.real.dtype))
        if dtype is np.complex128:
            np.testing.assert_array_equal(result.imag, np.zeros(len(x)))


def test_slopes_by_the_complex_step() -> None:
    stepped = np.array([-inf, -2, -1, 0, 0.5, 1, 2, inf]) + 1j * H
    assert (branches.relu(stepped).imag / H).tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert (branches.absolute(stepped).imag / H).tolist() == [-1, -1, -1, 0, 1, 1, 1, 1]
    assert (branches.clip(stepped, -1, 1).imag / H).tolist() == [0, 0, 1, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_maximum_and_minimum(dtype: type[Any]) -> None:
    a = np.array([1, 2, 3, nan, 1, inf, -inf], dtype)
    b = np.array([2, 2, 2, 1, nan, 1, 1], dtype)
    for function, expected in (
        (branches.maximum, [2, 2, 3, nan, nan, inf, 1]),
        (branches.minimum, [1, 2, 2, nan, nan, 1, -inf]),
    ):
        result = function(a, b)
        assert result.dtype == dtype
        np.testing.assert_array_equal(result.real, expected)


def test_maximum_and_minimum_move_with_their_number_and_half_with_each_of_equals() -> None:
    a, b = np.array([1.0, 2, 3, inf, -inf]), np.array([2.0, 2, 2, 2, 2])
    assert (branches.maximum(a + 1j * H, b + 0j).imag / H).tolist() == [0, 0.5, 1, 1, 0]
    assert (branches.maximum(a + 0j, b - 1j * H).imag / H).tolist() == [-1, -0.5, 0, 0, -1]
    assert (branches.minimum(a + 1j * H, b + 0j).imag / H).tolist() == [1, 0.5, 0, 0, 1]
    assert (branches.minimum(a + 0j, b - 1j * H).imag / H).tolist() == [0, -0.5, -1, -1, 0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_share_of_maximum(dtype: type[Any]) -> None:
    a, b = np.array([1, 2, 3, 1, 3], dtype), np.array([2, 2, 2, 2, 2], dtype)
    share = branches.share_of_maximum(np.array([10, 10, 10, inf, -inf], dtype), a, b)
    assert share.dtype == dtype
    assert share.real.tolist() == [0, 5, 10, 0, -inf]
    assert branches.share_of_maximum(np.array([nan, 1], dtype), a[:2], b[:2]).real.tolist() == [0, 0.5]


def test_greatest_along_an_axis_and_its_ties() -> None:
    x = np.array([[1.0, 4, 4], [2, 1, -inf]])
    delta = np.array([[6.0], [8.0]])
    assert branches.greatest(x, 1).tolist() == [4, 2]
    assert branches.greatest(x, 0).tolist() == [2, 4, 4]
    assert branches.share_of_greatest(delta, x, 1).tolist() == [[0, 3, 3], [8, 0, 0]]
    moved = branches.greatest(x + 1j * H * np.array([[7, 1, 3], [5, 7, 7]]), 1)
    assert moved.real.tolist() == [4, 2]
    assert moved.imag / H == pytest.approx([2, 5])
    assert branches.share_of_greatest(delta / H * inf, x, 1).tolist() == [[0, inf, inf], [inf, 0, 0]]


def test_what_is_not_a_number_stays_the_greatest() -> None:
    for x in (np.array([[1.0, nan, 2.0]]), np.array([[1.0, nan, 2.0]]) + 0j):
        assert np.isnan(branches.greatest(x, 1)).all()
        assert not branches.share_of_greatest(np.ones((1, 1), x.dtype), x, 1).any()


@pytest.mark.parametrize("dtype", REAL)
def test_results_keep_their_dtype(dtype: type[Any]) -> None:
    x = np.ones((2, 3), dtype)
    for result in (
        branches.greatest(x, 0),
        branches.share_of_greatest(x, x, 0),
        branches.share_of_maximum(x, x, x),
        branches.clip(x, -1, 1),
    ):
        assert result.dtype == dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_the_slope_at_a_bound(dtype: type[np.generic]) -> None:
    x = np.array([-2, -1, 0, 1, 2], dtype)
    assert branches.inside(x, -1, 1).tolist() == [False, True, True, True, False]
    assert branches.inside(x, -1, 1, closed=False).tolist() == [False, False, True, False, False]
    if dtype is np.complex128:
        stepped = x + 1j * H
        assert (branches.clip(stepped, -1, 1, closed=False).imag / H).tolist() == [0, 0, 1, 0, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_what_has_weight_0_adds_nothing(dtype: type[Any]) -> None:
    weight, x = np.array([0, 0, 2, 0.5, 0], dtype), np.array([np.inf, -np.inf, np.inf, 3, np.nan], dtype)
    with np.errstate(invalid="ignore"):
        found = branches.weigh(weight, x)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found.real, [0, 0, np.inf, 1.5, np.nan])
    np.testing.assert_array_equal(found.imag[[0, 1, 3]], 0)

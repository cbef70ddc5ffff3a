"""Analytic functions of several numbers, and of numbers at an edge: right in the imaginary part too."""

from __future__ import annotations

from math import inf, log, nan

import numpy as np
import pytest

from deltawire_layers.numeric import analytic

H = 1e-30


def test_minimum_and_its_ties() -> None:
    a, b = (
        np.array([1, 2, 3]) + 1j * H * np.array([1, 1, 1]),
        np.array([2, 2, 2]) + 1j * H * np.array([5, 3, 5]),
    )
    smaller = analytic.minimum(a, b)
    assert smaller.real.tolist() == [1, 2, 2]
    assert smaller.imag / H == pytest.approx([1, 2, 5])
    assert np.isnan(analytic.minimum(np.array([nan, 1.0]), np.array([1.0, nan]))).all()


def test_greatest_along_an_axis_and_its_ties() -> None:
    x = np.array([[1.0, 4, 4], [2, 1, 0]])
    assert analytic.greatest(x, 1).tolist() == [4, 2]
    assert analytic.greatest(x, 0).tolist() == [2, 4, 4]
    assert analytic.share_of_greatest(x, 1).tolist() == [[0, 0.5, 0.5], [1, 0, 0]]
    moved = analytic.greatest(x + 1j * H * np.array([[7, 1, 3], [5, 7, 7]]), 1)
    assert moved.real.tolist() == [4, 2]
    assert moved.imag / H == pytest.approx([2, 5])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_keep_their_dtype(dtype: type[np.floating]) -> None:
    x = np.ones((2, 3), dtype)
    for result in (
        analytic.greatest(x, 0),
        analytic.share_of_greatest(x, 0),
        analytic.minimum(x, x),
        analytic.xlogx(x),
        analytic.power_slope(x, 0.5),
        analytic.power_slope(x, 0),
        *analytic.direction(x),
    ):
        assert result.dtype == dtype


def test_xlogx_at_0() -> None:
    with np.errstate(all="ignore"):
        x = np.array([0, 2, 0]) + 1j * H * np.array([0, 1, 1])
        result = analytic.xlogx(x)
    assert result.real == pytest.approx([0, 2 * log(2), 0])
    assert result.imag / H == pytest.approx([0, log(2) + 1, -inf])


def test_what_does_not_move_stays_still_where_a_slope_is_infinite() -> None:
    with np.errstate(all="ignore"):
        for function in (analytic.square_root, analytic.log, lambda x: analytic.power(x, 0.5)):
            assert function(np.array([0j])).imag.tolist() == [0]
            assert function(np.array([1e-300 + 0j, H * 1j])).imag.tolist() == [0, inf]


@pytest.mark.parametrize("size", [1e-300, 1.0, 1e300])
def test_direction_of_a_row(size: float) -> None:
    unit, length = analytic.direction(size * np.array([[3.0, 4], [0, 0]]))
    assert unit == pytest.approx(np.array([[0.6, 0.8], [0, 0]]), rel=1e-15, abs=0)
    assert length == pytest.approx(np.array([[5 * size], [inf]]), rel=1e-15, abs=0)


def test_direction_turns_with_its_row() -> None:
    unit, length = analytic.direction(
        np.array([[3 - 4j * H, 4 + 3j * H], [3 + 3j * H, 4 + 4j * H], [1j * H, 0]])
    )
    assert unit.imag / H == pytest.approx(np.array([[-0.8, 0.6], [0, 0], [0, 0]]), abs=1e-15)
    assert length.imag / H == pytest.approx(np.array([[0], [5], [0]]), abs=1e-15)


def test_error_functions_of_single_and_of_unknown_numbers() -> None:
    assert analytic.erf(np.array(0.25)).shape == analytic.erfc(np.array(3.0)).shape == ()
    x = np.array([nan, -inf, inf])
    assert analytic.erf(x).tolist()[1:] == [-1, 1]
    assert analytic.erfc(x).tolist()[1:] == [2, 0]
    assert np.isnan([analytic.erf(x)[0], analytic.erfc(x)[0]]).all()

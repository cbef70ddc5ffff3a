"""Sizes, lengths and directions, at the ends of the range of a dtype too."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from deltawire_layers.numeric import analytic, lengths

H = 1e-200


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_magnitude_is_a_power_of_two_next_to_the_greatest(dtype: type[Any]) -> None:
    limits = np.finfo(dtype)
    x = np.array(
        [[3, -5], [0, 0], [np.inf, 1], [np.nan, 1], [limits.max, 1], [0, limits.smallest_subnormal]], dtype
    )
    size = lengths.magnitude(x)
    assert size.dtype == dtype
    assert size[:, 0].tolist() == [4, 1, 1, 1, 2.0 ** (limits.maxexp - 1), float(limits.smallest_normal)]
    assert lengths.magnitude(x[:1], (0, 1)).tolist() == [[4]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_directions_keep_their_dtype(dtype: type[np.floating]) -> None:
    assert {part.dtype for part in lengths.direction(np.ones((2, 3), dtype))} == {np.dtype(dtype)}


@pytest.mark.parametrize("size", [1e-300, 1.0, 1e300])
def test_direction_of_a_row(size: float) -> None:
    unit, root, scale = lengths.direction(size * np.array([[3.0, 4], [0, 0]]))
    assert unit == pytest.approx(np.array([[0.6, 0.8], [0, 0]]), rel=1e-15, abs=0)
    assert root * scale == pytest.approx(np.array([[5 * size], [math.inf]]), rel=1e-15, abs=0)


def test_direction_turns_with_its_row() -> None:
    unit, root, size = lengths.direction(
        np.array([[3 - 4j * H, 4 + 3j * H], [3 + 3j * H, 4 + 4j * H], [1j * H, 0]])
    )
    assert unit.imag / H == pytest.approx(np.array([[-0.8, 0.6], [0, 0], [0, 0]]), abs=1e-15)
    assert analytic.scale(root, size).imag / H == pytest.approx(np.array([[0], [5], [0]]), abs=1e-15)


def test_bounded_vectors_have_the_same_products() -> None:
    a, b = np.array([[[1e30, 2e30]]], np.float32), np.array([[[3e30, 1e30]]], np.float32)
    with np.errstate(over="ignore"):
        small, other, factor = lengths.bounded(a, b)
    assert np.isfinite(small @ other.swapaxes(-1, -2)).all()
    assert np.asarray(factor).item() == np.finfo(np.float32).max
    still, also, one = lengths.bounded(a / a, b)
    assert (still.tolist(), also is b, one) == ([[[1, 1]]], True, 1)

"""Sums over leading axes, examples and the last axis, beside numpy's own on the whole array."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deltawire_layers.numeric import sums

DTYPES = [np.float32, np.float64, np.complex128]


def numbers(*shape: int, dtype: type[Any] = np.float64) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


def test_rows_flattens_leading_axes_also_when_they_are_empty() -> None:
    assert sums.rows(np.zeros((2, 3, 4))).shape == (6, 4)
    assert sums.rows(np.zeros((2, 0, 4))).shape == (0, 4)
    assert sums.rows(np.zeros((2, 0))).shape == (2, 0)
    assert sums.rows(np.zeros((2, 3, 0))).shape == (6, 0)
    matrix = np.zeros((2, 3))
    assert sums.rows(matrix) is matrix


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 3), (2, 3), (2, 5, 3), (0, 3), (20_000, 2), (100, 200, 3)])
def test_sum_rows_is_numpys_sum_over_all_leading_axes(shape: tuple[int, ...], dtype: type[Any]) -> None:
    array = numbers(*shape, dtype=dtype)
    total = sums.sum_rows(array)
    assert (total.shape, total.dtype) == (shape[-1:], dtype)
    expected = array.astype(np.complex128).sum(axis=tuple(range(len(shape) - 1)))
    size = np.abs(array.astype(np.complex128)).sum(axis=tuple(range(len(shape) - 1)))
    assert (np.abs(total - expected) <= (3e-7 if dtype is np.float32 else 3e-15) * size).all()


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 2, 3), (4, 0)])
def test_sum_example_leaves_one_number_for_each(shape: tuple[int, ...]) -> None:
    array = numbers(*shape)
    np.testing.assert_allclose(sums.sum_example(array), [example.sum() for example in array], rtol=1e-14)


def test_expand_batch_scales_each_example() -> None:
    delta, like = np.array([1.0, 10.0]), np.ones((2, 3, 2))
    assert (sums.expand_batch(delta, like) * like).sum(axis=(1, 2)).tolist() == [6, 60]
    assert sums.expand_batch(delta, delta).shape == (2,)


@pytest.mark.parametrize("dtype", DTYPES)
def test_scatter_rows_adds_what_was_looked_up_several_times(dtype: type[Any]) -> None:
    index = np.array([[2, 0], [2, 2]])
    delta = np.array([[[1, 2], [4, 8]], [[16, 32], [64, 128]]], dtype)
    gradient = sums.scatter_rows(index, delta, (4, 2))
    assert gradient.dtype == dtype
    assert gradient.tolist() == [[4, 8], [0, 0], [81, 162], [0, 0]]


@pytest.mark.parametrize("most", [2, 20, 30])
@pytest.mark.parametrize("table", [1, 3, 500])
def test_scatter_rows_has_the_same_bits_however_it_is_cut(
    most: int, table: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = np.random.default_rng(table)
    index, delta = stream.integers(0, table, (40, 5)), stream.normal(size=(40, 5, 2)).astype(np.float32)
    expected = np.zeros((table, 2))
    np.add.at(expected, index, delta)
    whole = sums.scatter_rows(index, delta, (table, 2))
    np.testing.assert_allclose(whole, expected, rtol=1e-4, atol=1e-5)
    monkeypatch.setattr(sums, "SCATTERED_NUMBERS", most)
    assert sums.scatter_rows(index, delta, (table, 2)).tobytes() == whole.tobytes()


def test_scatter_rows_of_nothing() -> None:
    assert sums.scatter_rows(np.zeros((2, 0), int), np.zeros((2, 0, 3)), (4, 3)).tolist() == [[0] * 3] * 4


def test_inner_keeps_one_place() -> None:
    a, b = numbers(2, 3, 4), numbers(2, 3, 4)[..., ::-1]
    np.testing.assert_allclose(sums.inner(a, b), (a * b).sum(axis=-1, keepdims=True), rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [64, 250, 1000])
def test_sums_of_rows_do_not_depend_on_their_layout(count: int, dtype: str) -> None:
    column = np.random.default_rng(0).normal(size=(count, 1)).astype(dtype)
    one_for_all = np.broadcast_to(column, (count, 70))
    right = sums.sum_rows(one_for_all.copy()).tobytes()
    assert sums.sum_rows(one_for_all).tobytes() == right
    assert sums.sum_rows(np.asfortranarray(one_for_all)).tobytes() == right

"""Softmax, norms and sums over channels, compared with numpy in a wider format, for all shapes of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.kernels

DTYPES = st.sampled_from(["float32", "float64"])
COUNTS = st.integers(1, 70)
SEEDS = st.integers(0, 2**32 - 1)


def close(got: Any, exact: Any, size: Any, ulps: float = 4) -> None:
    """Compare in roundings of a size, the greatest of the numbers that made the result."""
    assert (np.abs(got - exact) <= ulps * np.finfo(got.dtype).eps * size).all()


@given(rows=st.integers(1, 5), count=COUNTS, dtype=DTYPES, seed=SEEDS)
def test_softmax_and_its_delta(rows: int, count: int, dtype: str, seed: int) -> None:
    import deltawire_kernels

    random = np.random.default_rng(seed)
    x, delta = (3 * random.normal(size=(2, rows, count))).astype(dtype)
    wide = x.astype(np.longdouble)
    y, below, (most, log_total) = np.empty_like(x), np.empty_like(x), np.empty((2, rows, 1), dtype)
    deltawire_kernels.softmax(x, y, most, log_total, -np.inf)
    powers = np.exp(wide - wide.max(axis=1, keepdims=True))
    total = powers.sum(axis=1, keepdims=True)
    np.testing.assert_array_equal(most, x.max(axis=1, keepdims=True))
    close(log_total, np.log(total), np.maximum(1, np.log(total)))
    close(y, powers / total, powers / total * (1 + np.abs(wide - most)))
    deltawire_kernels.softmax_delta(y, delta, below, rows)
    exact = y.astype(np.longdouble)
    mean = (exact * delta).sum(axis=1, keepdims=True)
    close(
        below,
        exact * (delta - mean),
        y * (np.abs(delta) + (exact * np.abs(delta)).sum(axis=1, keepdims=True)),
    )


def test_equal_deltas_of_softmax_vanish() -> None:
    import deltawire_kernels

    y, delta = np.array([[0.3, 0.2, 0.4]], np.float32), np.full((1, 3), 0.7, np.float32)
    deltawire_kernels.softmax_delta(y, delta, delta, 1)
    np.testing.assert_array_equal(delta, 0)


def test_softmax_of_rows_without_a_number() -> None:
    import deltawire_kernels

    x = np.array([[-np.inf, -np.inf], [0, -np.inf], [np.nan, 0], [np.inf, 0]], np.float32)
    y, (most, log_total) = np.empty_like(x), np.empty((2, 4, 1), np.float32)
    deltawire_kernels.softmax(x, y, most, log_total, np.finfo(np.float32).min)
    np.testing.assert_array_equal(y, [[0, 0], [1, 0], [np.nan, np.nan], [np.nan, np.nan]])


SHAPES = st.tuples(
    st.integers(1, 4), st.integers(1, 3), st.integers(1, 20), st.sampled_from([1, 1, 2, 9, 33])
)
"""Examples, groups, channels of a group, places of a channel."""


@given(shape=SHAPES, dtype=DTYPES, centred=st.booleans(), parameters=st.integers(0, 2), seed=SEEDS)
def test_a_norm_its_delta_and_its_gradients(
    shape: tuple[int, int, int, int], dtype: str, centred: bool, parameters: int, seed: int
) -> None:
    import deltawire_kernels

    examples, groups, channels, places = shape
    random = np.random.default_rng(seed)
    x, delta = (random.normal(size=(2, *shape)) + 2).astype(dtype)
    weight, bias = random.normal(size=(2, groups, channels)).astype(dtype)
    value, moments, below = np.empty_like(x), np.empty((examples * groups, 3), dtype), np.empty_like(x)
    given_weight, given_bias = weight if parameters else None, bias if parameters == 2 else None
    assert deltawire_kernels.norm(
        x, given_weight, given_bias, value, moments, groups, channels, 1e-3, centred
    )
    wide = x.astype(np.longdouble)
    mean = wide.mean(axis=(2, 3), keepdims=True) if centred else np.longdouble(0)
    size = np.sqrt(((wide - mean) ** 2).mean(axis=(2, 3), keepdims=True) + 1e-3)
    y = (wide - mean) / size
    factor = weight[..., None].astype(np.longdouble) if parameters else np.longdouble(1)
    summand = bias[..., None] if parameters == 2 else np.longdouble(0)
    # Two floats have 48 digits together.
    got_mean = moments[:, 0].astype(float) + moments[:, 1]
    assert (np.abs(got_mean - np.ravel(mean + 0 * size)) <= 2.0**-46 * np.abs(wide).max()).all()
    close(moments[:, 2], 1 / size.ravel(), 1 / size.ravel())
    from_mean = (np.abs(wide) + np.abs(mean)) / size
    close(value, factor * y + summand, np.abs(factor) * from_mean + np.abs(summand))
    sums = np.empty((2, groups, channels) if places == 1 else (examples, groups, 2, channels))
    deltawire_kernels.norm_sums(x, moments, delta, sums, groups, channels)
    known = None if places == 1 else sums
    deltawire_kernels.norm_delta(
        x, moments, given_weight, delta, known, below, groups, channels, 1e-3, centred
    )
    g = factor * delta
    along = (g * y).mean(axis=(2, 3), keepdims=True)
    level = g.mean(axis=(2, 3), keepdims=True) if centred else np.longdouble(0)
    terms = np.abs(g) + np.abs(g).mean(axis=(2, 3), keepdims=True) * (1 + from_mean * from_mean.max())
    close(below, (g - level - y * along) / size, terms / size)
    level_sums, along_sums = sums if places == 1 else sums.sum(axis=0).swapaxes(0, 1)
    close(
        level_sums.astype(dtype), delta.astype(np.longdouble).sum(axis=(0, 3)), np.abs(delta).sum(axis=(0, 3))
    )
    close(
        along_sums.astype(dtype), (delta * y).sum(axis=(0, 3)), (np.abs(delta) * from_mean).sum(axis=(0, 3))
    )


@given(shape=SHAPES, dtype=DTYPES, parameters=st.integers(0, 2), seed=SEEDS)
def test_given_moments_and_their_delta(
    shape: tuple[int, int, int, int], dtype: str, parameters: int, seed: int
) -> None:
    import deltawire_kernels

    examples, channels, places = shape[0], shape[1] * shape[2], shape[3]
    random = np.random.default_rng(seed)
    x, delta = (random.normal(size=(2, examples, channels, places)) + 2).astype(dtype)
    weight, bias = random.normal(size=(2, channels)).astype(dtype)
    moments = random.uniform(0.5, 2, size=(examples * channels, 3)).astype(dtype)
    moments[:, 1] = 0
    mean, factor = (moments[:, i].astype(np.longdouble).reshape(examples, channels, 1) for i in (0, 2))
    given_weight, given_bias = weight if parameters else None, bias if parameters == 2 else None
    value, below = np.empty_like(x), np.empty_like(x)
    deltawire_kernels.standardise(x, given_weight, given_bias, value, moments, channels, 1)
    w = weight[:, None].astype(np.longdouble) if parameters else np.longdouble(1)
    b = bias[:, None] if parameters == 2 else np.longdouble(0)
    exact = w * ((x - mean) * factor)
    close(value, exact + b, np.abs(exact) + np.abs(b))
    deltawire_kernels.standardise_delta(moments, given_weight, delta, below, channels, 1)
    close(below, w * delta * factor, np.abs(w * delta * factor))


def test_a_norm_beyond_the_greatest_float_is_left_to_numpy() -> None:
    import deltawire_kernels

    x = np.array([[1e200, -1e200]])
    assert not deltawire_kernels.norm(x, None, None, x.copy(), np.empty((1, 3)), 1, 2, 1e-5, True)


def test_a_float_of_any_size_is_normalised() -> None:
    import deltawire_kernels

    x = np.array([[3e38, -3e38], [1e-30, -1e-30]], np.float32)
    y = np.empty_like(x)
    assert deltawire_kernels.norm(x, None, None, y, np.empty((2, 3), np.float32), 1, 2, 1e-30, True)
    np.testing.assert_allclose(y, [[1, -1], [1e-15, -1e-15]], rtol=1e-6)


@given(rows=st.integers(1, 9), width=COUNTS, count=st.integers(1, 60), dtype=DTYPES, seed=SEEDS)
def test_rows_that_were_looked_up(rows: int, width: int, count: int, dtype: str, seed: int) -> None:
    import deltawire_kernels

    random = np.random.default_rng(seed)
    index, delta = random.integers(0, rows, count), random.normal(size=(count, width)).astype(dtype)
    sums = np.full((rows, width), np.nan, dtype)
    deltawire_kernels.scatter(index, delta, sums, rows)
    exact, size = np.zeros((2, rows, width), np.longdouble)
    np.add.at(exact, index, delta)
    np.add.at(size, index, np.abs(delta))
    close(sums, exact, size, ulps=8)


@given(seed=SEEDS)
def test_long_sums_keep_their_digits(seed: int) -> None:
    import deltawire_kernels

    a = np.random.default_rng(seed).random((200_000, 3), np.float32)
    moments = np.tile(np.float32([0, 0, 1]), (len(a), 1))
    both = np.empty((2, 3))
    deltawire_kernels.norm_sums(a, moments, a, both, 1, 3)
    np.testing.assert_allclose(both[0], a.sum(axis=0, dtype=np.float64), rtol=2e-7)
    np.testing.assert_allclose(both[1], np.square(a, dtype=np.float64).sum(axis=0), rtol=2e-7)
    sums = np.empty(3, np.float32)
    deltawire_kernels.scatter(np.zeros(len(a), np.int64), a, sums, 1)
    np.testing.assert_allclose(sums, a.sum(axis=0, dtype=np.float64), rtol=2e-7)

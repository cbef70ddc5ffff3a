"""Losses of rows with a label each, compared with numpy in a wider format."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.kernels


@given(
    examples=st.integers(1, 4),
    places=st.integers(1, 3),
    count=st.integers(1, 70),
    per_row=st.booleans(),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_softmax_nll_and_its_delta(
    examples: int, places: int, count: int, per_row: bool, dtype: str, seed: int
) -> None:
    import deltawire_kernels

    random = np.random.default_rng(seed)
    x = (3 * random.normal(size=(examples, places, count))).astype(dtype)
    delta = random.normal(size=(examples, places) if per_row else examples).astype(dtype)
    labels = random.integers(0, count, (examples, places))
    p, losses, below = np.empty_like(x), np.empty((examples, places), dtype), np.empty_like(x)
    deltawire_kernels.softmax_nll(x, labels, p, losses)
    deltawire_kernels.softmax_nll_delta(p, labels, delta, below)

    wide, eps = x.astype(np.longdouble), np.finfo(dtype).eps
    wide -= wide.max(axis=-1, keepdims=True)
    logs = wide - np.log(np.exp(wide).sum(axis=-1, keepdims=True))
    exact = np.exp(logs)
    np.testing.assert_allclose(losses, -np.take_along_axis(logs, labels[..., None], -1)[..., 0], 0, 40 * eps)
    np.testing.assert_allclose(p, exact, rtol=40 * eps)
    exact -= np.arange(count) == labels[..., None]
    exact *= delta.reshape(*delta.shape, *(1,) * (3 - delta.ndim))
    np.testing.assert_allclose(below, exact, rtol=0, atol=40 * eps * np.abs(delta).max())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_has_the_bits_of_softmax(dtype: str) -> None:
    import deltawire_kernels

    random = np.random.default_rng(0)
    x, labels = (9 * random.normal(size=(40, 17))).astype(dtype), random.integers(0, 17, 40)
    delta = random.normal(size=40).astype(dtype)
    p, losses, below = np.empty_like(x), np.empty(40, dtype), np.empty_like(x)
    deltawire_kernels.softmax_nll(x, labels, p, losses)
    deltawire_kernels.softmax_nll_delta(p, labels, delta, below)
    y, (most, logs) = np.empty_like(x), np.empty((2, 40), dtype)
    deltawire_kernels.softmax(x, y, most, logs, -np.inf)
    own = np.arange(40), labels
    assert (p == y).all() and (losses == logs - (x[own] - most)).all()
    y[own] -= 1
    assert (below == y * delta[:, None]).all()


@pytest.mark.parametrize("label", [-1, 3, 2**40])
def test_a_label_beyond_its_row_is_refused(label: int) -> None:
    import deltawire_kernels

    x, labels = np.zeros((2, 3)), np.array([0, label])
    with pytest.raises(IndexError):
        deltawire_kernels.softmax_nll(x, labels, x.copy(), np.zeros(2))
    with pytest.raises(IndexError):
        deltawire_kernels.softmax_nll_delta(x, labels, np.ones(2), x.copy())


def test_sizes_that_do_not_fit_are_refused() -> None:
    import deltawire_kernels

    x, labels = np.zeros((2, 3)), np.zeros(2, np.int64)
    for p, losses in ((np.zeros((2, 2)), np.zeros(2)), (x.copy(), np.zeros(3))):
        with pytest.raises(ValueError, match="differ in size"):
            deltawire_kernels.softmax_nll(x, labels, p, losses)
    for delta in (np.ones(3), np.ones(0)):
        with pytest.raises(ValueError, match="do not fill"):
            deltawire_kernels.softmax_nll_delta(x, labels, delta, x.copy())

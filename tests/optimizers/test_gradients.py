"""Norms and clipping: against numpy, math.fsum and torch."""

from __future__ import annotations

import tracemalloc
from math import fsum, hypot, inf, sqrt

import numpy as np
import pytest
from support.training import drawn

from deltawire_optimizers import global_norm, scale_to_norm, squared_norm


def test_the_norm_is_that_of_one_vector() -> None:
    gradients = drawn()
    exact = sqrt(fsum(float(x) ** 2 for array in gradients.values() for x in array.ravel()))
    assert global_norm(gradients) == pytest.approx(exact, rel=1e-14)
    assert global_norm({}) == 0 and global_norm({"none": np.ones((0, 3))}) == 0


def test_float32_is_summed_in_float64() -> None:
    tiny = np.full(100_000, 1e-30, np.float32)
    assert squared_norm(tiny) == pytest.approx(1e5 * float(tiny[0]) ** 2, rel=1e-12)
    assert squared_norm(np.full(10, 3e38, np.float32)) == pytest.approx(9e77, rel=1e-6)


def test_the_norm_of_large_numbers_is_that_of_hypot() -> None:
    numbers = [3e200, -1.7e307, 2e150, 0.5]
    gradients = {"a": np.array(numbers[:1]), "b": np.array(numbers[1:])}
    assert global_norm(gradients) == pytest.approx(hypot(*numbers), rel=1e-14)
    assert global_norm({"a": np.full(4, 1.5e308)}) == inf


@pytest.mark.parametrize("wrong", [inf, -inf, np.nan])
def test_what_is_not_finite_makes_the_norm_so(wrong: float) -> None:
    array = np.zeros((100, 100))
    array[70, 3] = wrong
    assert not np.isfinite(squared_norm(array))


def test_the_layout_does_not_change_the_bits() -> None:
    array = np.random.default_rng(0).normal(size=(300, 70))
    assert squared_norm(array) == squared_norm(np.asfortranarray(array))


def test_a_norm_allocates_no_array() -> None:
    array = np.ones(1_000_000, np.float32)
    tracemalloc.start()
    try:
        squared_norm(array)
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()


def test_smaller_gradients_stay_as_they_are() -> None:
    assert scale_to_norm(0.5, 1.0) == 1.0 and scale_to_norm(0.0, 1.0) == 1.0
    assert scale_to_norm(4.0, 1.0) == pytest.approx(0.25, rel=1e-6)


@pytest.mark.torch
@pytest.mark.parametrize("max_norm", [1e-3, 1.0, 50.0, 1e4])
def test_the_scale_is_that_of_torch(max_norm: float) -> None:
    torch = pytest.importorskip("torch")
    gradients = drawn()
    tensors = [
        torch.zeros(array.shape, dtype=torch.float64, requires_grad=True) for array in gradients.values()
    ]
    for tensor, array in zip(tensors, gradients.values(), strict=True):
        tensor.grad = torch.tensor(array)
    norm = torch.nn.utils.clip_grad_norm_(tensors, max_norm)
    assert global_norm(gradients) == pytest.approx(norm.item(), rel=1e-12)
    scale = scale_to_norm(global_norm(gradients), max_norm)
    for tensor, array in zip(tensors, gradients.values(), strict=True):
        np.testing.assert_allclose(array * scale, tensor.grad.numpy(), rtol=1e-12)

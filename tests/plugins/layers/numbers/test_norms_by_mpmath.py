"""Deltas of norms where digits were lost, beside the definition in 60 digits."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from support.layers import BUILT_IN

DTYPES = [np.float32, np.float64]


def numbers(array: np.ndarray) -> list[Any]:
    return [mpmath.mpf(float(number)) for number in array.ravel()]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", ["least", "usual", "great"])
@pytest.mark.parametrize("shape", [(2,), (2, 3)])
def test_the_delta_of_a_variance(dtype: type[Any], scale: str, shape: tuple[int, ...]) -> None:
    """−½ Σ w δ (x − mean) / (var + eps)^(3/2), also of the least numbers that there are."""
    limits, rng = np.finfo(dtype), np.random.default_rng(4)
    size = {"least": 100 * float(limits.smallest_subnormal), "usual": 1.0, "great": float(limits.max) ** 0.4}
    x = (size[scale] * rng.standard_normal((1, *shape))).astype(dtype)
    mean = np.zeros((1, 2), dtype)
    variance = np.abs(size[scale] * rng.standard_normal((1, 2))).astype(dtype)
    delta = rng.standard_normal((1, *shape)).astype(dtype)
    params = {"weight": np.array([1.5, -0.75], dtype), "bias": np.zeros(2, dtype)}
    activation = BUILT_IN["batch_norm"]().forward(params, x, mean, variance)
    equation = activation.deltas[2]
    assert equation is not None
    found = equation(activation.signal(delta))
    with mpmath.workdps(60):
        eps = mpmath.mpf(float(dtype(1e-5)))
        for channel in range(2):
            terms = zip(numbers(delta[0, channel]), numbers(x[0, channel]), strict=True)
            var = mpmath.mpf(float(variance[0, channel])) + eps
            size_of_terms = [float(params["weight"][channel]) * d * n / 2 / var**1.5 for d, n in terms]
            allowed = 8 * float(limits.eps) * float(sum(map(abs, size_of_terms)))
            allowed += 8 * float(limits.smallest_subnormal)
            assert abs(float(found[0, channel]) + float(sum(size_of_terms))) <= allowed


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["layer_norm", "rms_norm"])
@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 1e4])
def test_what_the_numbers_do_not_feel_is_as_small_as_it_is(dtype: type[Any], kind: str, scale: float) -> None:
    """δ of alternating numbers is nearly 0 where the numbers themselves point; eps decides what stays."""
    x = (scale * np.array([[1.0, -1.0, 1.0]])).astype(dtype)
    delta = np.array([[0.3, -0.2, 0.9]], dtype)
    activation = BUILT_IN[kind](affine=False).forward({}, x)
    equation = activation.deltas[0]
    assert equation is not None
    found = equation(activation.signal(delta))[0]
    with mpmath.workdps(60):
        values, d, eps = numbers(x), numbers(delta), mpmath.mpf(1e-5)
        centre = mpmath.fsum(values) / 3 if kind == "layer_norm" else mpmath.mpf(0)
        apart = [number - centre for number in values]
        length = mpmath.sqrt(mpmath.fsum(a * a for a in apart) / 3 + eps)
        along = mpmath.fsum(a * b for a, b in zip(apart, d, strict=True)) / 3 / length**2
        back = [(b - a * along) / length for a, b in zip(apart, d, strict=True)]
        rest = mpmath.fsum(back) / 3 if kind == "layer_norm" else mpmath.mpf(0)
        right = [float(b - rest) for b in back]
    np.testing.assert_allclose(found, right, rtol=1e-5 if dtype is np.float32 else 1e-13, atol=
        float(np.finfo(dtype).eps) * max(map(abs, right)))  # fmt: skip

"""Losses at ±∞ are their limits, by mpmath; products that overflow follow IEEE 754."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from support.layers import BUILT_IN

INF = np.inf
DTYPES = [np.float32, np.float64]


def log_sigmoid(x: float) -> Any:
    return -mpmath.log(1 + mpmath.exp(-mpmath.mpf(x)))


def binary(x: float, t: float) -> Any:
    """−t log σ(x) − (1 − t) log σ(−x), without what has weight 0."""
    return -sum(w * log_sigmoid(s) for w, s in ((t, x), (1 - t, -x)) if w)


def focal(x: float, t: float) -> Any:
    sign = 1 if t else -1
    alpha = 0.25 if t else 0.75
    wrong = 1 / (1 + mpmath.exp(sign * mpmath.mpf(x)))
    return -alpha * wrong**2 * log_sigmoid(sign * x) if wrong else mpmath.mpf(0)


def kl(x: float, t: float) -> Any:
    return t * (mpmath.log(t) - mpmath.mpf(x)) if t else mpmath.mpf(0)


def poisson(x: float, t: float) -> Any:
    return mpmath.exp(mpmath.mpf(x)) - (t * mpmath.mpf(x) if t else 0)


CASES = [
    *(("binary_nll", binary, x, t) for x in (INF, -INF) for t in (0.0, 0.25, 1.0)),
    *(("focal", focal, x, t) for x in (INF, -INF) for t in (0.0, 1.0)),
    *(("kl_divergence", kl, -INF, t) for t in (0.0, 0.5)),
    *(("poisson_nll", poisson, -INF, t) for t in (0.0, 2.0)),
    ("binary_nll", binary, 3.0, 0.0),
    ("kl_divergence", kl, -3.0, 0.0),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("kind", "right", "x", "t"), CASES)
def test_a_loss_is_its_limit(kind: str, right: Any, x: float, t: float, dtype: type[Any]) -> None:
    """Beside a number that is usual, as a sum of both."""
    expected = float(right(x, t) + right(-0.5, 1.0))
    with np.errstate(all="ignore"):
        value = BUILT_IN[kind]().forward({}, np.array([[x, -0.5]], dtype), np.array([[t, 1.0]], dtype)).value
    np.testing.assert_allclose(value, [expected], rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("x", "t", "slope"), [(INF, 1, 0), (-INF, 0, 0), (INF, 0, 1), (-INF, 1, -1), (INF, 0.25, 0.75)]
)
def test_the_delta_of_a_score_is_the_error(x: float, t: float, slope: float, dtype: type[Any]) -> None:
    """σ(x) − t, also where the loss is infinite."""
    with np.errstate(all="ignore"):
        activation = BUILT_IN["binary_nll"]().forward({}, np.array([[x]], dtype), np.array([[t]], dtype))
    equation = activation.deltas[0]
    assert equation is not None
    np.testing.assert_array_equal(equation(activation.signal(np.ones(1, dtype))), [[slope]])


@pytest.mark.parametrize(("x", "t"), [(INF, 1.0), (-INF, 0.0)])
def test_the_complex_step_of_a_target_is_infinite_too(x: float, t: float) -> None:
    """∂loss/∂t = −x: what does not count adds nothing, but it would if the target moved."""
    with np.errstate(all="ignore"):
        moved = BUILT_IN["binary_nll"]().forward({}, np.array([[x + 0j]]), np.array([[t + 1e-200j]])).value
    assert moved.real == 0 and moved.imag == -x


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["dot", "matmul", "einsum"])
def test_products_that_overflow_do_not_cancel(kind: str, dtype: type[Any]) -> None:
    """IEEE 754: ∞ − ∞ is NaN, or ∞ where products are fused with sums. The service refuses both by name."""
    great = float(np.finfo(dtype).max) ** 0.75
    a, b = np.array([[great, great]], dtype), np.array([[great, -great]], dtype)
    if kind == "matmul":
        a, b = a[:, None, :], b[:, :, None]
    layer = BUILT_IN[kind](**({"equation": "i,i->"} if kind == "einsum" else {}))
    with np.errstate(all="ignore"):
        assert not np.isfinite(layer.forward({}, a, b).value).any()

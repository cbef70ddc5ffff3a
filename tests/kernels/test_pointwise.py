"""Functions of one number, compared with mpmath in 40 digits, and at the ends of what a float can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

pytestmark = pytest.mark.kernels

Real = Callable[[Any], Any]


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mpmath.exp(-x))


def below(x: Any) -> Any:
    """Φ(x), from the tail."""
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2


def tanh_argument(x: Any) -> Any:
    """2 √(2/π) (x + 0.044715 x³), which a sigmoid takes for Φ."""
    return 2 * mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf("0.044715") * x**3)


FUNCTIONS: dict[str, Real] = {
    "sigmoid": sigmoid,
    "tanh": mpmath.tanh,
    "silu": lambda x: x * sigmoid(x),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(-abs(x))) + max(x, 0),
    "gelu": lambda x: x * below(x),
    "gelu_tanh": lambda x: x * sigmoid(tanh_argument(x)),
    "erf": mpmath.erf,
}

SLOPES: dict[str, Real] = {
    "sigmoid": lambda x: sigmoid(x) * sigmoid(-x),
    "tanh": lambda x: 1 / mpmath.cosh(x) ** 2,
    "silu": lambda x: sigmoid(x) * (1 + x * sigmoid(-x)),
    "softplus": sigmoid,
    "gelu": lambda x: below(x) + x * mpmath.exp(-x * x / 2) / mpmath.sqrt(2 * mpmath.pi),
    "gelu_tanh": lambda x: mpmath.diff(FUNCTIONS["gelu_tanh"], x),
    "erf": lambda x: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x),
}

VALUE_ULPS, SLOPE_ULPS = 3, 4
"""Roundings that a result may be off: its own, those of its terms, or what one of its argument does to it."""

TERMS: dict[str, Real] = {
    "silu": lambda x: x * sigmoid(x) * sigmoid(-x),
    "gelu": lambda x: x * mpmath.exp(-x * x / 2) / mpmath.sqrt(2 * mpmath.pi),
    "gelu_tanh": lambda x: SLOPES["gelu_tanh"](x) - sigmoid(tanh_argument(x)),
}
"""The second term of a slope, which may cancel the first."""


def numbers(dtype: str, count: int) -> Any:
    random = np.random.default_rng(len(dtype) + count)
    spread = [
        random.uniform(-12, 12, count),
        random.normal(size=count),
        10.0 ** random.uniform(-35, 1, count),
    ]
    return np.concatenate([*spread, [0.0, -0.0, 1.0, -1.0, 0.875, -0.875]]).astype(dtype)


def worst(got: Any, x: Any, exact: Real, term: Real = lambda x: 0) -> tuple[float, float]:
    """Return the greatest error in roundings, and where it is.

    Args:
        got: the results.
        x: their arguments.
        exact: the function in any precision.
        term: a term of which it is the sum.
    """
    found, eps = (0.0, 0.0), np.finfo(x.dtype).eps
    with mpmath.workdps(40):
        for at, value in zip(x.tolist(), got, strict=True):
            right = exact(mpmath.mpf(at))
            ulp = float(np.spacing(np.maximum(abs(value.dtype.type(float(right))), np.finfo(x.dtype).tiny)))
            moved = abs(mpmath.diff(exact, at, h=mpmath.mpf("1e-12")) * at) * eps
            terms = abs(term(mpmath.mpf(at))) * eps
            # A subnormal factor is off by its last place; x, or x³ in gelu by tanh, makes that greater.
            subnormal = max(1, abs(at)) ** 3 * float(np.finfo(x.dtype).smallest_subnormal)
            error = float(abs(mpmath.mpf(float(value)) - right) / max(ulp, moved, terms, subnormal))
            found = max(found, (error, at))
    return found


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(("dtype", "count"), [("float32", 1000), ("float64", 300)])
def test_the_value_is_that_of_mpmath(function: str, dtype: str, count: int) -> None:
    import deltawire_kernels

    x = numbers(dtype, count)
    y = np.empty_like(x)
    deltawire_kernels.value(deltawire_kernels.functions.index(function), x, y)
    error, at = worst(y, x, FUNCTIONS[function])
    assert error <= VALUE_ULPS, f"{function}({at!r}) is {error:.1f} roundings off"


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(("dtype", "count"), [("float32", 1000), ("float64", 300)])
def test_the_slope_is_that_of_mpmath(function: str, dtype: str, count: int) -> None:
    import deltawire_kernels

    x = numbers(dtype, count)
    slope = np.empty_like(x)
    deltawire_kernels.delta(deltawire_kernels.functions.index(function), x, np.ones_like(x), slope)
    error, at = worst(slope, x, SLOPES[function], TERMS.get(function, lambda x: 0))
    assert error <= SLOPE_ULPS, f"the slope of {function} at {at!r} is {error:.1f} roundings off"


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_no_ordinary_number_goes_through(function: str, dtype: str) -> None:
    """The limits at ±∞, NaN, −0, numbers too small to be normal, and the greatest ones."""
    import deltawire_kernels

    greatest, smallest = np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal
    x = np.array([np.nan, np.inf, -np.inf, -0.0, smallest, greatest, -greatest], dtype)
    above, lowest = {"sigmoid": (1, 0), "tanh": (1, -1), "erf": (1, -1)}.get(function, (np.inf, 0))
    middle = {"sigmoid": 0.5, "softplus": np.log(np.asarray(2, dtype))}.get(function, -0.0)
    number = deltawire_kernels.functions.index(function)
    y, slope = np.empty_like(x), np.empty_like(x)
    deltawire_kernels.value(number, x, y)
    deltawire_kernels.delta(number, x, np.ones_like(x), slope)
    assert np.isnan(y[0]) and np.isnan(slope[0])
    assert (y[1], y[2]) == (above, lowest)
    assert y[3] == middle and np.signbit(y[3]) == np.signbit(middle)
    assert y[5] == (above if above == 1 else greatest) and y[6] == lowest
    flat = 0 if function in ("sigmoid", "tanh", "erf") else 1
    np.testing.assert_array_equal(slope[[1, 2, 5, 6]], np.array([flat, 0, flat, 0], dtype))
    assert np.isfinite(slope[[3, 4]]).all()


@pytest.mark.parametrize("function", ["silu", "gelu", "gelu_tanh"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_value_and_slope_in_one_pass_have_the_bits_of_each_alone(function: str, dtype: str) -> None:
    import deltawire_kernels

    special = [np.inf, -np.inf, np.finfo(dtype).smallest_subnormal, np.finfo(dtype).max, np.nan]
    x = np.concatenate([numbers(dtype, 1001), special]).astype(dtype)
    alone, together = np.empty((2, 2, x.size), dtype)
    number = deltawire_kernels.functions.index(function)
    deltawire_kernels.value(number, x, alone[0])
    deltawire_kernels.delta(number, x, np.ones_like(x), alone[1])
    deltawire_kernels.value_and_slope(number, x, *together)
    assert together[:, :-1].tobytes() == alone[:, :-1].tobytes()
    assert np.isnan(together[:, -1]).all()

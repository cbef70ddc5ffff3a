"""Functions of one number, compared with exact ones, and at the ends of what a float can be."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from support.exact_functions import EXACT, functions
from support.layers import THOROUGH

pytestmark = pytest.mark.kernels

README = Path(__file__).parents[2] / "plugins" / "kernels" / "README.md"


class Doubles:
    """Functions of arrays of float64."""

    exp, log1p, tanh, sqrt, maximum, where = np.exp, np.log1p, np.tanh, np.sqrt, np.maximum, np.where
    erf, erfc = np.vectorize(math.erf, otypes=[float]), np.vectorize(math.erfc, otypes=[float])
    pi, one = np.pi, 1.0


IN_DOUBLES = functions(Doubles)
FUNCTIONS = list(EXACT)
REACH = {"silu": 1, "gelu": 1, "gelu_tanh": 3}
"""The power of |x| that multiplies a factor of a derivative, off by its last place where it is subnormal."""


def allowed() -> dict[str, tuple[float, float]]:
    """Return how many units in the last place the README allows each value and derivative."""
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| ([\d.]+) ", README.read_text(), re.MULTILINE)
    return {name: (float(value), float(slope)) for name, value, slope in rows}


ALLOWED = allowed()


def computed(function: str, x: Any) -> Iterator[Any]:
    """Yield what the kernels make of numbers: the value, and the derivative."""
    import deltawire_kernels

    number, y = deltawire_kernels.functions.index(function), np.empty_like(x)
    deltawire_kernels.value(number, x, y)
    yield y
    slope = np.empty_like(x)
    deltawire_kernels.delta(number, x, np.ones_like(x), slope)
    yield slope


def units(exact: Any, dtype: Any) -> Any:
    """Return a unit in the last place of each exact number, given in float64."""
    exponent = np.frexp(np.abs(exact))[1] - np.finfo(dtype).nmant - 1
    return np.maximum(np.ldexp(1.0, exponent), float(np.finfo(dtype).smallest_subnormal))


def subnormal(function: str, x: Any) -> Any:
    """Return the error of a derivative of which a subnormal factor is off by its last place."""
    return np.maximum(np.abs(x), 1.0) ** REACH.get(function, 0) * float(np.finfo(x.dtype).smallest_subnormal)


def singles() -> Any:
    """Return float32 numbers: one of many bit patterns each, and close ones where functions bend."""
    bits = np.arange(0, 2**32, 1_009 if THOROUGH else 30_011, dtype=np.uint32).view(np.float32)
    close = [np.linspace(-most, most, bits.size // 4) for most in (1.5, 12, 110)]
    x = np.concatenate([bits, *[each.astype(np.float32) for each in close]])
    return x[np.abs(x) < 1e30]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_float32_is_dense_within_the_bounds_of_the_readme(function: str) -> None:
    """The oracle is float64, which the next test compares with mpmath."""
    x = singles()
    wide = x.astype(float)
    with np.errstate(all="ignore"):
        value, slope, term = (each(wide) for each in IN_DOUBLES[function])
    unit = np.maximum(units(slope, x.dtype), units(term, x.dtype))
    unit = np.maximum(unit, np.nan_to_num(subnormal(function, np.clip(x, -200, 200))))
    value_error, slope_error = (
        np.abs(got - right) / each
        for got, right, each in zip(
            computed(function, x), (value, slope), (units(value, x.dtype), unit), strict=True
        )
    )
    for name, error, most in zip(
        ("", "the slope of "), (value_error, slope_error), ALLOWED[function], strict=True
    ):
        at = int(np.argmax(error))
        assert error[at] <= most, f"{name}{function}({x[at]!r}) is {error[at]:.2f} units off"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_oracle_of_float32_is_that_of_mpmath(function: str) -> None:
    x = np.random.default_rng(7).choice(singles(), 400).astype(float)
    with np.errstate(all="ignore"):
        approximations = [each(x) for each in IN_DOUBLES[function]]
    with mpmath.workdps(40):
        for at, *found in zip(x.tolist(), *approximations, strict=True):
            for number, exact in zip(found, EXACT[function], strict=True):
                right = float(exact(mpmath.mpf(at)))
                # Where the terms cancel, the error is one of theirs.
                term = float(EXACT[function][2](mpmath.mpf(at)))
                assert number == pytest.approx(right, rel=1e-12, abs=1e-13 * term + 1e-60), at


@pytest.mark.parametrize("function", FUNCTIONS)
def test_float64_is_at_random_within_the_bounds_of_the_readme(function: str) -> None:
    random, count = np.random.default_rng(len(function)), 20_000 if THOROUGH else 400
    spread = [random.uniform(-most, most, count) for most in (1.5, 12, 45, 760)]
    x = np.concatenate([*spread, random.choice([-1, 1], count) * 10.0 ** random.uniform(-310, 3, count)])
    value, slope = computed(function, x)
    least = np.float64(np.finfo(float).smallest_subnormal)
    with mpmath.workdps(40):
        for at, *found, rest in zip(x.tolist(), value, slope, subnormal(function, x).tolist(), strict=True):
            exact, derivative, term = (each(mpmath.mpf(at)) for each in EXACT[function])
            rights, widest = (exact, derivative), (exact, max(abs(derivative), abs(term)))
            for got, right, wide, floor, most in zip(
                found, rights, widest, (least, rest), ALLOWED[function], strict=True
            ):
                unit = max(mpmath.ldexp(1, mpmath.frexp(wide)[1] - 53), floor)
                error = float(abs(mpmath.mpf(float(got)) - right) / unit)
                assert error <= most, f"{function}({at!r}) or its slope is {error:.2f} units off"


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
    ordinary = np.random.default_rng(5).normal(size=(3, 501)) * [[1e-20], [1], [20]]
    x = np.concatenate([ordinary.ravel(), special]).astype(dtype)
    alone, together = np.empty((2, 2, x.size), dtype)
    number = deltawire_kernels.functions.index(function)
    deltawire_kernels.value(number, x, alone[0])
    deltawire_kernels.delta(number, x, np.ones_like(x), alone[1])
    deltawire_kernels.value_and_slope(number, x, *together)
    assert together[:, :-1].tobytes() == alone[:, :-1].tobytes()
    assert np.isnan(together[:, -1]).all()

"""Functions that stay right under the complex step: their values, their slopes, their whole range."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from deltawire_layers.numeric import analytic

Array = NDArray[Any]
Function = Callable[[Array], Array]

H = 1e-200
DTYPES = [np.float32, np.float64, np.complex128]
EVERYWHERE = [-1e4, -800.0, -88.0, -6.5, -1.0, -1e-3, 0.0, 1e-3, 0.5, 1.0, 6.5, 88.0, 800.0, 1e4]
POSITIVE = [1e-300, 1e-3, 0.5, 1.0, 6.5, 800.0, 1e4]


def exp(x: float) -> float:
    return math.exp(x) if x < 709 else math.inf


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x)) if x > -709 else 0.0


def bell(x: float) -> float:
    return 2 / math.sqrt(math.pi) * math.exp(-x * x)


# name: the function, its value and its slope by Python's own numbers, where it is defined
FUNCTIONS: dict[str, tuple[Function, Callable[[float], float], Callable[[float], float], list[float]]] = {
    "exp": (analytic.exp, exp, exp, EVERYWHERE),
    "expm1": (analytic.expm1, lambda x: math.expm1(x) if x < 709 else math.inf, exp, EVERYWHERE),
    "log": (analytic.log, math.log, lambda x: 1 / x, POSITIVE),
    "square_root": (analytic.square_root, math.sqrt, lambda x: 0.5 / math.sqrt(x), POSITIVE),
    "sigmoid": (analytic.sigmoid, sigmoid, lambda x: sigmoid(x) * sigmoid(-x), EVERYWHERE),
    "tanh": (
        analytic.tanh,
        math.tanh,
        lambda x: 1 / math.cosh(x) ** 2 if abs(x) < 350 else 0.0,
        EVERYWHERE,
    ),
    "softplus": (
        analytic.softplus,
        lambda x: max(x, 0) + math.log1p(math.exp(-abs(x))),
        sigmoid,
        EVERYWHERE,
    ),
    "sin": (analytic.sin, math.sin, math.cos, EVERYWHERE),
    "cos": (analytic.cos, math.cos, lambda x: -math.sin(x), EVERYWHERE),
    "erf": (analytic.erf, math.erf, bell, EVERYWHERE),
    "erfc": (analytic.erfc, math.erfc, lambda x: -bell(x), EVERYWHERE),
    "cube": (lambda x: analytic.power(x, 3), lambda x: x**3, lambda x: 3 * x**2, EVERYWHERE),
    "root": (
        lambda x: analytic.power(x, 0.5),
        math.sqrt,
        lambda x: 0.5 / math.sqrt(x),
        POSITIVE,
    ),
    "inverse": (
        lambda x: analytic.power(x, -1),
        lambda x: 1 / x,
        lambda x: -1 / x**2,
        [x for x in EVERYWHERE if x],
    ),
}


@pytest.fixture(autouse=True)
def infinities_are_answers() -> Any:
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values(name: str) -> None:
    function, value, _, places = FUNCTIONS[name]
    assert function(np.array(places)) == pytest.approx([value(x) for x in places], rel=4e-15, abs=1e-300)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_slopes_by_the_complex_step(name: str) -> None:
    function, value, slope, places = FUNCTIONS[name]
    stepped = function(np.array(places) + 1j * H)
    finite = np.isfinite(stepped.real)
    assert stepped.real == pytest.approx([value(x) for x in places], rel=4e-15, abs=1e-300)
    assert stepped.imag[finite] / H == pytest.approx(
        np.array([slope(x) for x in places])[finite], rel=1e-13, abs=1e-16
    )


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1,), (2, 3), (0,), (4, 0)])
def test_dtype_and_shape_are_kept(name: str, dtype: type[Any], shape: tuple[int, ...]) -> None:
    result = FUNCTIONS[name][0](np.ones(shape, dtype))
    assert (result.dtype, result.shape) == (dtype, shape)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_not_a_number_stays_not_a_number(name: str, dtype: type[Any]) -> None:
    assert np.isnan(FUNCTIONS[name][0](np.array([np.nan], dtype))).all()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_is_right_over_its_range(name: str) -> None:
    function, value, _, places = FUNCTIONS[name]
    for x in np.array(places, np.float32)[np.array(places) != 1e-300]:
        expected = np.float64(value(float(x))).astype(np.float32)
        assert function(np.array([x])) == pytest.approx(expected, rel=2e-6, abs=1e-37)


@pytest.mark.parametrize("name", ["exp", "sigmoid", "tanh", "softplus", "erf", "erfc"])
@pytest.mark.parametrize("infinity", [-np.inf, np.inf])
def test_at_infinity_no_dtype_gives_not_a_number(name: str, infinity: float) -> None:
    function = FUNCTIONS[name][0]
    for dtype in DTYPES:
        result = function(np.array([infinity], dtype))
        assert not np.isnan(result).any()
        assert result.real == function(np.array([infinity]))


def test_error_functions_to_the_last_bits() -> None:
    x = np.linspace(-6, 6, 24_001)
    exact = np.array([math.erf(v) for v in x])
    assert np.max(np.abs(analytic.erf(x) - exact)) <= 2.3e-16
    near = np.abs(x) > 0
    assert np.max(np.abs(analytic.erf(x)[near] / exact[near] - 1)) <= 1e-15
    tail = np.linspace(-6, 26, 24_001)
    exact = np.array([math.erfc(v) for v in tail])
    assert np.max(np.abs(analytic.erfc(tail) / exact - 1)) <= 1e-13
    assert np.max(np.abs(analytic.erfc(tail[tail < 3]) / exact[tail < 3] - 1)) <= 4e-15


def test_exp_overflows_to_infinity_in_the_parts_that_move() -> None:
    still, moving = analytic.exp(np.array([1e4 + 0j, 1e4 + 1j * H]))
    assert (still.real, still.imag) == (np.inf, 0)
    assert (moving.real, moving.imag) == (np.inf, np.inf)


def test_power_of_zero_and_to_zero() -> None:
    zero = np.zeros(1) + 1j * H
    assert analytic.power(zero, 0)[0] == 1
    assert analytic.power(zero, 1)[0] == 1j * H
    assert analytic.power(zero, 2)[0] == 0


def test_softmax_and_its_logarithm() -> None:
    x = np.array([[0.0, math.log(2), math.log(5)], [1e4, -1e4, 1e4], [-1e4, -1e4, -1e4]])
    expected = [[1 / 8, 2 / 8, 5 / 8], [0.5, 0, 0.5], [1 / 3, 1 / 3, 1 / 3]]
    np.testing.assert_allclose(analytic.softmax(x), expected, rtol=1e-15)
    logs = [
        [math.log(p) for p in expected[0]],
        [-math.log(2), -2e4 - math.log(2), -math.log(2)],
        [-math.log(3)] * 3,
    ]
    np.testing.assert_allclose(analytic.log_softmax(x), logs, rtol=1e-14)


@pytest.mark.parametrize("function", [analytic.softmax, analytic.log_softmax])
@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_keeps_dtype_and_what_is_not_a_number(function: Function, dtype: type[Any]) -> None:
    result = function(np.array([[1, 2], [np.nan, 2]], dtype))
    assert result.dtype == dtype
    assert np.isnan(result).tolist() == [[False, False], [True, True]]


def test_softmax_slopes_by_the_complex_step() -> None:
    x = np.array([0.3, -1.0, 2.0])
    p = np.exp(x) / np.exp(x).sum()
    stepped = x + 1j * H * np.eye(3)  # one place moves in each row
    np.testing.assert_allclose(analytic.softmax(stepped).imag / H, np.diag(p) - np.outer(p, p), rtol=1e-14)
    np.testing.assert_allclose(analytic.log_softmax(stepped).imag / H, np.eye(3) - p[:, None], rtol=1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sigmoid_beside_what_is_not_a_number(dtype: type[Any]) -> None:
    """One NaN in an array does not change how its great numbers are computed."""
    result = analytic.sigmoid(np.array([np.nan, 1e4, -1e4, np.inf, -np.inf], dtype))
    np.testing.assert_array_equal(result.real, [np.nan, 1, 0, 1, 0])


@pytest.mark.parametrize("function", [analytic.exp, analytic.expm1])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_result_may_take_the_place_of_its_argument(
    function: Callable[..., Array], dtype: type[Any]
) -> None:
    x = np.array([-1, 0, 2], dtype)
    if dtype is np.complex128:
        x += 1j * H
    expected = function(x)
    assert function(x, out=x) is x
    np.testing.assert_array_equal(x, expected)


def test_rescale_multiplies_parts_in_place() -> None:
    for numbers in (np.array([2.0, np.inf]), np.array([2.0 + 1j, np.inf + 0j])):
        parts = [numbers.real * 0.5, numbers.imag * 0.5]
        analytic.rescale(numbers, 0.5)
        np.testing.assert_array_equal([numbers.real, numbers.imag], parts)


def test_scale_multiplies_parts_by_themselves() -> None:
    x = np.array([2 + 3j * H, -math.inf + 1j * H, math.inf])
    scaled = analytic.scale(x, 0.5)
    assert scaled.real.tolist() == [1, -math.inf, math.inf]
    assert scaled.imag.tolist() == [1.5 * H, 0.5 * H, 0]
    assert analytic.scale(x, np.array([1.0, 2.0, 3.0])).imag.tolist() == [3 * H, 2 * H, 0]
    assert analytic.scale(np.ones(2, np.float32), 0.1).dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_keep_their_dtype(dtype: type[np.floating]) -> None:
    x = np.ones((2, 3), dtype)
    for result in (
        analytic.xlogx(x),
        analytic.power_slope(x, 0.5),
        analytic.power_slope(x, 0),
    ):
        assert result.dtype == dtype


def test_xlogx_at_0() -> None:
    with np.errstate(all="ignore"):
        x = np.array([0, 2, 0]) + 1j * H * np.array([0, 1, 1])
        result = analytic.xlogx(x)
    assert result.real == pytest.approx([0, 2 * math.log(2), 0])
    assert result.imag / H == pytest.approx([0, math.log(2) + 1, -math.inf])


def test_xlogx_below_0_is_0_only_where_rounding_may_have_put_it() -> None:
    with np.errstate(all="ignore"):
        result = analytic.xlogx(np.array([-(2.0**-53), -1e-6, -2e-6]))
    assert result[:2].tolist() == [0, 0] and np.isnan(result[2])


def test_what_does_not_move_stays_still_where_a_slope_is_infinite() -> None:
    with np.errstate(all="ignore"):
        for function in (analytic.square_root, analytic.log, lambda x: analytic.power(x, 0.5)):
            assert function(np.array([0j])).imag.tolist() == [0]
            assert function(np.array([1e-300 + 0j, H * 1j])).imag.tolist() == [0, math.inf]


def test_error_functions_of_single_and_of_unknown_numbers() -> None:
    assert analytic.erf(np.array(0.25)).shape == analytic.erfc(np.array(3.0)).shape == ()
    x = np.array([math.nan, -math.inf, math.inf])
    assert analytic.erf(x).tolist()[1:] == [-1, 1]
    assert analytic.erfc(x).tolist()[1:] == [2, 0]
    assert np.isnan([analytic.erf(x)[0], analytic.erfc(x)[0]]).all()

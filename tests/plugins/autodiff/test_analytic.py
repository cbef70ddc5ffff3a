"""The functions of `analytic` as primitives of autograd: the same numbers, and derivatives of two orders."""

from __future__ import annotations

import inspect

import mpmath
import numpy as np
import pytest
from autograd import elementwise_grad

from deltawire_layers.autodiff import analytic
from deltawire_layers.numeric import analytic as numbers

INSIDE = {"rescale", "powers_and_total", "softmax_parts", "softmax_delta"}
"""Pieces of equations, which a forward line does not need."""

POINTS = (-30.0, -3.0, -0.4, 0.0, 0.7, 2.5, 30.0)
POSITIVE = (1e-3, 0.4, 1.0, 7.0)

ORACLES = {
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "xlogx": lambda x: x * mpmath.log(x),
    "square_root": mpmath.sqrt,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "sigmoid_slope": lambda x: mpmath.exp(-x) / (1 + mpmath.exp(-x)) ** 2,
    "tanh": mpmath.tanh,
    "tanh_slope": lambda x: mpmath.sech(x) ** 2,
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
}


def test_every_function_for_forward_lines_is_there() -> None:
    public = {name for name, f in vars(numbers).items() if inspect.isfunction(f) and not name.startswith("_")}
    own = {name for name in public if getattr(numbers, name).__module__ == numbers.__name__}
    assert {name for name in own - INSIDE if not callable(getattr(analytic, name, None))} == set()


@pytest.mark.parametrize("name", ORACLES)
def test_two_derivatives_against_mpmath(name: str) -> None:
    function = getattr(analytic, name)
    x = np.array(POSITIVE if name in ("log", "xlogx", "square_root") else POINTS)
    with mpmath.workdps(60):
        for order, found in enumerate(
            (function, elementwise_grad(function), elementwise_grad(elementwise_grad(function)))
        ):
            right = [float(mpmath.diff(ORACLES[name], mpmath.mpf(v), order)) for v in x.tolist()]
            np.testing.assert_allclose(found(x), right, rtol=1e-12, atol=1e-60, err_msg=f"order {order}")


@pytest.mark.parametrize("exponent", [-1.5, 0, 1, 2, 2.5])
def test_powers(exponent: float) -> None:
    x = np.array(POSITIVE)
    slope = elementwise_grad(analytic.power)
    np.testing.assert_allclose(slope(x, exponent), exponent * x ** (exponent - 1), rtol=1e-13)
    curve = elementwise_grad(slope)(x, exponent)
    np.testing.assert_allclose(curve, exponent * (exponent - 1) * x ** (exponent - 2), rtol=1e-13)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_rows(name: str) -> None:
    """Against autograd's own derivatives of the plain formula."""
    import autograd.numpy as along
    from autograd import jacobian

    def plain(x: np.ndarray) -> np.ndarray:
        powers = along.exp(x)
        p = powers / along.sum(powers, axis=-1, keepdims=True)
        result: np.ndarray = p if name == "softmax" else along.log(p)
        return result

    x = np.array([[0.3, -1.0, 2.0]])
    mine = getattr(analytic, name)
    for order in (lambda f: f, jacobian, lambda f: jacobian(jacobian(f))):
        np.testing.assert_allclose(order(mine)(x), order(plain)(x), rtol=1e-12, atol=1e-14)


def test_values_are_those_of_the_layers() -> None:
    x = np.linspace(-800, 800, 17)
    for name in ("sigmoid", "softplus", "tanh", "erf", "sigmoid_slope", "tanh_slope"):
        np.testing.assert_array_equal(getattr(analytic, name)(x), getattr(numbers, name)(x))


def test_the_small_ones() -> None:
    x = np.array([[1.0, 3.0]])
    np.testing.assert_array_equal(analytic.divide(x, 2.0), [[0.5, 1.5]])
    np.testing.assert_array_equal(analytic.scale(x, 2.0), [[2.0, 6.0]])
    np.testing.assert_array_equal(analytic.shifted(x), [[-2.0, 0.0]])
    value, slope = analytic.gate(x)
    np.testing.assert_array_equal(value, numbers.sigmoid(x))
    np.testing.assert_array_equal(slope, numbers.sigmoid_slope(x))

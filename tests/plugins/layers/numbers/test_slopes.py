"""Slopes of functions that level off: small far out, and not 0, for as long as the dtype has such numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deltawire_layers import load_layers
from deltawire_layers.numeric import analytic

pytestmark = pytest.mark.torch  # which brings mpmath

Answering = Callable[..., Any]

LAYERS = load_layers()
DTYPES = [np.float32, np.float64]
PLACES = [0.0, 1e-30, 0.1, 1.0, 5.0, 8.6, 9.5, 12.0, 20.0, 40.0, 60.0, 80.0, 1e4, 1e20]
EVERYWHERE = sorted({sign * x for x in PLACES for sign in (-1.0, 1.0)})


def of_sigmoid(mp: Any, x: Any) -> Any:
    return 1 / (1 + mp.exp(-x)) if x > -700 else mp.exp(x)


FUNCTIONS: dict[str, tuple[dict[str, Any], Callable[[Any, Any], Any], float]] = {
    "sigmoid": ({}, of_sigmoid, 4),
    "tanh": ({}, lambda mp, x: mp.tanh(x), 4),
    "silu": ({}, lambda mp, x: x * of_sigmoid(mp, x), 8),
    "softplus": ({}, lambda mp, x: mp.log1p(mp.exp(x)), 4),
    "mish": ({}, lambda mp, x: x * mp.tanh(mp.log1p(mp.exp(x))), 16),
    "gelu": ({"approximate": "tanh"}, lambda mp, x: x * of_sigmoid(mp, by_tanh(mp, x)), 2000),
}
"""Config, function, and the error in units of the last place: gelu's tail is as steep as x⁴."""


def by_tanh(mp: Any, x: Any) -> Any:
    return 2 * mp.sqrt(2 / mp.pi) * (x + mp.mpf(0.044715) * x**3)


def slope(kind: str, x: float) -> float:
    """Return the slope of a kind, by mpmath."""
    import mpmath

    function = FUNCTIONS[kind][1]
    with mpmath.workdps(60):
        if abs(x) > 1e3:  # where each has levelled off
            level = {"sigmoid": 0, "tanh": 0}.get(kind, 1 if x > 0 else 0)
            return float(level)
        return float(mpmath.diff(lambda t: function(mpmath, t), mpmath.mpf(x), h=mpmath.mpf(10) ** -20))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", FUNCTIONS)
def test_slopes_far_out(answers: Answering, kind: str, dtype: type[Any]) -> None:
    config, _, ulps = FUNCTIONS[kind]
    x = np.array([EVERYWHERE], dtype)
    with np.errstate(all="ignore"):
        delta = answers(LAYERS[kind](**config), [x]).deltas[0]
    expected = np.array([slope(kind, float(place)) for place in x[0]])
    limits = np.finfo(dtype)
    np.testing.assert_allclose(delta[0], expected, rtol=ulps * limits.eps, atol=4 * limits.smallest_normal)


@pytest.mark.parametrize("dtype", DTYPES)
def test_glu_keeps_the_slope_of_an_open_gate(answers: Answering, dtype: type[Any]) -> None:
    delta = answers(LAYERS["glu"](), [np.array([[3.0, 20.0]], dtype)]).deltas[0]
    assert delta[0, 1] == pytest.approx(3 * slope("sigmoid", 20.0), rel=4 * float(np.finfo(dtype).eps))


def test_slopes_turn_right_under_the_complex_step() -> None:
    step = 1e-200
    x = np.array(EVERYWHERE[1:-1])
    for function in (analytic.sigmoid_slope, analytic.tanh_slope):
        turned = function(x + 1j * step).imag / step
        between = 1e-5
        differences = (function(x + between) - function(x - between)) / (2 * between)
        np.testing.assert_allclose(turned, differences, rtol=1e-6, atol=1e-10)
        np.testing.assert_array_equal(function(x + 0j).real, function(x))

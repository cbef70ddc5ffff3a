"""Layers of one input, number by number: known numbers, the contract, the ends of their range."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import e, erfc, exp, expm1, inf, log, log1p, pi, sqrt, tanh
from typing import Any

import numpy as np
import pytest
from marshmallow import ValidationError
from support.layers import FEW_SEEDS

from deltawire_layers import Layer, LayerError, check_layer, load_layers
from deltawire_layers.layers.pointwise.activations import Gelu, Silu, Softplus
from deltawire_layers.layers.pointwise.functions import Affine, Log, Power, Sqrt
from deltawire_layers.layers.pointwise.rectifiers import Elu, LeakyRelu

Answering = Callable[..., Any]

LAYERS = load_layers()

# kind: x, y, slope
NUMBERS: dict[str, list[tuple[float, float, float]]] = {
    "sigmoid": [
        (0.0, 0.5, 0.25),
        (1.0, 0.7310585786300049, 0.19661193324148185),
        (-1e4, 0.0, 0.0),
        (1e4, 1.0, 0.0),
    ],
    "tanh": [(0.0, 0.0, 1.0), (1.0, tanh(1), 1 - tanh(1) ** 2), (-1e4, -1.0, 0.0), (1e4, 1.0, 0.0)],
    "relu": [(-1e4, 0.0, 0.0), (-1e-300, 0.0, 0.0), (0.0, 0.0, 0.0), (1e-300, 1e-300, 1.0), (1e4, 1e4, 1.0)],
    "exp": [(0.0, 1.0, 1.0), (1.0, e, e), (-1e4, 0.0, 0.0), (1e4, inf, inf)],
    "negate": [(0.0, 0.0, -1.0), (3.0, -3.0, -1.0), (-1e4, 1e4, -1.0)],
    "reciprocal": [(2.0, 0.5, -0.25), (-4.0, -0.25, -0.0625), (1e4, 1e-4, -1e-8), (0.0, inf, -inf)],
    "identity": [(0.0, 0.0, 1.0), (-1e4, -1e4, 1.0)],
}
EVERY_NUMBER = [(kind, *numbers) for kind, table in NUMBERS.items() for numbers in table]


@pytest.mark.parametrize(("kind", "x", "y", "slope"), EVERY_NUMBER)
def test_value_and_slope(answers: Answering, kind: str, x: float, y: float, slope: float) -> None:
    with np.errstate(over="ignore", divide="ignore"):
        value, (delta,), grads = answers(LAYERS[kind](), [[[x, x]]], delta=[[1.0, -2.0]])
    np.testing.assert_allclose(value, [[y, y]], rtol=1e-15)
    np.testing.assert_allclose(delta, [[slope, -2 * slope]], rtol=1e-14)
    assert grads == {}


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 3, 4)])
def test_any_shape_is_kept(kind: str, shape: tuple[int, ...]) -> None:
    layer = LAYERS[kind]()
    assert layer.elementwise
    assert layer.output_shape(shape) == shape
    assert layer.forward({}, np.ones((5, *shape))).value.shape == (5, *shape)


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_what_is_not_a_number_is_not_hidden(kind: str, dtype: type[Any]) -> None:
    with np.errstate(invalid="ignore"):
        value = LAYERS[kind]().forward({}, np.array([[1, np.nan]], dtype)).value
    assert np.isnan(value).tolist() == [[False, True]]


@pytest.mark.parametrize("kind", NUMBERS)
def test_there_is_nothing_to_configure(kind: str) -> None:
    with pytest.raises(ValidationError):
        LAYERS[kind](anything=1)


CURVED = [
    Affine(),
    Affine(scale=-2.5, shift=0.3),
    Affine(scale=0, shift=2),
    LeakyRelu(),
    LeakyRelu(slope=-2),
    LeakyRelu(slope=0),
    Elu(),
    Elu(alpha=2.5),
    Elu(alpha=-1),
    Gelu(),
    Silu(),
    Softplus(),
    Log(),
    Sqrt(),
    *(Power(exponent=p) for p in (-2, -0.5, 0, 0.3, 1, 2, 3)),
]


def name(layer: Layer) -> str:
    return f"{type(layer).__name__}{list(vars(layer).values())}"


@pytest.mark.parametrize("shape", [(3,), (2, 3)])
@pytest.mark.parametrize(
    "layer",
    [
        Affine(scale=[0.5, -2, 3], shift=[1, 0, -1]),
        Affine(scale=[0.5, -2, 3]),
        Affine(scale=2, shift=[1, 2, 3]),
    ],
    ids=name,
)
def test_constants_along_the_last_axis_pass_the_kit(layer: Layer, shape: tuple[int, ...]) -> None:
    check_layer(layer, shape)


@pytest.mark.parametrize(
    ("shape", "detail"),
    [
        ((2,), "scale has 3 numbers, and the last axis 2 places, in shape [2]"),
        ((3, 4), "the last axis 4 places"),
        ((), "expected at least one axis"),
    ],
)
def test_constants_have_a_number_for_each_place(shape: tuple[int, ...], detail: str) -> None:
    with pytest.raises(LayerError, match=re.escape(detail)):
        Affine(scale=[1, 2, 3]).output_shape(shape)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
@pytest.mark.parametrize("layer", CURVED, ids=name)
def test_passes_the_kit(layer: Layer, shape: tuple[int, ...]) -> None:
    for seed in FEW_SEEDS:
        check_layer(layer, shape, seed=seed)


def at(layer: Layer, x: float, dtype: Any = np.float64) -> tuple[float, float]:
    """The value at x, and the derivative."""
    activation = layer.forward({}, np.array([x], dtype))
    (delta,) = activation.deltas
    assert delta is not None
    return float(activation.value[0]), float(delta(np.ones(1, dtype))[0])


def normal(x: float) -> tuple[float, float]:
    """The standard normal's distribution function and density, precise in the lower tail."""
    return erfc(-x / sqrt(2)) / 2, exp(-x * x / 2) / sqrt(2 * pi)


@pytest.mark.parametrize("x", [-37, -20, -8, -3, -0.5, 0, 0.5, 3, 8, 40])
def test_gelu_keeps_its_relative_precision_in_both_tails(x: float) -> None:
    below, density = normal(x)
    assert at(Gelu(), x) == pytest.approx((x * below, below + x * density), rel=2e-12, abs=0)


def test_gelu_in_float32_keeps_its_relative_precision() -> None:
    below, density = normal(-10)
    assert at(Gelu(), -10, np.float32) == pytest.approx((-10 * below, below - 10 * density), rel=2e-5, abs=0)


@pytest.mark.parametrize(
    ("layer", "far_below", "far_above"),
    [
        (LeakyRelu(slope=0.5), (-5e3, 0.5), (1e4, 1)),
        (Elu(alpha=2), (-2, 0), (1e4, 1)),
        (Gelu(), (0, 0), (1e4, 1)),
        (Silu(), (0, 0), (1e4, 1)),
        (Softplus(), (0, 0), (1e4, 1)),
    ],
    ids=lambda case: name(case) if isinstance(case, Layer) else "",
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_from_0(layer: Layer, far_below: Any, far_above: Any, dtype: Any) -> None:
    assert at(layer, -1e4, dtype) == far_below
    assert at(layer, 1e4, dtype) == far_above


def test_small_numbers_are_not_lost() -> None:
    assert at(Softplus(), -40) == pytest.approx((log1p(exp(-40)), exp(-40)), rel=1e-15, abs=0)
    assert at(Softplus(), 30)[0] == 30 + log1p(exp(-30))
    assert at(Silu(), -40) == pytest.approx((-40 * exp(-40), exp(-40) * (1 - 40)), rel=1e-14, abs=0)
    assert at(Elu(), -1e-20) == (-1e-20, 1)
    assert at(Elu(), -0.3) == pytest.approx((expm1(-0.3), exp(-0.3)), rel=1e-15, abs=0)


def test_the_derivative_at_a_bend() -> None:
    assert at(LeakyRelu(slope=0.25), 0) == (0, 0.25)
    assert at(Elu(alpha=3), 0) == (0, 3)


def test_roots_and_logarithms() -> None:
    assert at(Log(), 1e-300) == pytest.approx((log(1e-300), 1e300), rel=1e-15, abs=0)
    assert at(Sqrt(), 1e-300) == pytest.approx((1e-150, 0.5e150), rel=1e-15, abs=0)
    with np.errstate(all="ignore"):
        assert at(Sqrt(), 0) == (0, np.inf)
        assert at(Log(), 0) == (-np.inf, np.inf)
        assert np.isnan(at(Log(), -1)[0])
        assert np.isnan(at(Sqrt(), -1)[0])
        assert np.isnan(at(Power(exponent=0.5), -1)[0])


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_a_logarithm_with_a_least_value(dtype: str) -> None:
    x = np.array([[0.0, 1e-30, 1.0, 2.0]], dtype)
    value, (delta,), *_ = LAYERS["log"](low=-50).forward({}, x)
    np.testing.assert_allclose(value, [[-50, -50, 0, np.log(2)]], rtol=1e-6)
    np.testing.assert_allclose(delta(np.ones_like(x)), [[0, 0, 1, 0.5]], rtol=1e-6)
    assert value.dtype == delta(np.ones_like(x)).dtype == dtype
    with np.errstate(invalid="ignore"):
        assert np.isnan(LAYERS["log"](low=-50).forward({}, np.array([[-1.0]], "float64")).value).all()


def test_powers_of_0_and_of_negative_numbers() -> None:
    assert at(Power(exponent=0), 0) == (1, 0)
    assert at(Power(exponent=1), 0) == (0, 1)
    assert at(Power(exponent=2), 0) == (0, 0)
    assert at(Power(exponent=3), -2) == (-8, 12)
    assert at(Power(exponent=-1), -2) == (-0.5, -0.25)


@pytest.mark.parametrize(
    ("layer", "config"),
    [
        (LeakyRelu, {"slope": "steep"}),
        (LeakyRelu, {"slope": float("nan")}),
        (LeakyRelu, {"alpha": 1}),
        (Elu, {"alpha": float("inf")}),
        (Power, {}),
        (Power, {"exponent": None}),
        (Gelu, {"approximate": "erf"}),
    ],
)
def test_config_is_checked(layer: type[Layer], config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        layer(**config)

"""Pointwise layers against torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.torch_layers import agree, agree_at_infinity, batches, numbers, shapes, torch

from deltawire_layers.layers.pointwise.activations import Gelu, Mish, Sigmoid, Silu, Softplus, Tanh
from deltawire_layers.layers.pointwise.functions import Absolute, Affine, Cos, Erf, Exp, Log, Power, Sin, Sqrt
from deltawire_layers.layers.pointwise.rectifiers import (
    Clip,
    Elu,
    HardSigmoid,
    HardSwish,
    LeakyRelu,
    PRelu,
    Relu,
)

pytestmark = pytest.mark.torch

EDGES = np.array([[-np.inf, -2.0, 0.0, 2.0, np.inf]])
constants = st.floats(-3, 3, allow_subnormal=False)
three = st.lists(constants, min_size=3, max_size=3)


@given(shapes().flatmap(batches), constants)
def test_leaky_relu(inputs: list[np.ndarray], slope: float) -> None:
    agree(LeakyRelu(slope=slope), lambda x: torch.nn.functional.leaky_relu(x, slope), inputs)


@given(shapes().flatmap(batches), constants)
def test_elu(inputs: list[np.ndarray], alpha: float) -> None:
    agree(Elu(alpha=alpha), lambda x: torch.nn.functional.elu(x, alpha), inputs)


@given(shapes().flatmap(batches), constants, constants)
def test_affine(inputs: list[np.ndarray], scale: float, shift: float) -> None:
    agree(Affine(scale=scale, shift=shift), lambda x: torch.mul(x, scale) + shift, inputs)


@given(shapes().map(lambda shape: (*shape, 3)).flatmap(batches), three, three)
def test_affine_along_the_last_axis(inputs: list[np.ndarray], scale: list[float], shift: list[float]) -> None:
    agree(
        Affine(scale=scale, shift=shift),
        lambda x: x * torch.tensor(scale, dtype=x.dtype) + torch.tensor(shift, dtype=x.dtype),
        inputs,
    )


@given(shapes().flatmap(batches))
def test_gelu(inputs: list[np.ndarray]) -> None:
    agree(Gelu(), lambda x: torch.nn.functional.gelu(x), inputs)


@given(shapes().flatmap(batches))
def test_silu(inputs: list[np.ndarray]) -> None:
    agree(Silu(), lambda x: torch.nn.functional.silu(x), inputs)


@given(shapes().flatmap(batches))
def test_softplus(inputs: list[np.ndarray]) -> None:
    # By default torch rounds to a straight line from 20 on.
    agree(Softplus(), lambda x: torch.nn.functional.softplus(x, threshold=600), inputs)


@pytest.mark.parametrize(
    ("layer", "function"), [(Log(), lambda x: torch.log(x)), (Sqrt(), lambda x: torch.sqrt(x))]
)
@given(inputs=shapes().flatmap(batches))
def test_of_positive_numbers(layer: Any, function: Callable[..., Any], inputs: list[np.ndarray]) -> None:
    agree(layer, function, [np.abs(inputs[0]) + 1e-3])


@given(shapes().flatmap(batches), constants)
def test_power_of_positive_numbers(inputs: list[np.ndarray], exponent: float) -> None:
    agree(Power(exponent=exponent), lambda x: torch.pow(x, exponent), [np.abs(inputs[0]) + 0.1])


@given(shapes().flatmap(batches), st.integers(0, 5))
def test_whole_power_of_any_number(inputs: list[np.ndarray], exponent: int) -> None:
    agree(Power(exponent=exponent), lambda x: torch.pow(x, exponent), inputs)


@given(shapes().flatmap(batches), st.integers(-3, -1))
def test_negative_whole_power_of_any_number_but_0(inputs: list[np.ndarray], exponent: int) -> None:
    x = inputs[0] + np.copysign(0.1, inputs[0])
    agree(Power(exponent=exponent), lambda x: torch.pow(x, exponent), [x])


@pytest.mark.parametrize(
    ("layer", "function"),
    [
        (Relu(), lambda x: torch.relu(x)),
        (Affine(scale=-2, shift=1), lambda x: torch.mul(x, -2) + 1),
        (LeakyRelu(slope=0.25), lambda x: torch.nn.functional.leaky_relu(x, 0.25)),
        (LeakyRelu(slope=0), lambda x: torch.relu(x)),  # torch's own is 0 · −∞, NaN
        (LeakyRelu(slope=-2), lambda x: torch.nn.functional.leaky_relu(x, -2.0)),
        (Elu(), lambda x: torch.nn.functional.elu(x)),
        (Elu(alpha=2.5), lambda x: torch.nn.functional.elu(x, 2.5)),
        (Sigmoid(), lambda x: torch.sigmoid(x)),
        (Softplus(), lambda x: torch.nn.functional.softplus(x)),
        (Tanh(), lambda x: torch.tanh(x)),
        (Exp(), lambda x: torch.exp(x)),
        (Clip(low=-2, high=1), lambda x: torch.clamp(x, -2, 1)),
        (HardSigmoid(), lambda x: torch.nn.functional.hardsigmoid(x)),
        (Power(exponent=0), lambda x: torch.pow(x, 0)),
    ],
    ids=lambda case: type(case).__name__,
)
def test_at_infinity(layer: Any, function: Callable[..., Any]) -> None:
    agree_at_infinity(layer, function, [EDGES])


@given(shapes().flatmap(batches), st.sampled_from([0, 1]))
def test_clip(inputs: list[np.ndarray], at_bounds: int) -> None:
    layer = Clip(low=-1, high=1, at_bounds=at_bounds)
    if at_bounds:
        agree(layer, lambda x: torch.clamp(x, -1, 1), inputs)
    else:
        agree(layer, lambda x: torch.nn.functional.hardtanh(x), inputs)


@given(shapes().flatmap(batches))
def test_clip_to_one_bound(inputs: list[np.ndarray]) -> None:
    agree(Clip(low=0.5), lambda x: torch.clamp(x, min=0.5), inputs)
    agree(Clip(high=1), lambda x: torch.clamp(x, max=1), inputs)
    agree(Clip(low=0, high=6, at_bounds=0), lambda x: torch.nn.functional.relu6(x), inputs)


SAME = [
    (HardSigmoid(), lambda x: torch.nn.functional.hardsigmoid(x)),
    (HardSwish(), lambda x: torch.nn.functional.hardswish(x)),
    (Mish(), lambda x: torch.nn.functional.mish(x)),
    (Gelu(approximate="tanh"), lambda x: torch.nn.functional.gelu(x, approximate="tanh")),
    (Absolute(), lambda x: torch.abs(x)),
    (Sin(), lambda x: torch.sin(x)),
    (Cos(), lambda x: torch.cos(x)),
    (Erf(), lambda x: torch.erf(x)),
]


@pytest.mark.parametrize(("layer", "function"), SAME, ids=lambda case: type(case).__name__)
@given(inputs=shapes().flatmap(batches))
def test_functions_of_one_number(layer: Any, function: Callable[..., Any], inputs: list[np.ndarray]) -> None:
    # torch takes 1/6 in float32 for the derivative of hardsigmoid.
    agree(layer, function, inputs, within=1e-7 if isinstance(layer, HardSigmoid) else 1e-10)


@pytest.mark.parametrize(("layer", "function"), SAME[:2], ids=lambda case: type(case).__name__)
def test_where_pieces_meet(layer: Any, function: Callable[..., Any]) -> None:
    agree(layer, function, [np.array([[-4.0, -3.0, 3.0, 4.0]])], within=1e-7)


@given(shapes(least=1).flatmap(batches), st.booleans())
def test_prelu(inputs: list[np.ndarray], per_channel: bool) -> None:
    layer = PRelu(per_channel=per_channel)
    agree(layer, lambda x, weight: torch.nn.functional.prelu(x, weight), inputs, numbers(layer, inputs))

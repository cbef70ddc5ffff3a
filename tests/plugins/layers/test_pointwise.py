"""Layers of one input, number by number, against plain numbers."""

from __future__ import annotations

from collections.abc import Callable
from math import e, inf, tanh
from typing import Any

import numpy as np
import pytest
from marshmallow import ValidationError

from deltawire_layers import load_layers

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

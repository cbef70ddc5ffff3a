"""Reshape, transpose, mean and max: the kit, and axes that do not exist."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from marshmallow import ValidationError

from deltawire_layers import Layer, LayerError, check_layer
from deltawire_layers.layers.shape import Max, Mean, Reshape, Transpose

CASES: list[tuple[Layer, tuple[int, ...], tuple[int, ...]]] = [
    (Reshape(shape=[3, 2]), (2, 3), (3, 2)),
    (Reshape(shape=[-1, 1, 2]), (2, 3), (3, 1, 2)),
    (Reshape(shape=[]), (1, 1), ()),
    (Reshape(shape=[1]), (), (1,)),
    (Transpose(), (), ()),
    (Transpose(), (2, 3, 1), (1, 3, 2)),
    (Transpose(axes=[2, 0, 1]), (2, 3, 1), (1, 2, 3)),
    (Transpose(axes=[-1, 0, -2]), (2, 3, 1), (1, 2, 3)),
    (Mean(), (), ()),
    (Mean(), (2, 3), ()),
    (Mean(axes=[]), (2, 3), (2, 3)),
    (Mean(axes=[-1, 0]), (2, 3, 1), (3,)),
    (Max(), (1,), ()),
    (Max(), (2, 3), (2,)),
    (Max(axis=0), (2, 3), (3,)),
]


@pytest.mark.parametrize(("layer", "given", "expected"), CASES)
def test_passes_the_kit(layer: Layer, given: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert layer.output_shape(given) == expected
    for seed in range(10):
        check_layer(layer, given, seed=seed)


@pytest.mark.parametrize(
    ("layer", "given", "message"),
    [
        (Reshape(shape=[3, 2]), (5,), r"the 5 numbers of shape \[5\] do not fill shape \[3, 2\]"),
        (Reshape(shape=[-1, 4]), (6,), r"do not fill shape \[-1, 4\]"),
        (Reshape(shape=[4, -1]), (3,), r"do not fill shape \[4, -1\]"),
        (Transpose(axes=[0]), (2, 3), "leave out an axis"),
        (Transpose(axes=[0, 0]), (2, 3), "twice"),
        (Transpose(axes=[0, -2]), (2, 3), "twice"),
        (Transpose(axes=[0, 1, 2]), (2, 3), "axis 2 does not exist"),
        (Mean(axes=[1]), (3,), "axis 1 does not exist"),
        (Mean(axes=[0, -1]), (3,), "twice"),
        (Max(), (), "axis -1 does not exist"),
        (Max(axis=-3), (2, 2), "axis -3 does not exist"),
    ],
)
def test_shapes_that_do_not_fit(layer: Layer, given: tuple[int, ...], message: str) -> None:
    with pytest.raises(LayerError, match=message) as refused:
        layer.output_shape(given)
    assert refused.value.input == 0


@pytest.mark.parametrize(
    ("layer", "config"),
    [
        (Reshape, {}),
        (Reshape, {"shape": [0]}),
        (Reshape, {"shape": [-2]}),
        (Reshape, {"shape": [-1, -1]}),
        (Reshape, {"shape": [2.0]}),
        (Reshape, {"shape": 2}),
        (Reshape, {"shape": [1] * 64}),
        (Transpose, {"axes": ["0"]}),
        (Max, {"axis": None}),
        (Max, {"axes": [0]}),
    ],
)
def test_config_is_checked(layer: type[Layer], config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        layer(**config)


def test_the_greatest_of_equals_share_delta() -> None:
    (equation,) = Max().forward({}, np.array([[1.0, 3, 3, 3], [2, 1, 0, 2], [0, 1, 0, 0]])).deltas
    assert equation is not None
    assert equation(np.array([3.0, 2, 1])).tolist() == [[0, 1, 1, 1], [1, 0, 0, 1], [0, 1, 0, 0]]


def test_as_many_axes_as_an_array_can_have() -> None:
    assert Reshape(shape=[1] * 63).forward({}, np.ones(2)).value.ndim == 64

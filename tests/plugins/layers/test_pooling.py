"""Pooling: the rules of the contract, small known numbers, ties, and what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from marshmallow import ValidationError
from support.layers import FEW_SEEDS

from deltawire_layers import Layer, LayerError, check_layer
from deltawire_layers.layer import Shape
from deltawire_layers.layers.pooling.adaptive import AdaptiveAvgPool2d, AdaptiveMaxPool2d
from deltawire_layers.layers.pooling.sliding import AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d, Pool

KINDS = pytest.mark.parametrize("kind", [MaxPool2d, AvgPool2d])
CASES: list[tuple[dict[str, Any], Shape]] = [
    ({"kernel": 2}, (2, 4, 4)),
    ({"kernel": 1}, (1, 1)),
    ({"kernel": 2}, (3, 5)),
    ({"kernel": [3, 2], "stride": 1, "padding": 1}, (3, 4)),
    ({"kernel": [2, 3], "stride": [3, 1], "padding": [1, 0]}, (1, 2, 4, 3)),
    ({"kernel": 4, "stride": 2, "padding": 2}, (2, 2)),
]


@KINDS
@pytest.mark.parametrize(("config", "shape"), CASES)
@pytest.mark.parametrize("seed", FEW_SEEDS)
def test_keeps_the_contract(kind: type[Pool], config: dict[str, Any], shape: Shape, seed: int) -> None:
    check_layer(kind(**config), shape, seed=seed)


def pool(layer: Pool, x: Any, delta: Any) -> tuple[list[Any], list[Any]]:
    """Value and δ of one example (h, w)."""
    run = layer.forward({}, np.array([x], float))
    return run.value[0].tolist(), run.deltas[0](np.array([delta], float))[0].tolist()  # type: ignore[misc]


def test_known_numbers() -> None:
    x = [[1, 2, 0, 0, 9], [3, 4, 0, -8, 9]]
    delta = [[10, 20]]
    assert pool(MaxPool2d(kernel=2), x, delta) == ([[4, 0]], [[0, 0, 20, 0, 0], [0, 10, 0, 0, 0]])
    assert pool(AvgPool2d(kernel=2), x, delta) == ([[2.5, -2]], [[2.5, 2.5, 5, 5, 0], [2.5, 2.5, 5, 5, 0]])


def test_overlapping_windows_add_up() -> None:
    x, delta = [[1, 3, 2]], [[1, 10]]
    assert pool(MaxPool2d(kernel=[1, 2], stride=1), x, delta) == ([[3, 3]], [[0, 11, 0]])
    assert pool(AvgPool2d(kernel=[1, 2], stride=1), x, delta) == ([[2, 2.5]], [[0.5, 5.5, 5]])


def test_padding_is_never_the_greatest_and_counts_as_zero_in_a_mean() -> None:
    x, delta = [[-4]], [[1]]
    assert pool(MaxPool2d(kernel=2, padding=1, stride=9), x, delta) == ([[-4]], [[1]])
    assert pool(AvgPool2d(kernel=2, padding=1, stride=9), x, delta) == ([[-1]], [[0.25]])


def test_the_first_of_equal_numbers_gets_all() -> None:
    assert pool(MaxPool2d(kernel=2), [[0, 5], [5, 5]], [[1]]) == ([[5]], [[0, 1], [0, 0]])


def test_what_is_not_a_number_stays_seen() -> None:
    value, _ = pool(MaxPool2d(kernel=[1, 3]), [[1, np.nan, 2]], [[1]])
    assert np.isnan(value).all()


@KINDS
def test_windows_touch_unless_a_stride_is_given(kind: type[Pool]) -> None:
    assert kind(kernel=[2, 3]).output_shape((7, 7, 7)) == (7, 3, 2)
    assert kind(kernel=[2, 3], stride=1, padding=1).output_shape((7, 7, 7)) == (7, 8, 7)


@KINDS
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((3,), "expected axes (..., h, w), got shape [3]"),
        ((4, 2, 4), "the kernel reaches over 3 numbers, but axis -2 has 2"),
    ],
)
def test_what_does_not_fit_is_named(kind: type[Pool], shape: Shape, message: str) -> None:
    with pytest.raises(LayerError) as caught:
        kind(kernel=3).output_shape(shape)
    assert str(caught.value) == message
    assert caught.value.input == 0


@KINDS
def test_every_window_meets_a_number(kind: type[Pool]) -> None:
    with pytest.raises(ValidationError) as caught:
        kind(kernel=[4, 3], padding=2)
    assert caught.value.messages == {"padding": ["expected at most half of the kernel's 3, got 2"]}


@KINDS
@pytest.mark.parametrize("config", [{}, {"kernel": 0}, {"kernel": 1, "stride": 0}, {"kernel": [1]}])
def test_config(kind: type[Pool], config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        kind(**config)


@pytest.mark.parametrize(("kind", "axes"), [(AvgPool1d, 1), (MaxPool1d, 1), (AvgPool2d, 2), (MaxPool2d, 2)])
@pytest.mark.parametrize("config", [{"dilation": 2}, {"ceil_mode": True, "stride": 2}, {"padding": "uneven"}])
def test_odd_windows_keep_the_contract(kind: type[Pool], axes: int, config: dict[str, Any]) -> None:
    given = {key: [[1, 0]] * axes if value == "uneven" else value for key, value in config.items()}
    for seed in FEW_SEEDS:
        check_layer(kind(kernel=2, **given), (2, *(5, 4)[:axes]), seed=seed)


@pytest.mark.parametrize("kind", [AdaptiveAvgPool2d, AdaptiveMaxPool2d])
@pytest.mark.parametrize(("size", "shape"), [([2, 3], (2, 3, 4)), ([5, 1], (3, 2)), ([1, 1], (1, 1))])
def test_adaptive_pooling_keeps_the_contract(kind: type[Layer], size: list[int], shape: Shape) -> None:
    for seed in FEW_SEEDS:
        check_layer(kind(size=size), shape, seed=seed)


def test_a_last_window_may_end_outside() -> None:
    shapes = {
        ceil: MaxPool2d(kernel=3, stride=2, ceil_mode=ceil).output_shape((6, 7)) for ceil in (False, True)
    }
    assert shapes == {False: (2, 3), True: (3, 3)}
    layer = AvgPool1d(kernel=2, ceil_mode=True)
    assert layer.forward({}, np.array([[1.0, 3.0, 5.0]])).value.tolist() == [[2, 5]]


def test_uneven_padding() -> None:
    layer = AvgPool1d(kernel=2, stride=1, padding=[[1, 0]])
    assert layer.forward({}, np.array([[2.0, 4.0]])).value.tolist() == [[1, 3]]
    assert AvgPool1d.Config().dump(layer)["padding"] == [[1, 0]]
    assert AvgPool1d.Config().dump(AvgPool1d(kernel=2, padding=1))["padding"] == [1]

"""Activations of several pieces: the contract, known numbers, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from marshmallow import ValidationError
from support.layers import FEW_SEEDS

from deltawire_layers import Layer, LayerError, check_layer
from deltawire_layers.layers.pointwise.rectifiers import Clip, HardSigmoid, HardSwish, PRelu

Answering = Callable[..., Any]
SHAPES = pytest.mark.parametrize("shape", [(), (3,), (2, 3)])


@SHAPES
@pytest.mark.parametrize(
    "layer",
    [
        *(Clip(low=-1, high=1, at_bounds=at_bounds) for at_bounds in (0, 1)),
        *(Clip(high=0.5), Clip(), HardSigmoid(), HardSigmoid(alpha=-0.5), HardSwish(), PRelu()),
    ],
)
def test_keeps_the_contract(layer: Layer, shape: tuple[int, ...]) -> None:
    for seed in FEW_SEEDS:
        check_layer(layer, shape, seed=seed)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 1, 2)])
def test_prelu_of_channels_keeps_the_contract(shape: tuple[int, ...]) -> None:
    for seed in FEW_SEEDS:
        check_layer(PRelu(per_channel=True), shape, seed=seed)


@pytest.mark.parametrize(("at_bounds", "slopes"), [(1, [0, 1, 1, 1, 0]), (0, [0, 0, 1, 0, 0])])
def test_clip_at_its_bounds(answers: Answering, at_bounds: int, slopes: list[float]) -> None:
    value, (delta,), _ = answers(Clip(low=0, high=6, at_bounds=at_bounds), [[[-1.0, 0.0, 3.0, 6.0, 7.0]]])
    assert value.tolist() == [[0, 0, 3, 6, 6]]
    assert delta.tolist() == [slopes]


def test_clip_without_bounds_changes_nothing(answers: Answering) -> None:
    value, (delta,), _ = answers(Clip(), [[[-1e300, np.nan, np.inf]]], delta=[[1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(value, [[-1e300, np.nan, np.inf]])
    assert delta.tolist() == [[1, 0, 3]]  # NaN lies in no interval, as in torch


def test_prelu_sums_the_gradient_of_a_channel(answers: Answering) -> None:
    x = [[[-1.0, 2.0], [-3.0, -4.0]]]
    value, (delta,), grads = answers(PRelu(per_channel=True), [x], params={"weight": [0.5, 2.0]})
    assert value.tolist() == [[[-0.5, 2], [-6, -8]]]
    assert delta.tolist() == [[[0.5, 1], [2, 2]]]
    assert grads["weight"].tolist() == [-1, -7]


def test_prelu_of_channels_needs_an_axis() -> None:
    with pytest.raises(LayerError, match="an axis of channels"):
        PRelu(per_channel=True).output_shape(())


@pytest.mark.parametrize(
    "config", [{"low": 2, "high": 1}, {"at_bounds": 2}, {"at_bounds": True}, {"low": "0"}]
)
def test_clip_refuses_other_bounds(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Clip(**config)

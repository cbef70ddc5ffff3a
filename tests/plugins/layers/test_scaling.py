"""Factors, summands and masks by place: the kit, first numbers, and what a mask does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from marshmallow import ValidationError
from support.layers import FEW_SEEDS

from deltawire_layers import Layer, LayerError, check_layer
from deltawire_layers.layers.scaling import DropoutMask, Scale, Shift

SHAPES = [(), (3,), (2, 3)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("layer", [Scale(), Shift()])
def test_parameters_by_place_pass_the_kit(layer: Layer, shape: tuple[int, ...]) -> None:
    for seed in FEW_SEEDS:
        check_layer(layer, shape, seed=seed)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("p", [0, 0.5, 0.9])
def test_dropout_mask_passes_the_kit(p: float, shape: tuple[int, ...]) -> None:
    for seed in FEW_SEEDS:
        check_layer(DropoutMask(p=p), shape, shape, seed=seed)


@pytest.mark.parametrize("layer", [Scale(), Shift()])
def test_first_numbers_change_nothing(layer: Layer) -> None:
    x = np.arange(6.0).reshape(1, 2, 3)
    params = {
        name: parameter.init(np.random.default_rng(0), parameter.shape)
        for name, parameter in layer.parameters((2, 3)).items()
    }
    assert {name: w.shape for name, w in params.items()} in ({"weight": (2, 3)}, {"bias": (2, 3)})
    assert layer.forward(params, x).value.tolist() == x.tolist()


def test_a_mask_keeps_drops_and_rescales() -> None:
    layer = DropoutMask(p=0.75)
    mask = np.array([[1, 0, 1]])
    activation = layer.forward({}, np.array([[1.0, np.inf, -3.0]]), mask)
    assert activation.value.tolist() == [[4, 0, -12]]
    down, by_mask = activation.deltas
    assert by_mask is None
    assert down is not None
    assert down(np.ones((1, 3))).tolist() == [[4, 0, 4]]
    assert layer.integer_inputs((3,), (3,)) == {1: range(0, 2)}


def test_a_mask_fits_its_numbers() -> None:
    with pytest.raises(LayerError, match=r"\[2, 3\], got \[3\]") as refused:
        DropoutMask().output_shape((2, 3), (3,))
    assert refused.value.input == 1


@pytest.mark.parametrize("config", [{"p": 1}, {"p": -0.1}, {"p": "half"}, {"rate": 0.5}])
def test_config_is_checked(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DropoutMask(**config)

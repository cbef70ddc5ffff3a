"""Resizing: the rules of the contract, known numbers, and what does not fit."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from marshmallow import ValidationError
from support.layers import FEW_SEEDS

from deltawire_layers import LayerError, check_layer
from deltawire_layers.layer import Shape
from deltawire_layers.layers.resizing import Upsample


@pytest.mark.parametrize(("size", "shape"), [([3], (2,)), ([3, 2], (2, 2, 3)), ([2, 1, 3], (2, 2, 2, 2))])
@pytest.mark.parametrize("config", [{}, {"mode": "linear"}, {"mode": "linear", "align_corners": True}])
def test_keeps_the_contract(size: list[int], shape: Shape, config: dict[str, Any]) -> None:
    for seed in FEW_SEEDS:
        check_layer(Upsample(size=size, **config), shape, seed=seed)


def test_known_numbers() -> None:
    x = np.array([[0.0, 4.0]])
    values = [
        Upsample(size=[4], **config).forward({}, x).value.tolist()
        for config in ({}, {"mode": "linear"}, {"mode": "linear", "align_corners": True})
    ]
    assert values[:2] == [[[0, 0, 4, 4]], [[0, 1, 3, 4]]]
    np.testing.assert_allclose(values[2], [[0, 4 / 3, 8 / 3, 4]], rtol=1e-15)


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(LayerError, match=r"2 axes cannot be resized in shape \[3\]"):
        Upsample(size=[1, 1]).output_shape((3,))
    for config in ({"size": []}, {"size": [0]}, {"size": [1] * 4}, {"size": [1], "mode": "cubic"}):
        with pytest.raises(ValidationError):
            Upsample(**config)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_a_long_axis_takes_little_memory(mode: str) -> None:
    """A matrix of all places beside all places would take gigabytes."""
    layer, x = Upsample(size=[60_000], mode=mode), np.ones((1, 40_000))
    tracemalloc.start()
    try:
        run = layer.forward({}, x)
        (equation,) = run.deltas
        assert equation is not None
        delta = equation(run.value)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert delta.sum() == pytest.approx(60_000) and peak < 2**23

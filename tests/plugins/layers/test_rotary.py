"""Rotary positions: the rules of the contract, and what makes them positions."""

from __future__ import annotations

import numpy as np
import pytest
from support.layers import FEW_SEEDS

from deltawire_layers import LayerError, check_layer
from deltawire_layers.layers.rotary import Rotary


@pytest.mark.parametrize("interleaved", [False, True])
def test_keeps_the_contract(interleaved: bool) -> None:
    for seed in FEW_SEEDS:
        check_layer(Rotary(interleaved=interleaved, base=10), (2, 3, 4), seed=seed)


@pytest.mark.parametrize("interleaved", [False, True])
def test_products_depend_on_the_distance_of_places(interleaved: bool) -> None:
    query, key = np.random.default_rng(0).standard_normal((2, 1, 1, 6))
    turned = [
        Rotary(interleaved=interleaved).forward({}, np.repeat(x, 5, axis=1)).value[0] for x in (query, key)
    ]
    products = turned[0] @ turned[1].T
    for distance in range(-4, 5):
        diagonal = np.diagonal(products, distance)
        np.testing.assert_allclose(diagonal, diagonal[0], rtol=1e-12)


def test_an_odd_width_is_refused() -> None:
    with pytest.raises(LayerError, match="an even d"):
        Rotary().output_shape((2, 3))

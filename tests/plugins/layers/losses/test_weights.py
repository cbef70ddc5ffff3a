"""One rule for all losses: a weight for each example, as one more input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.layers import BUILT_IN, FEW_SEEDS

from deltawire_layers import LayerError, check_layer
from deltawire_layers.layer import Shape

SHAPES: dict[str, list[Shape]] = {
    **{kind: [(3,), ()] for kind in ("nll", "softmax_nll")},
    **{kind: [(3,), (3,), (3,)] for kind in ("gaussian_nll", "triplet")},
    **{
        kind: [(3,), (3,)]
        for kind in (
            *("absolute_error", "binary_nll", "cosine_distance", "focal", "huber", "kl_divergence"),
            *("max_margin", "poisson_nll", "smooth_l1", "squared_error"),
        )
    },
}
KINDS = pytest.mark.parametrize("kind", SHAPES)


def test_every_loss_is_tried() -> None:
    losses = {kind for kind, layer in BUILT_IN.items() if layer.__module__.split(".")[2] == "losses"}
    assert set(SHAPES) == losses


@KINDS
def test_a_weight_keeps_the_contract(kind: str) -> None:
    for seed in FEW_SEEDS:
        check_layer(BUILT_IN[kind](), *SHAPES[kind], (), seed=seed)


@KINDS
def test_it_multiplies_the_loss(kind: str) -> None:
    stream, shapes = np.random.default_rng(0), SHAPES[kind]
    inputs: list[Any] = [stream.uniform(0.1, 0.9, (4, *shape)) for shape in shapes]
    layer, weight, delta = BUILT_IN[kind](), np.array([0.0, 1.0, 2.0, -0.5]), np.arange(1.0, 5)
    if integers := layer.integer_inputs(*shapes):
        inputs[1] = stream.integers(0, integers[1].stop, 4)
    plain, weighted = layer.forward({}, *inputs), layer.forward({}, *inputs, weight)
    np.testing.assert_array_equal(weighted.value, plain.value * weight)
    *inner, own = weighted.deltas
    assert own is not None
    np.testing.assert_array_equal(own(delta), delta * plain.value)
    for one, other in zip(inner, plain.deltas, strict=True):
        if one is not None and other is not None:
            np.testing.assert_array_equal(one(delta), other(delta * weight))


@KINDS
def test_there_is_one_weight_for_each_example(kind: str) -> None:
    with pytest.raises(LayerError, match="one weight for each example") as caught:
        BUILT_IN[kind]().output_shape(*SHAPES[kind], (3,))
    assert caught.value.input == len(SHAPES[kind])
    with pytest.raises(LayerError, match="one weight for each example"):
        BUILT_IN[kind]().output_shape(*SHAPES[kind], (), ())

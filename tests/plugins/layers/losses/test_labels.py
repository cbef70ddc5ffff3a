"""Losses of labels: options, and labels that are no class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.layers import BUILT_IN, FEW_SEEDS

from deltawire_layers import LayerError, check_layer

OPTIONS: list[dict[str, Any]] = [
    {"ignore_index": 1},
    {"ignore_index": -100},
    {"class_weights": [1, 2, 0.5], "ignore_index": 7},
    {"class_weights": 2},
    {"class_weights": [1, 2, 0.5], "ignore_index": 1, "per_row": True},
]


@pytest.mark.parametrize("kind", ["nll", "softmax_nll"])
@pytest.mark.parametrize("options", OPTIONS)
def test_options_keep_the_contract(kind: str, options: dict[str, Any]) -> None:
    for seed in FEW_SEEDS:
        check_layer(BUILT_IN[kind](**options), (2, 3), (2,), seed=seed)
        check_layer(BUILT_IN[kind](axis=0, **options), (3, 2), (2,), seed=seed)


@pytest.mark.parametrize("smoothing", [0.1, 1])
def test_smoothed_labels_keep_the_contract(smoothing: float) -> None:
    for seed in FEW_SEEDS:
        layer = BUILT_IN["softmax_nll"](label_smoothing=smoothing, ignore_index=-1, class_weights=[1, 2, 3])
        check_layer(layer, (2, 3), (2,), seed=seed)
        rows = {"label_smoothing": smoothing, "per_row": True}
        check_layer(BUILT_IN["softmax_nll"](axis=0, **rows), (3, 2), (2,), seed=seed)


@pytest.mark.parametrize("kind", ["nll", "softmax_nll"])
def test_a_label_that_is_no_class_is_not_counted_silently(kind: str) -> None:
    layer = BUILT_IN[kind](ignore_index=-3)
    assert layer.integer_inputs((2,), ()) == {1: (range(2), range(-3, -2))}
    run = layer.forward({}, np.zeros((3, 2)), np.array([0, -1, -3]))
    assert np.isnan(run.value).tolist() == [False, True, False] and run.value[2] == 0
    (equation, _) = run.deltas
    assert equation is not None
    delta = equation(np.ones(3))
    assert np.isnan(delta).any(axis=1).tolist() == [False, True, False] and not delta[2].any()


def test_losses_of_rows_take_no_weight_of_their_example() -> None:
    layer = BUILT_IN["softmax_nll"](per_row=True)
    assert layer.output_shape((4, 3), (4,)) == (4,)
    with pytest.raises(LayerError, match="not with per_row"):
        layer.output_shape((4, 3), (4,), ())


def test_class_weights_fit_the_classes() -> None:
    with pytest.raises(LayerError, match=r"2 class weights do not fit \[3\]"):
        BUILT_IN["nll"](class_weights=[1, 2]).output_shape((3,), ())
    with pytest.raises(LayerError, match=r"2 weights do not fit shape \[3\]"):
        BUILT_IN["binary_nll"](pos_weight=[1, 2]).output_shape((3,), (3,))

"""Choices by a mask: the rules of the contract, known numbers, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.layers import BUILT_IN, FEW_SEEDS

from deltawire_layers import LayerError, check_layer
from deltawire_layers.layer import Shape

CASES: list[tuple[str, dict[str, Any], list[Shape]]] = [
    ("where", {}, [(3,), (3,), (3,)]),
    ("where", {}, [(2, 1), (3, 2, 2), (3, 2, 2)]),
    ("where", {}, [(), (2,), (2,)]),
    ("masked_fill", {"value": -2}, [(2, 3), (3,)]),
    ("masked_fill", {"value": -3.4e38}, [(), ()]),
]


@pytest.mark.parametrize(("kind", "config", "shapes"), CASES, ids=[f"{k}-{c}-{s}" for k, c, s in CASES])
def test_keeps_the_contract(kind: str, config: dict[str, Any], shapes: list[Shape]) -> None:
    for seed in FEW_SEEDS:
        check_layer(BUILT_IN[kind](**config), *shapes, seed=seed)


def test_the_choice_not_taken_does_not_matter(answers: Callable[..., Any]) -> None:
    a, b = [[1.0, np.inf]], [[np.nan, 2.0]]
    value, (_, of_a, of_b), _ = answers(BUILT_IN["where"](), [[[1, 0]], a, b], delta=[[3.0, np.inf]])
    assert value.tolist() == [[1, 2]]
    assert (of_a.tolist(), of_b.tolist()) == ([[3, 0]], [[0, np.inf]])
    value, (delta, _), _ = answers(BUILT_IN["masked_fill"](value=-9), [b, [[1, 0]]])
    assert (value.tolist(), delta.tolist()) == ([[-9, 2]], [[0, 1]])


@pytest.mark.parametrize(
    ("kind", "config", "shapes", "message"),
    [
        ("where", {}, [(2,), (3,), (3,)], "a mask of shape [2] does not broadcast to [3]"),
        ("where", {}, [(3,), (3,), (1,)], "expected the shape of the second input, [3], got [1]"),
        ("masked_fill", {"value": 0}, [(3,), (2, 3)], "a mask of shape [2, 3] does not broadcast to [3]"),
    ],
)
def test_what_does_not_fit_is_named(
    kind: str, config: dict[str, Any], shapes: list[Shape], message: str
) -> None:
    with pytest.raises(LayerError) as caught:
        BUILT_IN[kind](**config).output_shape(*shapes)
    assert str(caught.value) == message

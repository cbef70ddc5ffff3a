"""Layers of shapes: the rules of the contract in odd shapes, and what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from marshmallow import ValidationError
from support.layers import BUILT_IN, FEW_SEEDS

from deltawire_layers import LayerError, check_layer
from deltawire_layers.layer import Shape

CASES: list[tuple[str, dict[str, Any], list[Shape]]] = [
    ("expand", {"shape": [2, 3]}, [(1, 3)]),
    ("expand", {"shape": [2, -1, 3]}, [(2, 1)]),
    ("expand", {"shape": [2]}, [()]),
    ("expand", {"shape": []}, [()]),
    ("expand", {"shape": [-1, 4]}, [(3, 1)]),
    ("pad", {"widths": [[1, 2]], "mode": "reflect"}, [(3,)]),
    ("pad", {"widths": [[1, 2], [0, 1]], "mode": "circular"}, [(2, 2, 3)]),
    ("pad", {"widths": [[3, 2]], "mode": "replicate"}, [(2, 2)]),
    ("pad", {"widths": [[1, 0], [0, 2]], "value": -1.5}, [(2, 2)]),
    ("take", {}, [(3,), (2,)]),
    ("take", {"axis": 0}, [(3, 2), (2, 2)]),
    ("take", {"axis": 1}, [(2, 3, 2), ()]),
    ("take", {"axis": -1}, [(2, 3), (4,)]),
    ("take_along_axis", {}, [(3,), (2,)]),
    ("take_along_axis", {"axis": 0}, [(3, 2), (4, 2)]),
    ("flip", {}, [(3,)]),
    ("flip", {"axes": [0]}, [(2, 3)]),
    ("flip", {}, [()]),
    ("roll", {"shifts": [1, -5], "axes": [0, -1]}, [(3, 2)]),
    ("roll", {"shifts": [1000000000000000000000000000000], "axes": [0]}, [(3, 2)]),
    ("pixel_shuffle", {"factor": 2}, [(4, 1, 2)]),
    ("pixel_shuffle", {"factor": 1}, [(2, 2, 2)]),
    ("min", {}, [(3,)]),
    ("min", {"axis": 0}, [(3, 2)]),
    ("variance", {}, [(2, 3)]),
    ("variance", {"axes": [0], "correction": 1}, [(3, 2)]),
    ("variance", {}, [()]),
    ("norm", {}, [(2, 3)]),
    ("norm", {"axes": [-1]}, [(2, 3)]),
    ("norm", {"order": 1}, [(2, 3)]),
    ("norm", {}, [()]),
    ("norm", {"order": 1, "axes": [0]}, [(3,)]),
    ("logsumexp", {}, [(2, 3)]),
    ("logsumexp", {"axes": [0]}, [(2, 3)]),
    ("logsumexp", {}, [()]),
    ("cumsum", {}, [(3,)]),
    ("cumsum", {"axis": 0}, [(3, 2)]),
    ("slice", {"step": 2}, [(5,)]),
]


@pytest.mark.parametrize(("kind", "config", "shapes"), CASES, ids=[f"{k}-{c}-{s}" for k, c, s in CASES])
def test_keeps_the_contract(kind: str, config: dict[str, Any], shapes: list[Shape]) -> None:
    for seed in FEW_SEEDS:
        check_layer(BUILT_IN[kind](**config), *shapes, seed=seed)


@pytest.mark.parametrize(
    ("kind", "config", "shapes", "message"),
    [
        ("expand", {"shape": [3]}, [(2,)], "shape [2] does not expand to [3]"),
        ("expand", {"shape": [-1, 2]}, [(2,)], "shape [2] does not expand to [-1, 2]"),
        ("expand", {"shape": [2]}, [(1, 2)], "shape [1, 2] does not expand to [2]"),
        ("pad", {"widths": [[1, 1], [0, 0]]}, [(2,)], "widths of 2 axes do not fit shape [2]"),
        (
            "pad",
            {"widths": [[0, 2]], "mode": "reflect"},
            [(2,)],
            "reflect adds at most 1 places to axis 0 of 2",
        ),
        (
            "pad",
            {"widths": [[3, 0]], "mode": "circular"},
            [(2,)],
            "circular adds at most 2 places to axis 0 of 2",
        ),
        ("take", {}, [(0,), (1,)], "expected at least one place along axis -1, got [0]"),
        (
            "take",
            {"axis": 1},
            [(2,), (1,)],
            "axis 1 does not exist in shape [2]: the batch is no axis of an example",
        ),
        ("take_along_axis", {}, [(2, 3), (3, 1)], "expected shape [2, any], got [3, 1]"),
        ("pixel_shuffle", {"factor": 2}, [(6, 1, 1)], "6 channels cannot be divided into groups of 4"),
        ("pixel_shuffle", {"factor": 2}, [(4, 1)], "expected axes (channels, h, w), got shape [4, 1]"),
        ("variance", {"correction": 1}, [(1,)], "expected more than 1 numbers to vary, got 1"),
        ("logsumexp", {}, [(0,)], "expected at least one number to sum, got shape [0]"),
    ],
)
def test_what_does_not_fit_is_named(
    kind: str, config: dict[str, Any], shapes: list[Shape], message: str
) -> None:
    with pytest.raises(LayerError) as caught:
        BUILT_IN[kind](**config).output_shape(*shapes)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("expand", {"shape": [0]}),
        ("pad", {"widths": []}),
        ("pad", {"widths": [[1]]}),
        ("pad", {"widths": [[1, -1]]}),
        ("pad", {"widths": [1, 1]}),
        ("pad", {"widths": [[1, 1]], "mode": "symmetric"}),
        ("roll", {"shifts": [1, 2], "axes": [0]}),
        ("slice", {"step": 0}),
        ("norm", {"order": 3}),
        ("variance", {"correction": -1}),
    ],
)
def test_other_configs_are_refused(kind: str, config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BUILT_IN[kind](**config)


def test_expand_copies_nothing() -> None:
    x = np.ones((2, 1))
    value = BUILT_IN["expand"](shape=[1000]).forward({}, x).value
    assert value.shape == (2, 1000) and value.strides[1] == 0 and np.shares_memory(value, x)


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_norm_of_numbers_of_any_size(size: float) -> None:
    activation = BUILT_IN["norm"]().forward({}, np.array([[3 * size, -4 * size]]))
    assert activation.value == pytest.approx([5 * size], rel=1e-15, abs=0)
    (equation,) = activation.deltas
    assert equation is not None
    np.testing.assert_allclose(equation(np.ones(1)), [[0.6, -0.8]], rtol=1e-15)


def test_logsumexp_of_numbers_of_any_size() -> None:
    value = BUILT_IN["logsumexp"]().forward({}, np.array([[-1e4, -1e4], [1e4, 0]])).value
    np.testing.assert_allclose(value, [-1e4 + np.log(2), 1e4], rtol=1e-15)

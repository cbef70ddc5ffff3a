"""Attention: the rules of the contract, small known numbers, and what does not fit."""

from __future__ import annotations

from math import exp, log, sqrt
from typing import Any

import numpy as np
import pytest
from marshmallow import ValidationError
from support.layers import FEW_SEEDS

from deltawire_layers import Activation, LayerError, arity, check_layer
from deltawire_layers.layer import Shape
from deltawire_layers.layers.attention import Attention, MultiHeadAttention


@pytest.mark.parametrize(
    ("config", "shapes"),
    [
        ({}, [(3, 2), (2, 2), (2, 3)]),
        ({}, [(1, 1), (1, 1), (1, 1)]),
        ({}, [(2, 3, 2), (2, 3, 2), (2, 3, 2), (3, 3)]),
        ({"causal": True}, [(3, 2), (3, 2), (3, 2)]),
        ({"causal": True}, [(2, 2), (4, 2), (4, 1), (2, 4)]),
    ],
)
@pytest.mark.parametrize("seed", FEW_SEEDS)
def test_attention_keeps_the_contract(config: dict[str, Any], shapes: list[Shape], seed: int) -> None:
    check_layer(Attention(**config), *shapes, seed=seed)


@pytest.mark.parametrize(
    ("config", "shapes"),
    [
        ({"heads": 2}, [(3, 4), (2, 4), (2, 4)]),
        ({"heads": 1}, [(1, 1), (1, 1), (1, 1)]),
        ({"heads": 2, "bias": False, "causal": True}, [(2, 2), (3, 2), (3, 2), (2, 3)]),
        ({"heads": 1}, [(2, 2, 2), (2, 3, 2), (2, 3, 2), (2, 3)]),
    ],
)
@pytest.mark.parametrize("seed", FEW_SEEDS)
def test_multi_head_attention_keeps_the_contract(
    config: dict[str, Any], shapes: list[Shape], seed: int
) -> None:
    check_layer(MultiHeadAttention(**config), *shapes, seed=seed)


def attend(*inputs: Any, **config: Any) -> Activation:
    """A batch of one example through `attention`."""
    return Attention(**config).forward({}, *(np.array([x]) for x in inputs))


def test_known_numbers() -> None:
    """One query that fits its keys by log 1 and log 3: weights ¼ and ¾."""
    attended = attend([[sqrt(2), 0.0]], [[0.0, 9.0], [log(3), 9.0]], [[4.0], [8.0]])
    assert attended.value[0] == pytest.approx(np.array([[7.0]]))
    signal = attended.signal(np.array([[[1.0]]]))
    query_delta, key_delta, value_delta = (equation(signal)[0] for equation in attended.deltas if equation)
    assert value_delta == pytest.approx(np.array([[0.25], [0.75]]))
    assert key_delta == pytest.approx(np.array([[-0.75, 0.0], [0.75, 0.0]]))  # ¾ · ¼ · (8 − 4) · √2 / √2
    assert query_delta == pytest.approx(np.array([[0.75 * log(3) / sqrt(2), 0.0]]))


def test_causal_sees_no_key_behind_its_place() -> None:
    x = [[1.0], [2.0], [3.0]]
    value = attend(x, x, x, causal=True).value[0, :, 0]
    assert value[0] == 1
    assert value[1] == pytest.approx((exp(2) + 2 * exp(4)) / (exp(2) + exp(4)))


def test_mask_and_causal_both_count() -> None:
    x = [[1.0], [2.0], [3.0]]
    value = attend(x, x, x, [[1, 1, 1], [0, 1, 1], [0, 0, 1]], causal=True).value[0, :, 0]
    assert value.tolist() == [1, 2, 3]


def test_a_query_that_sees_no_key_gets_zeros_and_sends_none() -> None:
    attended = attend([[1e4], [1.0]], [[1e4], [1.0]], [[5.0], [6.0]], [[0, 0], [0, 1]])
    assert attended.value[0].tolist() == [[0.0], [6.0]]
    signal = attended.signal(np.ones((1, 2, 1)))
    assert [equation(signal)[0].tolist() for equation in attended.deltas if equation] == [
        [[0.0], [0.0]], [[0.0], [0.0]], [[0.0], [1.0]],
    ]  # fmt: skip
    assert attended.deltas[3] is None


def test_self_attention_is_one_node_given_three_times() -> None:
    """Its δ is the sum of three, which the network adds up."""
    layer = MultiHeadAttention(heads=1, bias=False)
    x = np.array([[[1.0], [2.0]]])
    params = {"in_proj_weight": np.ones((3, 1)), "out_proj_weight": np.full((1, 1), 2.0)}
    value = layer.forward(params, x, x, x).value[0, :, 0]
    assert value[0] == pytest.approx(2 * (exp(1) + 2 * exp(2)) / (exp(1) + exp(2)))


def test_a_mask_takes_zeros_and_ones() -> None:
    shapes = (3, 2), (3, 2), (3, 2)
    for layer in (Attention(), MultiHeadAttention(heads=2)):
        assert layer.integer_inputs(*shapes) == {}
        assert layer.integer_inputs(*shapes, (3, 3)) == {3: range(2)}
        assert str(arity(layer)) == "3 inputs (query, key, value), and mask if wanted"
        assert [count for count in range(7) if arity(layer).accepts(count)] == [3, 4]


@pytest.mark.parametrize(
    ("shapes", "input", "message"),
    [
        ([(2,), (3, 2), (3, 2)], 0, "at least two axes, got shape [2]"),
        ([(2, 2), (3, 2), ()], 2, "at least two axes, got shape []"),
        ([(2, 2), (3, 4), (3, 4)], 1, "expected shape [any, 2] to fit the query, got [3, 4]"),
        ([(5, 2, 2), (4, 3, 2), (4, 3, 2)], 1, "expected shape [5, any, 2] to fit the query, got [4, 3, 2]"),
        ([(2, 2), (3, 2), (2, 2)], 2, "expected shape [3, any], a row for each key, got [2, 2]"),
        (
            [(2, 2), (3, 2), (3, 2), (3, 2)],
            3,
            "expected shape [2, 3], a number for each query and key, got [3, 2]",
        ),
    ],
)
def test_what_does_not_fit_is_named(shapes: list[Shape], input: int | None, message: str) -> None:
    for layer in (Attention(), MultiHeadAttention(heads=1)):
        with pytest.raises(LayerError) as caught:
            layer.output_shape(*shapes)
        assert message in str(caught.value)
        assert caught.value.input == input


def test_heads_divide_the_width() -> None:
    with pytest.raises(LayerError, match="a width of 4 cannot be divided into 3 heads"):
        MultiHeadAttention(heads=3).output_shape((2, 4), (2, 4), (2, 4))


def test_heads_take_values_as_wide_as_keys() -> None:
    with pytest.raises(LayerError, match=r"expected the shape of the key, \[2, 4\], got \[2, 3\]"):
        MultiHeadAttention(heads=2).output_shape((2, 4), (2, 4), (2, 3))


def test_parameters_are_laid_out_as_in_torch() -> None:
    shapes = (3, 4), (2, 4), (2, 4)
    parameters = MultiHeadAttention(heads=2).parameters(*shapes)
    assert {name: parameter.shape for name, parameter in parameters.items()} == {
        "in_proj_weight": (12, 4),
        "out_proj_weight": (4, 4),
        "in_proj_bias": (12,),
        "out_proj_bias": (4,),
    }
    assert set(MultiHeadAttention(heads=2, bias=False).parameters(*shapes)) == {
        "in_proj_weight",
        "out_proj_weight",
    }


@pytest.mark.parametrize("config", [{}, {"heads": 0}, {"heads": 1.5}, {"heads": 1, "causal": "yes"}])
def test_config(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MultiHeadAttention(**config)

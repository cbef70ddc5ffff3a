"""linear and embedding against plain numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from marshmallow import ValidationError

from deltawire_layers import LayerError
from deltawire_layers.layers.linear import Embedding, Linear

Answering = Callable[..., Any]

W = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
B = [10.0, 20.0, 30.0]
TABLE = [[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]


def test_linear(answers: Answering) -> None:
    value, deltas, grads = answers(
        Linear(units=3),
        [[[1.0, -1.0], [2.0, 0.0]]],
        delta=[[1.0, 0.0, 0.0], [0.0, 1.0, 2.0]],
        params={"weight": W, "bias": B},
    )
    assert value.tolist() == [[9, 19, 29], [12, 26, 40]]
    assert deltas[0].tolist() == [[1, 2], [13, 16]]
    assert grads["weight"].tolist() == [[1, -1], [2, 0], [4, 0]]
    assert grads["bias"].tolist() == [1, 1, 2]


def test_linear_works_along_the_last_axis_of_many(answers: Answering) -> None:
    x = np.arange(12.0).reshape(2, 3, 2)
    delta = np.arange(18.0).reshape(2, 3, 3)
    many = answers(Linear(units=3), [x], delta, {"weight": W, "bias": B})
    flat = answers(Linear(units=3), [x.reshape(6, 2)], delta.reshape(6, 3), {"weight": W, "bias": B})
    np.testing.assert_array_equal(many.value, flat.value.reshape(2, 3, 3))
    np.testing.assert_array_equal(many.deltas[0], flat.deltas[0].reshape(2, 3, 2))
    np.testing.assert_array_equal(many.grads["weight"], flat.grads["weight"])
    np.testing.assert_array_equal(many.grads["bias"], flat.grads["bias"])


def test_linear_without_bias(answers: Answering) -> None:
    layer = Linear(units=3, bias=False)
    value, _, grads = answers(layer, [[[1.0, -1.0]]], params={"weight": W})
    assert value.tolist() == [[-1, -1, -1]]
    assert list(grads) == list(layer.parameters((2,))) == ["weight"]


def test_linear_declares_torchs_layout_and_first_numbers() -> None:
    layer = Linear(units=3)
    assert layer.output_shape((5, 4)) == (5, 3)
    parameters = layer.parameters((5, 4))
    assert {name: parameter.shape for name, parameter in parameters.items()} == {
        "weight": (3, 4),
        "bias": (3,),
    }
    for _, init in parameters.values():
        drawn = init(np.random.default_rng(0), (1000,))
        assert 0.49 < np.abs(drawn).max() <= 0.5  # 1/√4
    assert layer.saved((5, 4)) == 0


def test_linear_needs_an_axis() -> None:
    with pytest.raises(LayerError, match=r"at least one axis, got a single number") as caught:
        Linear(units=3).output_shape(())
    assert caught.value.input == 0


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({}, "units"),
        ({"units": 0}, "units"),
        ({"units": -1}, "units"),
        ({"units": 2.0}, "units"),
        ({"units": "2"}, "units"),
        ({"units": True}, "units"),
        ({"units": None}, "units"),
        ({"units": [2]}, "units"),
        ({"units": 2, "bias": "yes"}, "bias"),
        ({"units": 2, "bias": None}, "bias"),
        ({"units": 2, "unit": 3}, "unit"),
    ],
)
def test_linear_refuses_other_configurations(config: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Linear(**config)
    assert isinstance(caught.value.messages, dict) and list(caught.value.messages) == [key]


def test_embedding_looks_rows_up(answers: Answering) -> None:
    value, deltas, _ = answers(Embedding(rows=3, width=2), [[[0, 2], [2, 2]]], params={"weight": TABLE})
    assert value.tolist() == [[[1, 10], [3, 30]], [[3, 30], [3, 30]]]
    assert deltas == [None]


def test_gradients_of_a_row_looked_up_several_times_add_up(answers: Answering) -> None:
    delta = [[[1.0, 2.0], [4.0, 8.0]], [[16.0, 32.0], [64.0, 128.0]]]
    grads = answers(Embedding(rows=3, width=2), [[[2, 0], [2, 2]]], delta, {"weight": TABLE}).grads
    assert grads["weight"].tolist() == [[4, 8], [0, 0], [81, 162]]


def test_embedding_of_single_indices(answers: Answering) -> None:
    value, _, grads = answers(Embedding(rows=3, width=2), [[1, 1]], params={"weight": TABLE})
    assert value.tolist() == [[2, 20], [2, 20]]
    assert grads["weight"].tolist() == [[0, 0], [2, 2], [0, 0]]


def test_embedding_declares_its_range_and_shapes() -> None:
    layer = Embedding(rows=3, width=2)
    assert layer.integer_inputs((4,)) == {0: range(3)}
    assert layer.output_shape((4, 5)) == (4, 5, 2)
    assert layer.output_shape(()) == (2,)
    assert layer.parameters((4,))["weight"].shape == (3, 2)


@pytest.mark.parametrize(
    "config", [{"rows": 3}, {"rows": 0, "width": 2}, {"rows": 3, "width": True}, {"rows": "3", "width": 2}]
)
def test_embedding_refuses_other_configurations(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Embedding(**config)


def test_a_padding_row_is_looked_up_and_gets_no_gradient(answers: Answering) -> None:
    delta = [[[1.0, 2.0], [4.0, 8.0]], [[16.0, 32.0], [64.0, 128.0]]]
    layer = Embedding(rows=3, width=2, padding_idx=2)
    value, _, grads = answers(layer, [[[2, 0], [2, 0]]], delta, {"weight": TABLE})
    assert value.tolist() == [[[3, 30], [1, 10]], [[3, 30], [1, 10]]]
    assert grads["weight"].tolist() == [[68, 136], [0, 0], [0, 0]]
    index, params = np.array([[2, 0], [2, 0]]), {"weight": np.array(TABLE)}
    apart = layer.per_example(params, np.array(delta), index)["weight"]
    assert apart.tolist() == [[[4, 8], [0, 0], [0, 0]], [[64, 128], [0, 0], [0, 0]]]


def test_a_padding_row_is_a_constant_of_tangents_too() -> None:
    layer, weight = Embedding(rows=3, width=2, padding_idx=2), np.array(TABLE) + 1j
    value = layer.forward({"weight": weight}, np.array([[2, 0]])).value
    assert value.tolist() == [[[3, 30], [1 + 1j, 10 + 1j]]]
    assert (weight.imag == 1).all()


def test_a_padding_row_is_one_of_the_table() -> None:
    with pytest.raises(LayerError, match="padding_idx is 3, and the table has 3 rows"):
        Embedding(rows=3, width=2, padding_idx=3).output_shape((4,))

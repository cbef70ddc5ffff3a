"""Losses, one number per example, against plain numbers."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Any

import numpy as np
import pytest
from marshmallow import ValidationError

from deltawire_layers import LayerError, load_layers
from deltawire_layers.layers.losses import MaxMargin, Nll, SoftmaxNll, SquaredError

Answering = Callable[..., Any]
Shape = tuple[int, ...]

LAYERS = load_layers()

SCORES = [[0.0, log(2), log(5)], [0.0, 0.0, 0.0]]
P = np.array([[1 / 8, 2 / 8, 5 / 8], [1 / 3, 1 / 3, 1 / 3]])


def test_softmax_nll(answers: Answering) -> None:
    value, (delta, none), _ = answers(SoftmaxNll(), [SCORES, [1, 2]], delta=[1.0, 10.0])
    np.testing.assert_allclose(value, [log(4), log(3)], rtol=1e-15)
    np.testing.assert_allclose(delta, (P - [[0, 1, 0], [0, 0, 1]]) * [[1], [10]], rtol=1e-14)
    assert none is None


def test_softmax_nll_sums_over_the_rows_of_an_example(answers: Answering) -> None:
    value, (delta, _), _ = answers(SoftmaxNll(), [[SCORES], [[1, 2]]], delta=[10.0])
    np.testing.assert_allclose(value, [log(12)], rtol=1e-15)
    np.testing.assert_allclose(delta, [10 * (P - [[0, 1, 0], [0, 0, 1]])], rtol=1e-14)


def test_softmax_nll_of_scores_of_any_size(answers: Answering) -> None:
    value, (delta, _), _ = answers(SoftmaxNll(), [[[1e4, -1e4], [1e4, -1e4]], [0, 1]])
    assert value.tolist() == [0, 2e4]
    assert delta.tolist() == [[0, 0], [1, -1]]


def test_nll(answers: Answering) -> None:
    value, (delta, none), _ = answers(Nll(), [[[-1.0, -2.0], [-3.0, -4.0]], [1, 0]], delta=[1.0, 10.0])
    assert value.tolist() == [2, 3]
    assert delta.tolist() == [[0, -1], [-10, 0]]
    assert none is None


def test_nll_sums_over_the_rows_of_an_example(answers: Answering) -> None:
    value, (delta, _), _ = answers(Nll(), [[[[-1.0, -2.0], [-3.0, -4.0]]], [[1, 0]]], delta=[10.0])
    assert value.tolist() == [5]
    assert delta.tolist() == [[[0, -10], [-10, 0]]]


def test_softmax_nll_is_nll_of_log_softmax(answers: Answering) -> None:
    scores = np.random.default_rng(0).standard_normal((5, 4))
    labels = [0, 3, 3, 1, 2]
    whole = answers(SoftmaxNll(), [scores, labels])
    logs = answers(LAYERS["log_softmax"](), [scores])
    parts = answers(Nll(), [logs.value, labels])
    np.testing.assert_allclose(whole.value, parts.value, rtol=1e-14)
    through = answers(LAYERS["log_softmax"](), [scores], parts.deltas[0]).deltas[0]
    np.testing.assert_allclose(whole.deltas[0], through, atol=1e-15)


def test_squared_error(answers: Answering) -> None:
    prediction, target = [[1.0, 2.0], [0.0, 5.0]], [[0.0, 4.0], [0.0, 2.0]]
    value, deltas, _ = answers(SquaredError(), [prediction, target], delta=[1.0, 10.0])
    assert value.tolist() == [5, 9]
    assert deltas[0].tolist() == [[2, -4], [0, 60]]
    assert deltas[1].tolist() == [[-2, 4], [0, -60]]


def test_max_margin_of_the_lecture(answers: Answering) -> None:
    # max(0, 1 − s + s_corrupt): wrong, right by less than the margin, exactly the margin, right by more
    value, deltas, _ = answers(
        MaxMargin(), [[0.0, 1.0, 1.0, 3.0], [2.0, 0.5, 0.0, 0.0]], delta=[1.0, 10, 100, 1000]
    )
    assert value.tolist() == [3, 0.5, 0, 0]
    assert deltas[0].tolist() == [-1, -10, 0, 0]
    assert deltas[1].tolist() == [1, 10, 0, 0]


def test_max_margin_sums_over_the_example(answers: Answering) -> None:
    value, deltas, _ = answers(MaxMargin(margin=2), [[[0.0, 5.0]], [[0.0, 0.0]]], delta=[10.0])
    assert value.tolist() == [2]
    assert [delta.tolist() for delta in deltas] == [[[-10, 0]], [[10, 0]]]


@pytest.mark.parametrize("kind", ["softmax_nll", "nll"])
class TestLabels:
    def test_their_range_is_the_classes(self, kind: str) -> None:
        layer = LAYERS[kind]()
        assert layer.integer_inputs((2, 3), (2,)) == {1: range(3)}
        assert layer.output_shape((2, 3), (2,)) == layer.output_shape((3,), ()) == ()

    @pytest.mark.parametrize("label", [(), (3,), (2, 1), (2, 3)])
    def test_there_is_one_for_each_row(self, kind: str, label: Shape) -> None:
        with pytest.raises(LayerError) as caught:
            LAYERS[kind]().output_shape((2, 3), label)
        assert caught.value.input == 1
        assert str(caught.value) == f"expected one label for each row of [2, 3], shape [2], got {list(label)}"

    @pytest.mark.parametrize(("scores", "label"), [((), ()), ((0,), ()), ((2, 0), (2,))])
    def test_there_is_a_class_to_choose(self, kind: str, scores: Shape, label: Shape) -> None:
        with pytest.raises(LayerError) as caught:
            LAYERS[kind]().output_shape(scores, label)
        assert caught.value.input == 0


@pytest.mark.parametrize("kind", ["squared_error", "max_margin"])
def test_two_inputs_have_one_shape(kind: str) -> None:
    layer = LAYERS[kind]()
    assert layer.output_shape((2, 3), (2, 3)) == layer.output_shape((), ()) == ()
    with pytest.raises(
        LayerError, match=r"expected the shape of the first input, \[2\], got \[1\]"
    ) as caught:
        layer.output_shape((2,), (1,))
    assert caught.value.input == 1


@pytest.mark.parametrize("kind", ["squared_error", "max_margin"])
@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_what_is_not_a_number_is_not_hidden(kind: str, position: int, dtype: type[Any]) -> None:
    inputs = [np.zeros((2, 2), dtype), np.full((2, 2), -9, dtype)]
    inputs[position][0, 1] = np.nan
    assert np.isnan(LAYERS[kind]().forward({}, *inputs).value).tolist() == [True, False]


@pytest.mark.parametrize("kind", ["softmax_nll", "nll"])
def test_a_label_points_at_what_is_not_a_number(kind: str) -> None:
    value = LAYERS[kind]().forward({}, np.array([[0, np.nan], [0, 1]]), np.array([1, 1])).value
    assert np.isnan(value).tolist() == [True, False]


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("max_margin", {"margin": True}),
        ("max_margin", {"margin": None}),
        ("max_margin", {"margin": float("nan")}),
        ("max_margin", {"margin": float("inf")}),
        ("max_margin", {"margin": "wide"}),
        ("max_margin", {"margins": 1}),
        ("softmax_nll", {"reduction": "sum"}),
        ("nll", {"classes": 3}),
        ("squared_error", {"margin": 1}),
    ],
)
def test_other_configurations_are_refused(kind: str, config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LAYERS[kind](**config)

"""Losses: known numbers, the rules of the contract, and where precision is easily lost."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, inf, log, log1p, sqrt
from typing import Any

import numpy as np
import pytest
from marshmallow import ValidationError
from support.layers import FEW_SEEDS

from deltawire_layers import Layer, LayerError, check_layer, load_layers
from deltawire_layers.layers.losses.labels import Nll, SoftmaxNll
from deltawire_layers.layers.losses.probabilities import BinaryNll, KlDivergence
from deltawire_layers.layers.losses.regression import Huber, SquaredError
from deltawire_layers.layers.losses.similarity import CosineDistance, MaxMargin

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


LOSSES: list[Layer] = [BinaryNll(), CosineDistance(), Huber(), KlDivergence()]


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
@pytest.mark.parametrize("layer", [BinaryNll(), Huber(), Huber(delta=0.01), Huber(delta=50), KlDivergence()])
def test_sums_over_places_pass_the_kit(layer: Layer, shape: tuple[int, ...]) -> None:
    for seed in FEW_SEEDS:
        check_layer(layer, shape, shape, seed=seed)


@pytest.mark.parametrize("shape", [(1,), (3,), (2, 3), (2, 1, 2)])
def test_cosine_distance_passes_the_kit(shape: tuple[int, ...]) -> None:
    for seed in FEW_SEEDS:
        check_layer(CosineDistance(), shape, shape, seed=seed)


@pytest.mark.parametrize("layer", LOSSES)
def test_one_number_per_example_of_equal_shapes(layer: Layer) -> None:
    assert layer.output_shape((2, 3), (2, 3)) == ()
    with pytest.raises(LayerError, match=r"\[2, 3\], got \[3\]") as refused:
        layer.output_shape((2, 3), (3,))
    assert refused.value.input == 1


def test_cosine_distance_needs_vectors() -> None:
    with pytest.raises(LayerError, match="at least one axis") as refused:
        CosineDistance().output_shape((), ())
    assert refused.value.input == 0


def at(layer: Layer, *inputs: Any) -> tuple[Any, list[Any]]:
    """The loss of one example, and δ of both inputs."""
    activation = layer.forward({}, *(np.array([x], np.float64) for x in inputs))
    deltas = [equation(np.ones(1))[0].tolist() for equation in activation.deltas if equation]
    return activation.value[0], deltas


@pytest.mark.parametrize("score", [-1e4, -800.0, -40.0, -1.0, 0.0, 1.0, 40.0, 800.0, 1e4])
def test_binary_nll_keeps_small_numbers(score: float) -> None:
    small = exp(-abs(score))  # of which the surprise at the likelier label consists
    for target in (0.0, 1.0):
        likely = (score > 0) == (target > 0) or score == 0
        loss, (down, by_target) = at(BinaryNll(), score, target)
        chance_of_error = (small if likely else 1.0) / (1 + small)
        assert loss == pytest.approx(log1p(small) + (0 if likely else abs(score)), rel=1e-14, abs=0)
        assert down == pytest.approx(chance_of_error * (1 if target == 0 else -1), rel=1e-14, abs=0)
        assert by_target == -score


def test_binary_nll_of_a_target_between_its_ends() -> None:
    p = 1 / (1 + exp(-0.3))
    loss, (down, _) = at(BinaryNll(), 0.3, 0.8)
    assert loss == pytest.approx(-0.8 * log(p) - 0.2 * log(1 - p))
    assert down == pytest.approx(p - 0.8)
    assert at(BinaryNll(), [0.3, 0.3], [0.8, 0.8])[0] == pytest.approx(2 * loss)


@pytest.mark.parametrize(
    ("error", "loss", "slope"),
    [(0, 0, 0), (1, 0.5, 1), (-2, 2, -2), (5, 2 * (5 - 1), 2), (-1e200, 2e200, -2)],
)
def test_huber_bends_into_a_straight_line(error: float, loss: float, slope: float) -> None:
    assert at(Huber(delta=2), error, 0) == (loss, [slope, -slope])


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_cosine_distance_of_vectors_of_any_length(size: float) -> None:
    loss, (down, _) = at(CosineDistance(), [size, 0], [1, 1])
    assert loss == pytest.approx(1 - sqrt(0.5), rel=1e-14, abs=0)
    assert np.array(down) * size == pytest.approx([0, -sqrt(0.5)], rel=1e-14, abs=1e-15)


def test_cosine_distance_of_vectors_that_are_nearly_parallel() -> None:
    loss, (down, other) = at(CosineDistance(), [1, 1e-9], [1, 0])
    assert loss == pytest.approx(0.5e-18, rel=1e-6, abs=0)
    assert down == pytest.approx([0, 1e-9], rel=1e-6, abs=1e-17)
    assert other == pytest.approx([0, -1e-9], rel=1e-6, abs=1e-17)
    assert at(CosineDistance(), [3, 4], [-6, -8])[0] == pytest.approx(2, rel=1e-15, abs=0)


def test_a_vector_of_zeros_has_no_direction() -> None:
    for a, b in (([0, 0], [3, 4]), ([3, 4], [0, 0]), ([0, 0], [0, 0])):
        loss, deltas = at(CosineDistance(), a, b)
        assert loss == pytest.approx(1, rel=1e-15, abs=0)
        assert np.abs(deltas).max() <= 1e-15
    assert at(CosineDistance(), [[0, 0], [1, 0]], [[1, 0], [0, 1]])[0] == pytest.approx(2)


def test_kl_divergence_is_0_where_prediction_and_target_agree() -> None:
    t = np.array([0.1, 0.2, 0.7])
    assert at(KlDivergence(), np.log(t), t)[0] == pytest.approx(0, abs=1e-16)
    assert at(KlDivergence(), np.log([0.5, 0.5]), [0.9, 0.1])[0] == pytest.approx(
        0.9 * log(0.9 / 0.5) + 0.1 * log(0.1 / 0.5)
    )


def test_kl_divergence_of_targets_of_0() -> None:
    with np.errstate(all="ignore"):
        loss, (down, by_target) = at(KlDivergence(), [-1.5, -3], [1, 0])
        assert (loss, down, by_target) == (1.5, [-1, 0], [2.5, -inf])
        # A fixed target of 0 does not spoil a derivative in another direction.
        moved = np.array([[-1.5 + 1e-30j, -3 + 1e-30j]])
        bent = KlDivergence().forward({}, moved, np.array([[1, 0]], np.complex128)).value[0]
        assert np.isnan(at(KlDivergence(), [-1.0], [-0.5])[0])
    assert (bent.real, bent.imag) == (1.5, -1e-30)


@pytest.mark.parametrize(
    ("layer", "config"), [(Huber, {"delta": 0}), (Huber, {"delta": -1}), (KlDivergence, {"log_target": True})]
)
def test_config_is_checked(layer: type[Layer], config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        layer(**config)

"""softmax and log_softmax against the formula and at the ends of the range."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Any

import numpy as np
import pytest

from deltawire_layers import LayerError
from deltawire_layers.layers.softmax import LogSoftmax, Softmax

Answering = Callable[..., Any]

X = [[0.0, log(2), log(5)]]
P = np.array([1, 2, 5]) / 8
DELTA = np.array([1.0, -2.0, 4.0])


def test_softmax(answers: Answering) -> None:
    value, (delta,), _ = answers(Softmax(), [X], [DELTA])
    np.testing.assert_allclose(value, [P], rtol=1e-15)
    np.testing.assert_allclose(delta, [(np.diag(P) - np.outer(P, P)) @ DELTA], rtol=1e-14)


def test_log_softmax(answers: Answering) -> None:
    value, (delta,), _ = answers(LogSoftmax(), [X], [DELTA])
    np.testing.assert_allclose(value, [np.log(P)], rtol=1e-15)
    np.testing.assert_allclose(delta, [DELTA - P * DELTA.sum()], rtol=1e-14)


@pytest.mark.parametrize("layer", [Softmax(), LogSoftmax()], ids=["softmax", "log_softmax"])
class TestBoth:
    def test_only_differences_of_scores_count(self, layer: Softmax | LogSoftmax, answers: Answering) -> None:
        near, far = answers(layer, [X], [DELTA]), answers(layer, [np.array(X) + 4096], [DELTA])
        np.testing.assert_allclose(near.value, far.value, rtol=1e-12)
        np.testing.assert_allclose(near.deltas[0], far.deltas[0], rtol=1e-11)

    def test_every_row_of_the_last_axis_is_one(self, layer: Softmax | LogSoftmax, answers: Answering) -> None:
        x = np.random.default_rng(0).standard_normal((2, 3, 4))
        together = answers(layer, [x], x)
        for place in np.ndindex(2, 3):
            alone = answers(layer, [x[place][None]], x[place][None])
            np.testing.assert_allclose(together.value[place], alone.value[0], rtol=1e-14)
            np.testing.assert_allclose(together.deltas[0][place], alone.deltas[0][0], rtol=1e-13)

    def test_scores_of_any_size_have_finite_answers(
        self, layer: Softmax | LogSoftmax, answers: Answering
    ) -> None:
        value, (delta,), _ = answers(layer, [[[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4]]])
        assert np.isfinite(value).all() and np.isfinite(delta).all()

    def test_shapes(self, layer: Softmax | LogSoftmax) -> None:
        assert layer.output_shape((2, 3)) == (2, 3)
        assert layer.output_shape((0, 3)) == (0, 3)
        with pytest.raises(LayerError, match="at least one axis, got a single number"):
            layer.output_shape(())
        with pytest.raises(LayerError, match=r"at least one place along the last axis, got \[3, 0\]"):
            layer.output_shape((3, 0))

    @pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
    def test_what_is_not_a_number_is_not_hidden(self, layer: Softmax | LogSoftmax, dtype: type[Any]) -> None:
        with np.errstate(invalid="ignore"):
            value = layer.forward({}, np.array([[0, np.nan, 1], [0, 1, 2]], dtype)).value
        assert np.isnan(value).tolist() == [[True] * 3, [False] * 3]


def test_a_small_probability_keeps_its_logarithm(answers: Answering) -> None:
    assert answers(LogSoftmax(), [[[0.0, -1e4]]]).value.tolist() == [[0, -1e4]]


def test_equal_scores_share_equally(answers: Answering) -> None:
    assert answers(Softmax(), [[[7.0] * 4]]).value.tolist() == [[0.25] * 4]

"""Differences come before factors and comparisons, so that great numbers do not swallow small ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deltawire_layers.layers.attention import Attention
from deltawire_layers.layers.losses.similarity import MaxMargin
from deltawire_layers.layers.pointwise.rectifiers import HardSwish

Answering = Callable[..., Any]

DTYPES = [np.float32, np.float64]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("score", [1e8, 1e30, -1e8])
def test_the_margin_of_great_scores(answers: Answering, dtype: type[Any], score: float) -> None:
    scores = np.array([[score]], dtype)
    value, (right, wrong), _ = answers(MaxMargin(), [scores, scores])
    assert (value.tolist(), right.tolist(), wrong.tolist()) == ([1], [[-1]], [[1]])


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_small_margin_of_great_scores(answers: Answering, dtype: type[Any]) -> None:
    scores = np.array([[1e4]], dtype)
    assert answers(MaxMargin(margin=0.3), [scores, scores]).value[0] == dtype(0.3)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1.0, 1e4, 2.0**60])
def test_equal_scores_get_equal_shares(answers: Answering, dtype: type[Any], size: float) -> None:
    # All three keys have the score 6 · size², made of other products each.
    query = size * np.array([[[1, 2, 3]]], dtype)
    key = size * np.array([[[6, 0, 0], [0, 3, 0], [0, 0, 2]]], dtype)
    value = np.array([[[1, 0, 0], [0, 1, 0], [0, 0, 1]]], dtype)
    p = answers(Attention(), [query, key, value]).value
    assert p == pytest.approx(np.full((1, 1, 3), 1 / 3), rel=2 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_visible_key_leaves_no_delta_of_the_query(answers: Answering, dtype: type[Any]) -> None:
    stream = np.random.default_rng(0)
    query, key, value, delta = (stream.standard_normal((2, 5, 7)).astype(dtype) for _ in range(4))
    seen = np.broadcast_to(np.eye(5, dtype=np.int64), (2, 5, 5))
    deltas = answers(Attention(), [query, key, value, seen], delta).deltas
    assert not deltas[0].any() and not deltas[1].any()
    assert deltas[2].tolist() == delta.tolist()
    one = answers(Attention(), [query, key[:, :1], value[:, :1]], delta).deltas
    assert not one[0].any() and not one[1].any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_hardswish_next_to_its_bound(answers: Answering, dtype: type[Any]) -> None:
    near = np.nextafter(dtype(-3), dtype(0))
    value, (delta,), _ = answers(HardSwish(), [np.array([[near]])])
    rise = float(near) + 3
    assert value[0, 0] == pytest.approx(float(near) * rise / 6, rel=4 * float(np.finfo(dtype).eps))
    assert delta[0, 0] == pytest.approx(float(near) / 6 + rise / 6, rel=4 * float(np.finfo(dtype).eps))

"""Losses against torch: one number per example."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.torch_layers import agree, agree_at_infinity, batches, shapes, torch

from deltawire_layers.layers.losses import BinaryNll, CosineDistance, Huber, KlDivergence, MaxMargin, Nll

pytestmark = pytest.mark.torch

pairs = shapes().flatmap(lambda shape: batches(shape, shape))


def over_example(loss: Any) -> Any:
    return loss.reshape(len(loss), -1).sum(dim=1)


@given(pairs, st.booleans())
def test_binary_nll(inputs: list[np.ndarray], hard: bool) -> None:
    score, target = inputs
    target = np.where(target > 0, 1.0, 0.0) if hard else 1 / (1 + np.exp(-target))
    agree(
        BinaryNll(),
        lambda x, t: over_example(
            torch.nn.functional.binary_cross_entropy_with_logits(x, t, reduction="none")
        ),
        [score, target],
    )


@given(pairs, st.floats(0.01, 10))
def test_huber(inputs: list[np.ndarray], delta: float) -> None:
    agree(
        Huber(delta=delta),
        lambda p, t: over_example(torch.nn.functional.huber_loss(p, t, reduction="none", delta=delta)),
        inputs,
    )


@given(shapes(least=1).flatmap(lambda shape: batches(shape, shape)))
def test_cosine_distance(inputs: list[np.ndarray]) -> None:
    a, b = (
        x + np.copysign(0.1, x) for x in inputs
    )  # δ of a short vector is great, and so is torch's rounding
    agree(
        CosineDistance(),
        lambda a, b: over_example(1 - torch.nn.functional.cosine_similarity(a, b, dim=-1)),
        [a, b],
    )


@given(shapes(least=1).flatmap(lambda shape: batches(shape, shape)))
def test_kl_divergence(inputs: list[np.ndarray]) -> None:
    log_p, t = (x - np.log(np.exp(x).sum(axis=-1, keepdims=True)) for x in inputs)
    agree(
        KlDivergence(),
        lambda x, t: over_example(torch.nn.functional.kl_div(x, t, reduction="none")),
        [log_p, np.exp(t)],
    )


@given(pairs, st.floats(-2, 2))
def test_max_margin(inputs: list[np.ndarray], margin: float) -> None:
    agree(MaxMargin(margin=margin), lambda s, c: over_example(torch.relu(margin - s + c)), inputs)


def test_sums_over_branches_at_infinity() -> None:
    edges = np.array([[-np.inf], [-2.0], [0.0], [2.0], [np.inf]])
    finite = np.full_like(edges, 0.5)
    for inputs in ([edges, finite], [finite, edges]):
        agree_at_infinity(MaxMargin(), lambda s, c: over_example(torch.relu(1 - s + c)), inputs)
        agree_at_infinity(
            Huber(delta=0.25),
            lambda p, t: over_example(torch.nn.functional.huber_loss(p, t, reduction="none", delta=0.25)),
            inputs,
        )


def test_other_classes_at_infinity() -> None:
    logs, label = np.array([[-np.inf, -1.0, -np.inf], [-2.0, -np.inf, -np.inf]]), np.array([1, 0])
    agree_at_infinity(
        Nll(), lambda x, label: torch.nn.functional.nll_loss(x, label, reduction="none"), [logs, label]
    )

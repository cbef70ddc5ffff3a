"""Losses against torch: one number per example."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.torch_layers import agree, agree_at_infinity, batches, shapes, torch

from deltawire_layers.layers.losses.labels import Nll, SoftmaxNll
from deltawire_layers.layers.losses.likelihood import GaussianNll, PoissonNll
from deltawire_layers.layers.losses.probabilities import BinaryNll, Focal, KlDivergence
from deltawire_layers.layers.losses.regression import AbsoluteError, Huber, SmoothL1
from deltawire_layers.layers.losses.similarity import CosineDistance, MaxMargin, Triplet

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


@given(pairs, st.floats(-2, 2).filter(lambda margin: margin == 0 or abs(margin) > 1e-6))
def test_max_margin(inputs: list[np.ndarray], margin: float) -> None:
    """A margin that torch does not lose beside the scores."""
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


@given(pairs)
def test_absolute_error(inputs: list[np.ndarray]) -> None:
    def theirs(p: Any, t: Any) -> Any:
        return over_example(torch.nn.functional.l1_loss(p, t, reduction="none"))

    agree(AbsoluteError(), theirs, inputs)


@given(pairs, st.floats(0.01, 10))
def test_smooth_l1(inputs: list[np.ndarray], beta: float) -> None:
    def theirs(p: Any, t: Any) -> Any:
        return over_example(torch.nn.functional.smooth_l1_loss(p, t, reduction="none", beta=beta))

    agree(SmoothL1(beta=beta), theirs, inputs)


@given(shapes().flatmap(lambda shape: batches(shape, shape, shape)), st.booleans())
def test_gaussian_nll(inputs: list[np.ndarray], full: bool) -> None:
    mean, target, variance = inputs

    def theirs(m: Any, t: Any, v: Any) -> Any:
        return over_example(torch.nn.functional.gaussian_nll_loss(m, t, v, full, reduction="none"))

    agree(GaussianNll(full=full), theirs, [mean, target, np.abs(variance) + 0.1])


@given(pairs, st.booleans())
def test_poisson_nll(inputs: list[np.ndarray], log_input: bool) -> None:
    rate, target = inputs if log_input else [np.abs(inputs[0]) + 0.1, inputs[1]]

    def theirs(x: Any, t: Any) -> Any:
        return over_example(torch.nn.functional.poisson_nll_loss(x, t, log_input, reduction="none"))

    agree(PoissonNll(log_input=log_input), theirs, [rate, target])


@given(shapes(least=1).flatmap(lambda shape: batches(shape, shape, shape)), st.floats(-2, 2))
def test_triplet(inputs: list[np.ndarray], margin: float) -> None:
    inputs = [x + place / 7 for place, x in enumerate(inputs)]  # equal vectors have no direction

    def theirs(a: Any, p: Any, n: Any) -> Any:
        loss = torch.nn.functional.triplet_margin_loss
        return over_example(loss(a, p, n, margin, reduction="none"))

    if margin > 0:  # torch refuses others
        agree(Triplet(margin=margin), theirs, inputs)


@given(pairs, st.sampled_from([None, 0.25, 0.9]), st.sampled_from([0, 1, 1.5, 2]))
def test_focal(inputs: list[np.ndarray], alpha: float | None, gamma: float) -> None:
    score, target = np.clip(inputs[0], -9, 9), 1 / (1 + np.exp(-inputs[1]))

    def theirs(x: Any, t: Any) -> Any:
        """As in torchvision."""
        p = torch.sigmoid(x)
        surprise = torch.nn.functional.binary_cross_entropy_with_logits(x, t, reduction="none")
        loss = surprise * (1 - (p * t + (1 - p) * (1 - t))) ** gamma
        return over_example(loss if alpha is None else (alpha * t + (1 - alpha) * (1 - t)) * loss)

    agree(Focal(alpha=alpha, gamma=gamma), theirs, [score, target])


@given(st.data(), shapes(1, 3), st.booleans(), st.booleans())
def test_softmax_nll_with_options(
    data: st.DataObject, shape: tuple[int, ...], ignoring: bool, weighing: bool
) -> None:
    per_row = data.draw(st.booleans())
    value = (lambda rows: rows) if per_row else over_example
    axis = data.draw(st.integers(0, len(shape) - 1))
    (scores,) = data.draw(batches(shape))
    classes, stream = shape[axis], np.random.default_rng(2)
    label = stream.integers(-1 if ignoring else 0, classes, (len(scores), *np.delete(shape, axis)))
    weights = stream.uniform(0.5, 2, classes).tolist() if weighing else 1.0
    smoothing = data.draw(st.sampled_from([0.0, 0.1, 1.0]))
    options = {"axis": axis, "ignore_index": -1 if ignoring else None, "class_weights": weights}
    options["per_row"] = per_row
    given = {"weight": torch.tensor(weights, dtype=torch.float64) if weighing else None, "ignore_index": -1}

    def theirs(x: Any, label: Any) -> Any:
        loss = torch.nn.functional.cross_entropy
        moved = torch.movedim(x, axis + 1, 1).contiguous()
        return value(loss(moved, label, **given, reduction="none", label_smoothing=smoothing))

    def theirs_of_logs(x: Any, label: Any) -> Any:
        moved = torch.movedim(x, axis + 1, 1).contiguous()
        return value(torch.nn.functional.nll_loss(moved, label, **given, reduction="none"))

    agree(SoftmaxNll(label_smoothing=smoothing, **options), theirs, [scores, label])
    agree(Nll(**options), theirs_of_logs, [scores, label])


@given(st.data(), shapes(1, 3))
def test_binary_nll_with_a_weight(data: st.DataObject, shape: tuple[int, ...]) -> None:
    score, target = data.draw(batches(shape, shape))
    weights = np.random.default_rng(3).uniform(0.5, 2, shape[-1])

    def theirs(x: Any, t: Any) -> Any:
        loss = torch.nn.functional.binary_cross_entropy_with_logits
        return over_example(loss(x, t, pos_weight=torch.tensor(weights), reduction="none"))

    agree(BinaryNll(pos_weight=weights.tolist()), theirs, [score, 1 / (1 + np.exp(-target))])

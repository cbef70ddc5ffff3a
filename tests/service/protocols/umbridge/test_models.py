"""The models of UM-Bridge that a published network is: sizes, and derivatives that agree with differences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.engine import compiled
from support.posting import good
from support.publishing import publish

from deltawire import wire
from deltawire_service.networks.published import Published, read_published
from deltawire_service.protocols.umbridge.models import Forward, Model, Objective

STEP = 1e-6


@pytest.fixture
def published(tmp_path: Path) -> Published:
    path = publish(tmp_path, values=["scores"], data=good()["data"])
    return read_published("good", path, compiled)


def models(published: Published) -> list[Model]:
    return [Forward(published), Objective(published, likelihood=False), Objective(published, likelihood=True)]


def test_sizes_and_whose_parameters_they_are(published: Published) -> None:
    forward, loss, likelihood = models(published)
    assert (forward.input_sizes, forward.output_sizes, forward.brings_parameters) == ([2], [3], False)
    for objective in (loss, likelihood):
        assert (objective.input_sizes, objective.output_sizes, objective.brings_parameters) == (
            [9],
            [1],
            True,
        )


@pytest.mark.parametrize("index", range(3))
def test_derivatives_agree_with_differences(published: Published, index: int) -> None:
    model = models(published)[index]
    random = np.random.default_rng(index)
    x, vec = (random.normal(size=model.input_sizes[0]) for _ in range(2))
    sens = random.normal(size=model.output_sizes[0])

    def value(x: np.ndarray) -> np.ndarray:
        return model.evaluate(model.at(published.params, [x], {}, wire.DEFAULT))[0]

    def gradient(x: np.ndarray) -> np.ndarray:
        return model.gradient(model.at(published.params, [x], {}, wire.DEFAULT), 0, 0, sens)

    at = model.at(published.params, [x], {}, wire.DEFAULT)
    moved = (value(x + STEP * vec) - value(x - STEP * vec)) / (2 * STEP)
    np.testing.assert_allclose(model.apply_jacobian(at, 0, 0, vec), moved, rtol=1e-6, atol=1e-8)
    assert gradient(x) @ vec == pytest.approx(moved @ sens, rel=1e-6)
    turned = (gradient(x + STEP * vec) - gradient(x - STEP * vec)) / (2 * STEP)
    hessian = model.apply_hessian(at, 0, 0, 0, sens, vec)
    np.testing.assert_allclose(hessian, turned, rtol=1e-5, atol=1e-7)


def test_the_likelihood_is_minus_the_sum_of_the_losses(published: Published) -> None:
    _, loss, likelihood = models(published)
    x = np.concatenate([np.ravel(array) for array in published.params.values()])
    (mean,) = loss.evaluate(loss.at(published.params, [x], {}, wire.DEFAULT))
    (log,) = likelihood.evaluate(likelihood.at(published.params, [x], {}, wire.DEFAULT))
    assert log == pytest.approx(-3 * mean)

"""Noise has its distribution, its mean and its bounds, and each number comes from its own 64 bits."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from deltawire_service.engine.noise.distributions import Distribution, Dropout, Normal, Uniform

COUNT = 200_000
EXTREMES = np.array([0, 1, 2**63, 2**64 - 1], np.uint64)


def bits() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 2**64, COUNT, np.uint64)


@pytest.mark.parametrize(
    "distribution, deviation",
    [
        (Uniform(2.0), 2.0 / 3**0.5),
        (Normal(0.5), 0.5),
        (Dropout(0.25), (0.25 / 0.75) ** 0.5),
        (Dropout(0.0), 0.0),
    ],
)
def test_the_mean_and_the_deviation(distribution: Distribution, deviation: float) -> None:
    drawn = distribution.draw(bits())
    assert drawn.dtype == np.float64 and drawn.shape == (COUNT,)
    assert drawn.mean() == pytest.approx(distribution.mean, abs=4.5 * deviation / COUNT**0.5 + 1e-12)
    assert drawn.std() == pytest.approx(deviation, rel=0.02)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform_numbers_stay_between_their_bounds(dtype: str) -> None:
    drawn = Uniform(1.0).draw(EXTREMES).astype(dtype)
    assert (np.abs(drawn) < 1).all() and drawn[0] == -drawn[-1]
    assert (Uniform(1.0).draw(bits()).astype(np.float32) == Uniform(1.0).draw(bits())).all()


def test_normal_numbers_are_spread_as_the_distribution_says() -> None:
    drawn = np.sort(Normal(1.0).draw(bits()))
    shares = np.array([NormalDist().cdf(x) for x in drawn[::500]])
    places = np.arange(0, COUNT, 500) / COUNT
    assert np.abs(shares - places).max() < 1.95 / COUNT**0.5  # Kolmogorov's bound for one test in a thousand
    assert np.isfinite(Normal(1e37).draw(EXTREMES).astype(np.float32)).all()


def test_dropout_drops_its_share() -> None:
    drawn = Dropout(0.25).draw(bits())
    assert set(np.unique(drawn)) == {0.0, 1 / 0.75}
    assert (drawn == 0).mean() == pytest.approx(0.25, abs=0.005)
    assert (Dropout(0.0).draw(EXTREMES) == 1).all()

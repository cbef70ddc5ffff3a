"""The quantiles of the normal distribution beside those of the standard library, of the same source."""

from __future__ import annotations

from math import log as logarithm
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltawire_service.engine.noise.normal_quantile import log, normal_quantile

LEAST, MOST = 2.0**-53, 1 - 2.0**-53
INNER = st.floats(LEAST, MOST)


@given(st.lists(INNER, min_size=1, max_size=50))
def test_quantiles_are_those_of_the_standard_library(probabilities: list[float]) -> None:
    ours = normal_quantile(np.array(probabilities))
    theirs = [NormalDist().inv_cdf(p) for p in probabilities]
    np.testing.assert_allclose(ours, theirs, rtol=2e-14, atol=1e-16)


@pytest.mark.parametrize(
    "p", [LEAST, 1e-12, np.exp(-25.0), 0.074, 0.075, 0.0751, 0.3, 0.5, 0.9249, 0.926, MOST]
)
def test_quantiles_fit_where_their_coefficients_change(p: float) -> None:
    assert normal_quantile(np.array([p]))[0] == pytest.approx(NormalDist().inv_cdf(p), rel=2e-14, abs=1e-300)


def test_a_probability_is_below_its_quantile() -> None:
    p = np.linspace(0.001, 0.999, 997)
    round_trip = [NormalDist().cdf(x) for x in normal_quantile(p)]
    np.testing.assert_allclose(round_trip, p, rtol=1e-12)


@given(st.floats(2.0**-1000, 2.0**1000))
def test_the_logarithm_is_right_to_the_last_bits(x: float) -> None:
    assert log(np.array([x]))[0] == pytest.approx(logarithm(x), rel=1e-15, abs=1e-16)


def test_the_bits_are_the_same_on_every_machine() -> None:
    # Literal numbers: a network draws the same noise wherever it is computed.
    drawn = normal_quantile(np.array([0.001, 0.2, 0.6, 0.999999]))
    assert [number.hex() for number in drawn.tolist()] == BITS


BITS = ["-0x1.8b8cbb7204470p+1", "-0x1.aee8fa73a1333p-1", "0x1.036d6c4a04b59p-2", "0x1.30381a97985f1p+2"]

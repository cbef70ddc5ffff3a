"""Finite numbers: the fast test says what numpy says of every number."""

from __future__ import annotations

import warnings

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from deltawire_service.engine.execute.finite import all_finite, is_finite, quietly

SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0)
ANY = st.sampled_from(["float32", "float64", "complex128"]).flatmap(
    lambda dtype: arrays.arrays(dtype, SHAPES)
)


@given(ANY)
def test_it_is_finite_where_every_number_is(array: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        assert is_finite(array) == np.isfinite(array).all()


def test_numbers_whose_squares_overflow_are_finite() -> None:
    with np.errstate(all="ignore"):
        assert is_finite(np.full(5, 1e308)) and is_finite(np.full(5, 3e38, np.float32))
        assert is_finite(np.array([1e200, 1e200j]))
        assert not is_finite(np.array([1e308, np.inf])) and not is_finite(np.array([complex(0, np.nan)]))


def test_all_of_several() -> None:
    assert all_finite([]) and all_finite([np.ones(2), np.zeros(0)])
    assert not all_finite([np.ones(2), np.array(np.nan)])


def test_quietly_computes_without_warnings_and_restores_numpys_handling() -> None:
    @quietly
    def overflow() -> float:
        return float(np.float64(1e308) * np.float64(10))

    with warnings.catch_warnings(), np.errstate(all="warn"):
        warnings.simplefilter("error")
        assert overflow() == np.inf and np.geterr()["over"] == "warn"

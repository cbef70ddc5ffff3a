"""Contractions against numpy's einsum, and the steps they take."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltawire_layers.numeric.contraction import contract, steps


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[str], str]:
    terms = draw(
        st.lists(st.lists(st.sampled_from("ijkl"), unique=True).map("".join), min_size=1, max_size=4)
    )
    letters = sorted(set("".join(terms)))
    out = draw(st.permutations(letters))
    return terms, "".join(out[: draw(st.integers(0, len(letters)))])


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
@given(case=cases(), seed=st.integers(0, 2**32))
def test_contractions_are_those_of_numpy(
    dtype: type[np.generic], case: tuple[list[str], str], seed: int
) -> None:
    (terms, out), stream = case, np.random.default_rng(seed)
    sizes = dict(zip("ijkl", stream.integers(1, 4, 4).tolist(), strict=True))
    shapes = [(2, *(sizes[letter] for letter in term)) for term in terms]
    arrays = [stream.standard_normal(shape).astype(dtype) for shape in shapes]
    expected = np.einsum(f"{','.join('z' + term for term in terms)}->z{out}", *arrays)
    np.testing.assert_allclose(contract(terms, arrays, out), expected, rtol=1e-12, atol=1e-12)


def test_letters_are_dropped_as_soon_as_no_term_has_them() -> None:
    assert steps(["ij", "jk", "kl"], "il") == [("ijk", "ik"), ("ikl", "il")]
    assert steps(["ij"], "i") == []

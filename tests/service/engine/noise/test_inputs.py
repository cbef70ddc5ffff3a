"""The numbers of a noise input depend on seed, name, row and place, and not on the rows drawn with them."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltawire_layers import DeadlineExceeded, call_until
from deltawire_service.engine.noise import inputs
from deltawire_service.engine.noise.distributions import Dropout, Normal, Uniform
from deltawire_service.engine.noise.inputs import NoiseInput

SHAPES = st.lists(st.integers(1, 4), max_size=3).map(tuple)
DISTRIBUTIONS = st.sampled_from([Uniform(1.0), Normal(2.0), Dropout(0.3)])
FLOAT = np.dtype(np.float64)


@given(SHAPES, DISTRIBUTIONS, st.integers(0, 2**64 - 1), st.lists(st.integers(0, 9), max_size=4))
def test_parts_of_a_batch_have_the_numbers_of_the_whole(
    shape, distribution, seed: int, sizes: list[int]
) -> None:
    noise = NoiseInput(shape, distribution)
    whole = noise.draw(seed, "u", range(sum(sizes)), FLOAT)
    assert whole.shape == (sum(sizes), *shape) and not whole.flags.writeable
    start = 0
    for size in sizes:
        part = noise.draw(seed, "u", range(start, start + size), FLOAT)
        assert part.tobytes() == whole[start : start + size].tobytes()
        start += size


def test_numbers_drawn_at_once_do_not_change_them(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = NoiseInput((7,), Normal(1.0))
    whole = noise.draw(3, "u", range(40), FLOAT)
    monkeypatch.setattr(inputs, "NUMBERS_AT_ONCE", 11)
    assert noise.draw(3, "u", range(40), FLOAT).tobytes() == whole.tobytes()


def test_seeds_and_names_have_numbers_of_their_own() -> None:
    noise = NoiseInput((5,), Uniform(1.0))
    drawn = [
        noise.draw(seed, name, range(8), FLOAT).tobytes() for seed in (0, 1, 2**64 - 1) for name in ("u", "v")
    ]
    assert len(set(drawn)) == 6


@given(DISTRIBUTIONS)
def test_every_dtype_has_the_same_numbers(distribution) -> None:
    noise = NoiseInput((3,), distribution)
    wide = noise.draw(1, "u", range(50), FLOAT)
    assert (noise.draw(1, "u", range(50), np.dtype(np.float32)) == wide.astype(np.float32)).all()
    assert (noise.draw(1, "u", range(50), np.dtype(np.complex128)) == wide).all()


def test_without_a_seed_every_number_is_the_mean() -> None:
    for distribution in (Uniform(1.0), Normal(2.0), Dropout(0.3)):
        means = NoiseInput((2, 3), distribution).means(4, np.dtype(np.float32))
        assert means.shape == (4, 2, 3) and means.dtype == np.float32 and not means.flags.writeable
        assert (means == distribution.mean).all()


def test_drawing_looks_at_the_deadline() -> None:
    noise = NoiseInput((4,), Uniform(1.0))
    with pytest.raises(DeadlineExceeded):
        call_until(0.0, lambda: noise.draw(0, "u", range(9), FLOAT))


def test_work_grows_with_the_shape() -> None:
    one, many = NoiseInput((), Normal(1.0)), NoiseInput((6, 7), Normal(1.0))
    assert many.work == prod(many.shape) * one.work > 0

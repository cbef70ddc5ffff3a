"""First numbers: from one seed the same on every machine, and in torch's ranges."""

from __future__ import annotations

import numpy as np
import pytest

from deltawire_layers import Initializer, initializers

SHAPES = [(), (0,), (3,), (2, 3, 4)]


def stream(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def test_one_seed_gives_the_same_numbers_on_every_machine() -> None:
    assert initializers.fan_in(4)(stream(7), (2, 3)).tolist() == [
        [0.12509546660466697, 0.3972138009695755, 0.2756856902451935],
        [-0.27479281000940814, -0.19983371508877457, 0.3735534453962619],
    ]
    assert initializers.unit_variance(stream(0), (3,)).tolist() == [
        0.47444920226224196,
        -0.797482216676747,
        -1.5901143571236198,
    ]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "init", [initializers.zeros, initializers.ones, initializers.fan_in(9), initializers.unit_variance]
)
def test_every_shape_gives_a_float64_array_from_the_stream_alone(
    init: Initializer, shape: tuple[int, ...]
) -> None:
    first, again = init(stream(), shape), init(stream(), shape)
    assert isinstance(first, np.ndarray) and (first.shape, first.dtype) == (shape, np.float64)
    assert first.tobytes() == again.tobytes()


def test_zeros_and_ones() -> None:
    assert initializers.zeros(stream(), (2,)).tolist() == [0, 0]
    assert initializers.ones(stream(), (2,)).tolist() == [1, 1]


@pytest.mark.parametrize(("count", "bound"), [(1, 1.0), (4, 0.5), (100, 0.1), (0, 1.0)])
def test_fan_in_spreads_over_one_by_the_root_of_the_count(count: int, bound: float) -> None:
    drawn = initializers.fan_in(count)(stream(), (10_000,))
    assert -bound <= drawn.min() < -0.99 * bound and 0.99 * bound < drawn.max() < bound
    assert abs(drawn.mean()) < 0.02 * bound


def test_unit_variance() -> None:
    assert initializers.unit_variance(stream(), (100_000,)).var() == pytest.approx(1, abs=0.01)

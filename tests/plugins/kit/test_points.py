"""Where the kit tries a layer: every range, both signs, both ends, and ties."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from deltawire_layers import Parameter
from deltawire_layers.initializers import ones
from deltawire_layers.kit.points import DIFFERENCE_STEP, Point
from deltawire_layers.kit.sampler import Sampler


def points(*shapes: tuple[int, ...], domain: tuple[float, float] = (-inf, inf), seed: int = 0) -> list[Point]:
    return list(Sampler(shapes, (2,), {"w": Parameter((3,), ones)}, {}, domain, seed).points())


def test_one_seed_gives_the_same_points() -> None:
    first, again, other = (
        [array.tolist() for point in points((3,), seed=seed) for array in point.arrays()]
        for seed in (0, 0, 1)
    )
    assert first == again != other


def test_every_scale_is_seen_from_both_sides_of_zero() -> None:
    for point in points((3,), ()):
        for x in point.inputs:
            assert (x.max(axis=0) > 0).all() and (x.min(axis=0) < 0).all()
    largest = [np.abs(point.inputs[0]).max() for point in points((3,))]
    assert [f"{size:.0e}"[1:] for size in largest[:3]] == ["e-03", "e+00", "e+01"]
    assert max(largest) > 1e4


def test_ties_within_an_input_between_inputs_and_at_zero() -> None:
    tied = [point for point in points((4,), (4,)) if point.ties]
    assert len(tied) == 2
    for point in tied:
        a, b = point.inputs
        assert not a[0].any() and not b[0].any()
        assert len(set(a[1])) == len(set(a[2])) == 1
        assert (a[3] == b[3]).all() and len(set(a[3])) > 1
        assert not (a[4] == b[4]).all()


@pytest.mark.parametrize("domain", [(0, inf), (-inf, 2), (0, 1), (-1, 5), (100, inf)])
@pytest.mark.parametrize("seed", range(5))
def test_no_point_and_no_step_leaves_the_domain(domain: tuple[float, float], seed: int) -> None:
    low, high = domain
    sampler = Sampler(((3,),), (), {}, {}, domain, seed)
    for point in sampler.points():
        (x,) = point.inputs
        (direction,) = sampler.anywhere(point).inputs
        assert (low < x).all() and (x < high).all()
        for step in (2 * DIFFERENCE_STEP, -2 * DIFFERENCE_STEP):
            for by in (sampler.reach(x), direction):
                assert (low < x + step * by).all() and (x + step * by < high).all()


def test_integers_reach_both_ends_of_their_range() -> None:
    for point in Sampler(((2,), ()), (), {}, {0: range(3, 100), 1: range(1)}, (-inf, inf), 0).points():
        index, single = point.inputs
        assert (index.min(), index.max(), index.dtype.kind) == (3, 99, "i")
        assert set(single) == {0}


def test_parameters_are_near_their_first_numbers_and_never_all_equal() -> None:
    for point in points((3,)):
        spread = 10 if point.scale == 10 else 1
        assert (np.abs(point.params["w"] / spread - 1) < 0.5).all()
        assert len(set(point.params["w"])) == 3

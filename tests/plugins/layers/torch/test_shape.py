"""Layers that rearrange or reduce axes against torch."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.torch_layers import agree, agree_at_infinity, batches, shapes, torch

from deltawire_layers.layers.shape import Max, Mean, Reshape, Transpose

pytestmark = pytest.mark.torch


@given(st.data(), shapes())
def test_reshape(data: st.DataObject, shape: tuple[int, ...]) -> None:
    first = data.draw(st.sampled_from([n for n in range(1, prod(shape) + 1) if prod(shape) % n == 0]))
    new = data.draw(st.permutations([first, prod(shape) // first, 1]))
    open_at = data.draw(st.sampled_from([None, 0, 1, 2]))
    config = [-1 if place == open_at else size for place, size in enumerate(new)]
    agree(Reshape(shape=config), lambda x: x.reshape(len(x), *config), data.draw(batches(shape)))


@given(st.data(), shapes())
def test_transpose(data: st.DataObject, shape: tuple[int, ...]) -> None:
    order = data.draw(st.permutations(range(len(shape))))
    counted = [axis - len(shape) if data.draw(st.booleans()) else axis for axis in order]
    agree(
        Transpose(axes=counted),
        lambda x: torch.permute(x, (0, *(axis + 1 for axis in order))),
        data.draw(batches(shape)),
    )


@given(shapes(2, 2).flatmap(batches))
def test_transpose_of_a_matrix(inputs: list[np.ndarray]) -> None:
    agree(Transpose(), lambda x: torch.transpose(x, 1, 2), inputs)


@given(st.data(), shapes())
def test_mean(data: st.DataObject, shape: tuple[int, ...]) -> None:
    inputs = data.draw(batches(shape))
    some = data.draw(st.lists(st.sampled_from(range(len(shape))), unique=True)) if shape else []
    agree(Mean(axes=some), lambda x: x.mean(dim=[axis + 1 for axis in some]) if some else x, inputs)
    agree(Mean(), lambda x: x.reshape(len(x), -1).mean(dim=1), inputs)


@given(st.data(), shapes(least=1))
def test_max(data: st.DataObject, shape: tuple[int, ...]) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    # amax, not max: it splits ties, as we do.
    agree(Max(axis=axis), lambda x: torch.amax(x, dim=axis % len(shape) + 1), data.draw(batches(shape)))


def test_max_at_infinity() -> None:
    # max, not amax: amax multiplies δ by 0 in the places that are not the greatest.
    for row in ([-np.inf, 1.0, 2.0], [-np.inf, np.inf, 2.0], [-np.inf, -1.0, -2.0]):
        agree_at_infinity(Max(), lambda x: torch.max(x, dim=1).values, [np.array([row])])

"""Layers that rearrange or reduce axes against torch."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.torch_layers import agree, agree_at_infinity, batches, shapes, torch

from deltawire_layers.layers.shape.arrangement import Flip, PixelShuffle, Reshape, Roll, Transpose
from deltawire_layers.layers.shape.copies import Expand, Pad
from deltawire_layers.layers.shape.parts import Slice
from deltawire_layers.layers.shape.picks import Take, TakeAlongAxis
from deltawire_layers.layers.shape.reductions import CumSum, LogSumExp, Max, Mean, Min, Norm, Variance

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


def axis_of(data: st.DataObject, shape: tuple[int, ...]) -> int:
    return data.draw(st.integers(-len(shape), len(shape) - 1), label="axis")


def theirs(axis: int) -> int:
    """The axis of a batch for an axis of an example."""
    return axis if axis < 0 else axis + 1


@given(st.data(), shapes(), shapes(most=2))
def test_expand(data: st.DataObject, shape: tuple[int, ...], front: tuple[int, ...]) -> None:
    sizes = [
        data.draw(st.integers(1, 3)) if size == 1 else data.draw(st.sampled_from([-1, size]))
        for size in shape
    ]
    x = data.draw(batches(shape))
    aligned = (len(x[0]), *(1,) * len(front), *shape)
    agree(Expand(shape=[*front, *sizes]), lambda x: x.reshape(aligned).expand(-1, *front, *sizes), x)


@given(st.data(), shapes(1, 2), st.sampled_from(["constant", "reflect", "replicate", "circular"]))
def test_pad(data: st.DataObject, shape: tuple[int, ...], mode: str) -> None:
    most = {"reflect": -1, "circular": 0}.get(mode, 3)
    widths = [[data.draw(st.integers(0, size + most)) for _ in range(2)] for size in shape]
    backwards = [width for pair in reversed(widths) for width in pair]
    filling = {"value": 1.5} if mode == "constant" else {}

    def padded(x: Any) -> Any:
        return torch.nn.functional.pad(x[:, None], backwards, mode, **filling)[:, 0]

    agree(Pad(widths=widths, mode=mode, **filling), padded, data.draw(batches(shape)))


@given(st.data(), shapes(1, 3), shapes(most=2))
def test_take(data: st.DataObject, shape: tuple[int, ...], taken: tuple[int, ...]) -> None:
    axis, inputs = axis_of(data, shape), data.draw(batches(shape))
    index = np.random.default_rng(1).integers(0, shape[axis], (len(inputs[0]), *taken))

    def each(x: Any, index: Any) -> Any:
        def one(x: Any, index: Any) -> Any:
            picked = torch.index_select(x, axis, index.reshape(-1))
            at = axis % len(shape)
            return picked.reshape((*shape[:at], *taken, *shape[at + 1 :]))

        return torch.stack([one(*pair) for pair in zip(x, index, strict=True)])

    agree(Take(axis=axis), each, [*inputs, index])


@given(st.data(), shapes(1, 3), st.integers(1, 5))
def test_take_along_axis(data: st.DataObject, shape: tuple[int, ...], count: int) -> None:
    axis, inputs = axis_of(data, shape), data.draw(batches(shape))
    sizes = [count if place == axis % len(shape) else size for place, size in enumerate(shape)]
    index = np.random.default_rng(1).integers(0, shape[axis], (len(inputs[0]), *sizes))
    agree(TakeAlongAxis(axis=axis), lambda x, index: torch.gather(x, theirs(axis), index), [*inputs, index])


@given(st.data(), shapes(1, 3))
def test_flip_and_roll(data: st.DataObject, shape: tuple[int, ...]) -> None:
    axes = data.draw(st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True))
    shifts = [data.draw(st.integers(-9, 9)) for _ in axes]
    inputs, along = data.draw(batches(shape)), [axis + 1 for axis in axes]
    agree(Flip(axes=axes), lambda x: torch.flip(x, along), inputs)
    agree(Roll(shifts=shifts, axes=axes), lambda x: torch.roll(x, shifts, along), inputs)


@given(st.data(), st.integers(1, 3), st.integers(1, 2), st.integers(1, 3), st.integers(1, 3))
def test_pixel_shuffle(data: st.DataObject, factor: int, channels: int, height: int, width: int) -> None:
    inputs = data.draw(batches((channels * factor**2, height, width)))
    agree(PixelShuffle(factor=factor), lambda x: torch.nn.functional.pixel_shuffle(x, factor), inputs)


@given(st.data(), shapes(1, 3), st.integers(1, 3))
def test_slice_with_a_step(data: st.DataObject, shape: tuple[int, ...], step: int) -> None:
    inputs = data.draw(batches(shape))
    agree(Slice(axis=-1, step=step), lambda x: x[..., ::step], inputs)


@given(st.data(), shapes(1, 3))
def test_min(data: st.DataObject, shape: tuple[int, ...]) -> None:
    axis = axis_of(data, shape)
    agree(Min(axis=axis), lambda x: torch.amin(x, dim=theirs(axis)), data.draw(batches(shape)))


@given(st.data(), shapes(1, 3))
def test_reductions_over_axes(data: st.DataObject, shape: tuple[int, ...]) -> None:
    axes = data.draw(st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True))
    inputs, along = data.draw(batches(shape)), [axis + 1 for axis in axes]
    agree(Variance(axes=axes), lambda x: torch.var(x, along, correction=0), inputs)
    agree(Norm(axes=axes), lambda x: torch.linalg.vector_norm(x, dim=along), inputs)
    agree(Norm(axes=axes, order=1), lambda x: torch.linalg.vector_norm(x, 1, along), inputs)
    agree(LogSumExp(axes=axes), lambda x: torch.logsumexp(x, along), inputs)
    if np.prod([shape[axis] for axis in axes]) > 1:
        agree(Variance(axes=axes, correction=1), lambda x: torch.var(x, along), inputs)


@given(st.data(), shapes(1, 3))
def test_cumsum(data: st.DataObject, shape: tuple[int, ...]) -> None:
    axis = axis_of(data, shape)
    agree(CumSum(axis=axis), lambda x: torch.cumsum(x, theirs(axis)), data.draw(batches(shape)))

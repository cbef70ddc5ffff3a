"""Choices by a mask against torch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.torch_layers import agree, batches, shapes, torch

from deltawire_layers.layers.masks import MaskedFill, Where

pytestmark = pytest.mark.torch


def mask_of(data: st.DataObject, x: np.ndarray) -> np.ndarray:
    """A mask that broadcasts to x: some last axes, some of them of size 1."""
    kept = x.shape[data.draw(st.integers(1, x.ndim)) :]
    sizes = [data.draw(st.sampled_from([1, size])) for size in kept]
    return np.random.default_rng(x.size).integers(0, 2, (len(x), *sizes))


def aligned(mask: np.ndarray, x: np.ndarray) -> np.ndarray:
    return mask.reshape(len(x), *(1,) * (x.ndim - mask.ndim), *mask.shape[1:]) == 1


@given(st.data(), shapes().flatmap(lambda shape: batches(shape, shape)))
def test_where(data: st.DataObject, inputs: list[np.ndarray]) -> None:
    mask = mask_of(data, inputs[0])
    chosen = torch.tensor(aligned(mask, inputs[0]))
    agree(Where(), lambda m, a, b: torch.where(chosen, a, b), [mask, *inputs])


@given(st.data(), shapes().flatmap(batches), st.floats(-5, 5))
def test_masked_fill(data: st.DataObject, inputs: list[np.ndarray], value: float) -> None:
    mask = mask_of(data, inputs[0])
    filled = torch.tensor(aligned(mask, inputs[0]))
    agree(MaskedFill(value=value), lambda x, m: x.masked_fill(filled, value), [inputs[0], mask])

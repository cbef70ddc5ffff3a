"""Layers with a factor or a summand for each place against torch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.torch_layers import agree, agree_at_infinity, batches, numbers, shapes, torch

from deltawire_layers.layers.scaling import DropoutMask, Scale, Shift

pytestmark = pytest.mark.torch


@given(shapes().flatmap(batches))
def test_scale(inputs: list[np.ndarray]) -> None:
    agree(Scale(), lambda x, weight: weight * x, inputs, numbers(Scale(), inputs))


@given(shapes().flatmap(batches))
def test_shift(inputs: list[np.ndarray]) -> None:
    agree(Shift(), lambda x, bias: x + bias, inputs, numbers(Shift(), inputs))


@given(shapes().flatmap(batches), st.floats(0, 0.9), st.integers(0, 2**32))
def test_dropout_mask(inputs: list[np.ndarray], p: float, seed: int) -> None:
    mask = np.random.default_rng(seed).integers(0, 2, inputs[0].shape)
    agree(DropoutMask(p=p), lambda x, mask: torch.mul(x, mask) / (1 - p), [*inputs, mask])


def test_what_dropout_drops_at_infinity() -> None:
    # where, not a product: torch's own dropout multiplies by 0.
    x = np.array([[-np.inf, np.inf, -np.inf, np.inf, 1.0, 1.0]])
    mask = np.array([[0, 0, 1, 1, 0, 1]])
    zero = torch.zeros(())
    agree_at_infinity(
        DropoutMask(p=0.25), lambda x, mask: torch.where(mask != 0, x / 0.75, zero.to(x.dtype)), [x, mask]
    )

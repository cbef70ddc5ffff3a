"""Rotary positions against complex numbers of torch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.torch_layers import agree, batches, shapes, torch

from deltawire_layers.layers.rotary import Rotary

pytestmark = pytest.mark.torch


@given(st.data(), shapes(most=1), st.integers(1, 4), st.integers(1, 3), st.booleans())
def test_rotary(data: st.DataObject, leading: tuple[int, ...], n: int, half: int, interleaved: bool) -> None:
    base = data.draw(st.sampled_from([10.0, 10000.0]))
    inputs = data.draw(batches((*leading, n, 2 * half)))

    def theirs(x: Any) -> Any:
        """Turn pairs as complex numbers."""
        frequencies = base ** (-torch.arange(0, 2 * half, 2, dtype=x.dtype) / (2 * half))
        angles = torch.arange(n, dtype=x.dtype)[:, None] * frequencies
        turns = torch.polar(torch.ones_like(angles), angles)
        shape = (*x.shape[:-1], half, 2) if interleaved else (*x.shape[:-1], 2, half)
        pairs = x.reshape(shape) if interleaved else x.reshape(shape).transpose(-1, -2)
        turned = torch.view_as_real(torch.complex(pairs[..., 0], pairs[..., 1]) * turns)
        return (turned if interleaved else turned.transpose(-1, -2)).reshape(x.shape)

    agree(Rotary(base=base, interleaved=interleaved), theirs, inputs)

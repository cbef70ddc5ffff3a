"""Resizing against torch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.torch_layers import agree, batches, torch

from deltawire_layers.layers.resizing import Upsample

pytestmark = pytest.mark.torch
MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}


@given(st.data(), st.integers(1, 3), st.sampled_from(["nearest", "linear"]), st.booleans())
def test_upsample(data: st.DataObject, axes: int, mode: str, align_corners: bool) -> None:
    sizes, size = (data.draw(st.lists(st.integers(1, 6), min_size=axes, max_size=axes)) for _ in range(2))
    inputs = data.draw(batches((2, *sizes)))
    corners = {} if mode == "nearest" else {"align_corners": align_corners}

    def theirs(x: Any) -> Any:
        name = mode if mode == "nearest" else MODES[axes]
        return torch.nn.functional.interpolate(x, size, mode=name, **corners)

    agree(Upsample(size=size, mode=mode, **corners), theirs, inputs)

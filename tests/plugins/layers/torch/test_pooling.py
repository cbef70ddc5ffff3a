"""Pooling against torch, exact ties included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.torch_layers import agree, agree_at_infinity, batches, shapes, torch

from deltawire_layers.layers.pooling.adaptive import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
)
from deltawire_layers.layers.pooling.sliding import AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d, Pool

pytestmark = pytest.mark.torch


SLIDING = {"max": {1: MaxPool1d, 2: MaxPool2d}, "avg": {1: AvgPool1d, 2: AvgPool2d}}
ADAPTIVE = {
    "max": {1: AdaptiveMaxPool1d, 2: AdaptiveMaxPool2d},
    "avg": {1: AdaptiveAvgPool1d, 2: AdaptiveAvgPool2d},
}
KINDS = pytest.mark.parametrize("kind", ["max", "avg"])
AXES = pytest.mark.parametrize("axes", [1, 2])


@KINDS
@AXES
@given(data=st.data(), leading=shapes(most=2))
def test_pooling(kind: str, axes: int, data: st.DataObject, leading: tuple[int, ...]) -> None:
    def drawn(low: int, high: int) -> list[int]:
        return data.draw(st.lists(st.integers(low, high), min_size=axes, max_size=axes))

    kernel, extra = drawn(1, 4), drawn(0, 4)
    dilation = drawn(1, 2) if kind == "max" else [1] * axes
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    # torch writes out of bounds where a window with gaps reads padding only.
    pads = zip(kernel, dilation, strict=True)
    padding = [data.draw(st.integers(0, k // 2 if d == 1 else 0)) for k, d in pads]
    stride = data.draw(st.none() | st.lists(st.integers(1, 4), min_size=axes, max_size=axes))
    sizes = [max(1, r - 2 * p) + e for r, p, e in zip(reach, padding, extra, strict=True)]
    config: dict[str, Any] = {"stride": stride, "padding": padding, "ceil_mode": data.draw(st.booleans())}
    config |= {"dilation": dilation} if kind == "max" else {"count_include_pad": data.draw(st.booleans())}
    inputs = data.draw(batches((*leading, *sizes)))

    def theirs(x: Any) -> Any:
        function = getattr(torch.nn.functional, f"{kind}_pool{axes}d")
        pooled = function(x.reshape(-1, 1, *sizes), kernel, **config)
        return pooled.reshape(*x.shape[:-axes], *pooled.shape[-axes:])

    agree(SLIDING[kind][axes](kernel=kernel, **config), theirs, inputs)


@KINDS
@AXES
@given(data=st.data(), leading=shapes(most=2))
def test_adaptive_pooling(kind: str, axes: int, data: st.DataObject, leading: tuple[int, ...]) -> None:
    sizes, size = (data.draw(st.lists(st.integers(1, 6), min_size=axes, max_size=axes)) for _ in range(2))
    inputs = data.draw(batches((*leading, *sizes)))

    def theirs(x: Any) -> Any:
        function = getattr(torch.nn.functional, f"adaptive_{kind}_pool{axes}d")
        pooled = function(x.reshape(-1, 1, *sizes), size)
        return pooled.reshape(*x.shape[:-axes], *pooled.shape[-axes:])

    agree(ADAPTIVE[kind][axes](size=size), theirs, inputs)


@pytest.mark.parametrize("options", [(2, 2, 0), (2, 1, 1), (3, 2, 1)])
@pytest.mark.parametrize(("kind", "function"), [(MaxPool2d, "max_pool2d"), (AvgPool2d, "avg_pool2d")])
def test_at_infinity(kind: type[Pool], function: str, options: tuple[int, int, int]) -> None:
    kernel, stride, padding = options
    image = np.array([[[1.0, -np.inf, 5.0, 2.0], [np.inf, 0.0, 3.0, -1.0], [2.0, -np.inf, -3.0, 4.0]]])
    agree_at_infinity(
        kind(kernel=kernel, stride=stride, padding=padding),
        lambda x: getattr(torch.nn.functional, function)(x, kernel, stride, padding),
        [image],
    )

"""Pooling against torch, exact ties included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.torch_layers import agree, agree_at_infinity, batches, shapes, torch

from deltawire_layers.layers.pooling import AvgPool2d, MaxPool2d, Pool2d

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(("kind", "function"), [(MaxPool2d, "max_pool2d"), (AvgPool2d, "avg_pool2d")])
@given(data=st.data(), leading=shapes(most=2))
def test_pooling(kind: type[Pool2d], function: str, data: st.DataObject, leading: tuple[int, ...]) -> None:
    kernel, extra = (
        data.draw(st.lists(st.integers(low, 4), min_size=2, max_size=2), label=label)
        for low, label in ((1, "kernel"), (0, "extra"))
    )
    padding = [data.draw(st.integers(0, size // 2), label="padding") for size in kernel]
    stride = data.draw(st.none() | st.lists(st.integers(1, 4), min_size=2, max_size=2), label="stride")
    sizes = [max(1, k - 2 * p) + e for k, p, e in zip(kernel, padding, extra, strict=True)]
    inputs = data.draw(batches((*leading, *sizes)))

    def theirs(x: Any) -> Any:
        pooled = getattr(torch.nn.functional, function)(x.reshape(-1, 1, *sizes), kernel, stride, padding)
        return pooled.reshape(*x.shape[:-2], *pooled.shape[-2:])

    agree(kind(kernel=kernel, stride=stride, padding=padding), theirs, inputs)


@pytest.mark.parametrize("options", [(2, 2, 0), (2, 1, 1), (3, 2, 1)])
@pytest.mark.parametrize(("kind", "function"), [(MaxPool2d, "max_pool2d"), (AvgPool2d, "avg_pool2d")])
def test_at_infinity(kind: type[Pool2d], function: str, options: tuple[int, int, int]) -> None:
    kernel, stride, padding = options
    image = np.array([[[1.0, -np.inf, 5.0, 2.0], [np.inf, 0.0, 3.0, -1.0], [2.0, -np.inf, -3.0, 4.0]]])
    agree_at_infinity(
        kind(kernel=kernel, stride=stride, padding=padding),
        lambda x: getattr(torch.nn.functional, function)(x, kernel, stride, padding),
        [image],
    )

"""Layers of several inputs against torch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.torch_layers import agree, agree_at_infinity, batches, shapes, torch

from deltawire_layers.layers.combine import Divide, Matmul, Maximum, Minimum

pytestmark = pytest.mark.torch

pairs = shapes().flatmap(lambda shape: batches(shape, shape))


@given(pairs)
def test_divide(inputs: list[np.ndarray]) -> None:
    a, b = inputs
    agree(Divide(), lambda a, b: a / b, [a, b + np.copysign(0.1, b)])


@given(pairs)
def test_minimum(inputs: list[np.ndarray]) -> None:
    agree(Minimum(), lambda a, b: torch.minimum(a, b), inputs)


@given(st.data(), shapes(0, 2), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
def test_matmul(data: st.DataObject, leading: tuple[int, ...], n: int, k: int, m: int) -> None:
    inputs = data.draw(batches((*leading, n, k), (*leading, k, m)))
    agree(Matmul(), lambda a, b: a @ b, inputs)


@given(pairs)
def test_maximum(inputs: list[np.ndarray]) -> None:
    agree(Maximum(), lambda a, b: torch.maximum(a, b), inputs)


def test_at_infinity() -> None:
    edges = np.array([-np.inf, -2.0, 0.0, 2.0, np.inf])
    pairs = [side.reshape(1, -1) for side in np.meshgrid(edges, edges)]
    agree_at_infinity(Maximum(), lambda a, b: torch.maximum(a, b), pairs)
    agree_at_infinity(Minimum(), lambda a, b: torch.minimum(a, b), pairs)

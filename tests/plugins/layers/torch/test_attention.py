"""Attention against torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.torch_layers import agree, batches, numbers, shapes, torch

from deltawire_layers.layers.attention import Attention, MultiHeadAttention

pytestmark = pytest.mark.torch

sizes = st.integers(1, 5)


@st.composite
def visibility(draw: st.DrawFn, queries: int, keys: int, count: int) -> tuple[bool, list[np.ndarray]]:
    """Whether attention is causal, and no mask or one; every query sees the first key."""
    causal = draw(st.booleans())
    if draw(st.booleans()):
        return causal, []
    stream = np.random.default_rng(draw(st.integers(0, 2**32)))
    mask = stream.integers(0, 2, (count, queries, keys))
    mask[:, :, 0] = 1
    if draw(st.booleans()):  # a shared one
        mask = np.broadcast_to(mask[0], mask.shape)
    return causal, [mask]


def seen(queries: int, keys: int, causal: bool, masks: tuple[Any, ...]) -> Any:
    """What a query sees, as torch wants it: (queries, keys) or (batch, queries, keys)."""
    sees = torch.ones(queries, keys, dtype=torch.bool)
    for mask in masks:
        sees = mask != 0
    return sees.tril() if causal else sees


@given(st.data(), shapes(most=2), sizes, sizes, sizes, sizes)
def test_attention(
    data: st.DataObject, leading: tuple[int, ...], queries: int, keys: int, width: int, values: int
) -> None:
    inputs = data.draw(batches((*leading, queries, width), (*leading, keys, width), (*leading, keys, values)))
    causal, mask = data.draw(visibility(queries, keys, len(inputs[0])))

    def theirs(query: Any, key: Any, value: Any, *mask: Any) -> Any:
        sees = seen(queries, keys, causal, mask)
        sees = sees.reshape(-1, *(1,) * len(leading), queries, keys)
        return torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=sees)

    agree(Attention(causal=causal), theirs, [*inputs, *mask])


@given(st.data(), shapes(most=1), sizes, sizes, st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_multi_head_attention(
    data: st.DataObject, leading: tuple[int, ...], queries: int, keys: int, heads: int, each: int, bias: bool
) -> None:
    width = heads * each
    inputs = data.draw(batches((*leading, queries, width), (*leading, keys, width), (*leading, keys, width)))
    causal, mask = data.draw(visibility(queries, keys, len(inputs[0])))
    layer = MultiHeadAttention(heads=heads, bias=bias, causal=causal)
    module = torch.nn.MultiheadAttention(width, heads, bias=bias, batch_first=True, dtype=torch.float64)

    def theirs(query: Any, key: Any, value: Any, *mask: Any, **params: Any) -> Any:
        sees = seen(queries, keys, causal, mask).expand(len(query), queries, keys)
        copies = int(np.prod(leading)) * heads
        state = {name.replace("out_proj_", "out_proj."): w for name, w in params.items()}
        flat = tuple(x.reshape(-1, *x.shape[-2:]) for x in (query, key, value))
        options = {"need_weights": False, "attn_mask": ~sees.repeat_interleave(copies, dim=0)}
        mixed, _ = torch.func.functional_call(module, state, flat, options)
        return mixed.reshape(query.shape)

    agree(layer, theirs, [*inputs, *mask], numbers(layer, inputs))


@given(st.data(), sizes, sizes)
def test_what_sees_no_key(data: st.DataObject, queries: int, keys: int) -> None:
    """A query that sees nothing gets zeros, and nothing comes back through it."""
    inputs = data.draw(batches((queries, 2), (keys, 2), (keys, 3)))
    count = len(inputs[0])
    mask = (
        np.random.default_rng(count).integers(0, 2, (count, queries, keys))
        * (np.arange(queries) % 2)[:, None]
    )

    def theirs(query: Any, key: Any, value: Any, mask: Any) -> Any:
        sees = (mask != 0).any(-1, keepdim=True)
        weights = (query @ key.mT / 2**0.5).masked_fill(sees & (mask == 0), -torch.inf).softmax(-1)
        return (weights * sees) @ value

    agree(Attention(), theirs, [*inputs, mask])

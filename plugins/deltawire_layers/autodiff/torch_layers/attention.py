"""Attention by products and softmax, which has second derivatives; torch's fused one has none on CPUs."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from deltawire_layers.autodiff.torch_layers.module import torch

functional = torch.nn.functional


class PlainAttention(torch.overrides.TorchFunctionMode):  # type: ignore[misc]
    """Replaces torch's fused attention in this thread, while it is entered."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return REPLACED.get(func, func)(*args, **(kwargs or {}))


def attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """Return softmax(q kᵀ · scale + mask) v; a query that sees no key gets 0, as in torch.

    Args:
        query: (..., queries, width).
        key: (..., keys, width).
        value: (..., keys, values).
        attn_mask: booleans, true where a query sees a key, or numbers to add to the scores.
        dropout_p: 0, since a trace refuses draws.
        is_causal: whether a query sees no later key.
        scale: factor of the scores; by default 1/√width.
        enable_gqa: whether several heads of queries share one of keys.
    """
    if enable_gqa:
        groups = query.shape[-3] // key.shape[-3]
        key, value = (x.repeat_interleave(groups, dim=-3) for x in (key, value))
    factor = query.shape[-1] ** -0.5 if scale is None else scale
    scores = (query @ key.transpose(-2, -1)) * factor
    hidden = torch.zeros((), dtype=torch.bool)
    if is_causal:
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        hidden = hidden | ~attn_mask
    elif attn_mask is not None:
        hidden = hidden | (attn_mask == -torch.inf)
        scores = scores + attn_mask.masked_fill(attn_mask == -torch.inf, 0)
    hidden = hidden.expand(scores.shape)
    blind = hidden.all(-1, keepdim=True)
    scores = scores.masked_fill(hidden & ~blind, -torch.inf)
    return scores.softmax(-1).masked_fill(blind, 0) @ value


def _heads() -> Any:
    """Return torch's function of several heads, with this attention in the place of the fused one.

    torch leaves the modes of functions aside inside its own functions, so that the name is replaced there.
    """
    whole = functional.multi_head_attention_forward
    names = {"scaled_dot_product_attention": attention, "has_torch_function": lambda tensors: False}
    replaced = FunctionType(whole.__code__, whole.__globals__ | names, whole.__name__, whole.__defaults__)
    replaced.__kwdefaults__ = whole.__kwdefaults__
    return replaced


REPLACED = {
    functional.scaled_dot_product_attention: attention,
    functional.multi_head_attention_forward: _heads(),
}
"""What is called in the place of torch's functions."""

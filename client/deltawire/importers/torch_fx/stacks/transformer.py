"""Translate attention, and torch's encoder as a whole, since neither tracer can follow its fast path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from deltawire.importers import steps
from deltawire.importers.arguments import Default
from deltawire.importers.operands import Stored, Unbatched, Value
from deltawire.importers.site import Site
from deltawire.importers.torch_fx.functions import function

Own = Callable[[str], Any]
"""Returns the `Stored` parameter of a module by its local name; None when there is none."""

PARTS = {
    "self_attn": nn.MultiheadAttention, "linear1": nn.Linear, "linear2": nn.Linear, "dropout": nn.Dropout,
    "dropout1": nn.Dropout, "dropout2": nn.Dropout, "norm1": nn.LayerNorm, "norm2": nn.LayerNorm,
}  # fmt: skip
"""Types of the submodules of an encoder layer; a layer with any other is refused."""

LEAST = float(np.finfo(np.float32).min)
"""The score of a hidden key, whose weight the softmax rounds to 0."""


def encoder(
    at: Site, module: nn.TransformerEncoder, own: Own, src: Value, mask: Default = None,
    src_key_padding_mask: Default = None, is_causal: bool | None = None,
) -> Value:  # fmt: skip
    """Add the stacked layers and the last norm.

    Args:
        at: The operation.
        module: The encoder.
        own: Its parameters, by local name.
        src: The input, (batch, places, width).
        mask: Refused unless it is None.
        src_key_padding_mask: Refused unless it is None.
        is_causal: Refused when it is true.
    """
    if is_causal:
        at.refuse("is_causal=True: no layer does this")
    x = src
    for number, layer in enumerate(module.layers):
        if type(layer) is not nn.TransformerEncoderLayer:
            at.refuse(f"its layer {number} is a {type(layer).__name__}: no layer does this")
        x = _encoder_layer(at, layer, own, x, f"layers.{number}.")
    return x if module.norm is None else _norm(at, module.norm, own, x, "norm")


def encoder_layer(
    at: Site, module: nn.TransformerEncoderLayer, own: Own, src: Value, src_mask: Default = None,
    src_key_padding_mask: Default = None, is_causal: Default = False,
) -> Value:  # fmt: skip
    """Add one encoder layer.

    Args:
        at: The operation.
        module: The encoder layer.
        own: Its parameters, by local name.
        src: The input, (batch, places, width).
        src_mask: Refused unless it is None.
        src_key_padding_mask: Refused unless it is None.
        is_causal: Refused unless it is False.
    """
    return _encoder_layer(at, module, own, src, "")


def _encoder_layer(at: Site, module: nn.TransformerEncoderLayer, own: Own, x: Value, within: str) -> Value:
    for name, kind in PARTS.items():
        if type(getattr(module, name)) is not kind:
            at.refuse(f"its {within}{name} is a {type(getattr(module, name)).__name__}: no layer does this")
    attention, activation = module.self_attn, activation_of(module)
    if not attention.batch_first or activation is None:
        at.refuse("expected batch_first=True, and relu or gelu as its activation")
    if attention.bias_k is not None or attention.add_zero_attn or attention.in_proj_weight is None:
        at.refuse("its attention has add_bias_kv, add_zero_attn, kdim or vdim: no layer does this")

    def node(kind: str, *inputs: Value, name: str, out: Any = None, **more: Any) -> Value:
        return at.layer(kind, *inputs, name=f"{at.name}.{within}{name}", out=out or inputs[0].shape, **more)

    def stored(name: str) -> dict[str, Any]:
        return {which: own(f"{within}{name}.{which}") for which in ("weight", "bias")}

    def attended(x: Value) -> Value:
        projections = {
            which: own(f"{within}self_attn.{which}") for which in ("in_proj_weight", "in_proj_bias")
        }
        out = {f"out_proj_{which}": array for which, array in stored("self_attn.out_proj").items()}
        heads, bias = attention.num_heads, attention.in_proj_bias is not None
        return node(
            "multi_head_attention",
            x,
            x,
            x,
            name="self_attn",
            params=projections | out,
            heads=heads,
            bias=bias,
        )

    def fed(x: Value) -> Value:
        for name, linear in (("linear1", module.linear1), ("linear2", module.linear2)):
            shape = (*x.shape[:-1], linear.out_features)
            with_bias = linear.bias is not None
            settings = {"units": linear.out_features, "bias": with_bias}
            x = node("linear", x, name=name, out=shape, params=stored(name), **settings)
            x = node(activation, x, name="activation") if name == "linear1" else x
        return x

    for name, part, norm in (("attended", attended, "norm1"), ("fed", fed, "norm2")):
        own_norm = getattr(module, norm)
        if module.norm_first:
            x = node("add", x, part(_norm(at, own_norm, own, x, f"{within}{norm}")), name=name)
        else:
            x = _norm(at, own_norm, own, node("add", x, part(x), name=name), f"{within}{norm}")
    return x


def activation_of(module: nn.TransformerEncoderLayer) -> str | None:
    """Return the kind of an encoder layer's activation; None for one without a layer."""
    activation = module.activation
    if activation in (F.relu, torch.relu) or type(activation) is nn.ReLU:
        return "relu"
    exact = type(activation) is nn.GELU and activation.approximate == "none"
    return "gelu" if activation is F.gelu or exact else None


def _norm(at: Site, module: nn.LayerNorm, own: Own, x: Value, name: str) -> Value:
    if type(module) is not nn.LayerNorm or module.bias is None:
        at.refuse(f"its {name} is no LayerNorm with weight and bias")
    params = {which: own(f"{name}.{which}") for which in ("weight", "bias")}
    return at.layer("layer_norm", x, name=f"{at.name}.{name}", out=x.shape, params=params, eps=module.eps)


@function("scaled_dot_product_attention")
def attention(
    at: Site, query: Value, key: Value, value: Value, attn_mask: Value | Unbatched | Stored | None = None,
    dropout_p: Default = 0.0, is_causal: bool = False, *, scale: float | None = None,
    enable_gqa: bool = False,
) -> Value:  # fmt: skip
    """Add attention; where numbers are added to its scores, products and a softmax.

    Args:
        at: The operation.
        query: (heads, n, d).
        key: (heads, m, d).
        value: (heads, m, c).
        attn_mask: True where a query sees a key, or numbers to add to the scores; it broadcasts to
            (heads, n, m).
        dropout_p: Refused unless it is 0.
        is_causal: A query sees the keys up to its own place.
        scale: The factor of the scores; None for 1/√d, that of the layer.
        enable_gqa: Key and value have fewer heads, each of which serves several of the query.
    """
    if enable_gqa:
        key, value = (_heads_repeated(at, x, query.shape[-3]) for x in (key, value))
    root = query.shape[-1] ** -0.5
    factor = root if scale is None or np.isclose(scale, root) else scale
    mask = _visible(attn_mask) if isinstance(attn_mask, Stored) else None
    if attn_mask is None or mask is not None:
        if factor != root:
            query = at.step("affine", query, out=query.shape, scale=factor / root)
        shape = query.shape[-2], key.shape[-2]
        masks = [] if mask is None else [at.constant(mask, shape, f"{at.name}_mask", whole=True)]
        return at.layer("attention", query, key, value, *masks, causal=is_causal)
    query = at.step("affine", query, out=query.shape, scale=factor)
    axes = [*range(len(key.shape) - 2), len(key.shape) - 1, len(key.shape) - 2]
    turned = at.step("transpose", key, out=(*key.shape[:-2], *key.shape[:-3:-1]), axes=axes)
    out = (*query.shape[:-1], key.shape[-2])
    scores = _masked(at, at.step("matmul", query, turned, out=out), attn_mask)
    return at.layer("matmul", at.step("softmax", scores, out=out), value)


def _heads_repeated(at: Site, x: Value, heads: int) -> Value:
    """Repeat each head of a key or value, so that there are as many as the query has."""
    *ahead, fewer, places, width = x.shape
    if fewer == heads:
        return x
    column, spread = ((*ahead, fewer, count, places, width) for count in (1, heads // fewer))
    out = (*ahead, heads, places, width)
    x = at.step("expand", at.step("reshape", x, out=column, shape=column), out=spread, shape=spread)
    return at.step("reshape", x, out=out, shape=out)


def _visible(stored: Stored) -> Stored | None:
    """Return a mask of booleans (n, m), the same for every head; None where the layer has no such mask.

    Added numbers are a mask where each is 0 or the least, and every query sees a key.
    """
    array = stored.array
    if array.dtype.kind == "f":
        seen = array == 0
        if not (seen | (array <= np.finfo(array.dtype).min)).all() or not seen.any(axis=-1).all():
            return None
        array = seen
    if array.dtype.kind != "b" or array.ndim < 2:
        return None
    rows = array.reshape(-1, *array.shape[-2:])
    if (rows != rows[:1]).any():
        return None
    return replace(stored, array=rows[0], layout=(*stored.layout, "mask"))


def _masked(at: Site, scores: Value, mask: Value | Unbatched | Stored) -> Value:
    """Add a mask's numbers to the scores; where it has booleans, hide the keys that it is False for."""
    if not isinstance(mask, Stored) or mask.array.dtype.kind != "b":
        if isinstance(mask, Stored) and not np.isfinite(mask.array).all():
            at.refuse(f"adds numbers that are not finite to its scores, of '{mask.name}'")
        return at.step("add", scores, steps.operand(at, mask, scores.shape), out=scores.shape)
    if not mask.array.any(axis=-1).all():
        at.refuse(f"hides all keys from a query, by '{mask.name}': its softmax is not defined")
    hidden = replace(mask, array=~mask.array, layout=(*mask.layout, "hidden"))
    places = at.constant(hidden, scores.shape, f"{at.name}_hidden", whole=True)
    return at.step("masked_fill", scores, places, out=scores.shape, value=LEAST)

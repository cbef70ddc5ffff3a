"""Translate torch's transformer encoder as a whole, since neither tracer can follow its fast path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from deltawire.importers.arguments import Default
from deltawire.importers.builder import Value
from deltawire.importers.site import Site

Own = Callable[[str], Any]
"""Returns the `Stored` parameter of a module by its local name; None when there is none."""

PARTS = {
    "self_attn": nn.MultiheadAttention, "linear1": nn.Linear, "linear2": nn.Linear, "dropout": nn.Dropout,
    "dropout1": nn.Dropout, "dropout2": nn.Dropout, "norm1": nn.LayerNorm, "norm2": nn.LayerNorm,
}  # fmt: skip
"""Types of the submodules of an encoder layer; a layer with any other is refused."""


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

"""Translate torch's modules to layers, most of them as a call of the matching function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from deltawire.importers.arguments import Default, Harmless, translated
from deltawire.importers.builder import Stored, Unavailable, Value
from deltawire.importers.site import Site
from deltawire.importers.torch_fx import functions, shapes, transformer, windows

Own = Callable[[str], Any]
"""Returns the `Stored` parameter or buffer of a module by its local name; None when there is none."""

Translation = Callable[..., Any]
"""Takes the site, the module, its `Own`, and the arguments of the call."""


def calls(name: str, *settings: str, stored: tuple[str, ...] = ()) -> Translation:
    """Return the translation of a module as a call of a function.

    Args:
        name: The name of the function in `FUNCTIONS`.
        *settings: Attributes of the module, passed to the function by name.
        stored: Parameters and buffers of the module, passed to the function by name.
    """

    def translate(at: Site, module: nn.Module, own: Own, input: Value | Stored) -> Any:
        at.function = name
        given = {local: own(local) for local in stored} | {one: getattr(module, one) for one in settings}
        return translated(at, functions.FUNCTIONS[name], input, **given)

    return translate


AFFINE = "weight", "bias"


def conv(at: Site, module: nn.Conv1d | nn.Conv2d, own: Own, input: Value) -> Any:
    if module.padding_mode != "zeros":
        at.refuse(f"padding_mode='{module.padding_mode}': the layer pads with zeros")
    settings = module.stride, module.padding, module.dilation, module.groups
    return translated(at, windows.conv, input, own("weight"), own("bias"), *settings)


def reshape(at: Site, module: nn.Module, own: Own, input: Value) -> Any:
    return shapes.reshape(at, input)


def as_it_is(at: Site, module: nn.Module, own: Own, input: Value) -> Any:
    return input


def recurrent(at: Site, module: nn.RNNBase, own: Own, input: Value, hx: Default = None) -> Any:
    """Add one node for each stacked layer."""
    x = input
    kind = {"RNN": "elman", "GRU": "gru", "LSTM": "lstm"}[at.function]
    if not module.batch_first:
        at.refuse("expected batch_first=True: the batch is the leading axis")
    if module.bidirectional or not module.bias or module.proj_size:
        at.refuse("bidirectional=True, bias=False and proj_size have no layer")
    if module.training and module.dropout:
        at.refuse("drops numbers at random; networks are imported as they are in eval mode")
    if getattr(module, "nonlinearity", "tanh") != "tanh":
        at.refuse(f"nonlinearity='{module.nonlinearity}': the layer elman has tanh")
    shape = at.shape(lambda result: result[0])
    for number in range(module.num_layers):
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        stored = {name: own(f"{name}_l{number}") for name in names}
        last = number == module.num_layers - 1
        name = at.name if last else f"{at.name}_l{number}"
        x = at.layer(kind, x, out=shape, params=stored, name=name, units=module.hidden_size)
    return x, Unavailable(f"the last state of {at.label} is no value: take the last step of its output")


def multi_head_attention(
    at: Site, module: nn.MultiheadAttention, own: Own, query: Value, key: Value, value: Value,
    key_padding_mask: Default = None, need_weights: bool = True, attn_mask: Default = None,
    average_attn_weights: Harmless = True, is_causal: Default = False,
) -> Any:  # fmt: skip
    """Add attention; no layer returns its weights, averaged or not."""
    if not module.batch_first:
        at.refuse("expected batch_first=True: the batch is the leading axis")
    if module.bias_k is not None or module.add_zero_attn:
        at.refuse("has add_bias_kv or add_zero_attn, which the layer does without here")
    if module.training and module.dropout:
        at.refuse("drops numbers at random; networks are imported as they are in eval mode")
    if own("in_proj_weight") is None:
        at.refuse("has kdim or vdim: in the layer, queries, keys and values are of one width")
    out = module.out_proj
    stored = {name: own(name) for name in ("in_proj_weight", "in_proj_bias")}
    stored |= {f"out_proj_{name}": own(f"out_proj.{name}") for name in ("weight", "bias")}
    shape = at.shape(lambda result: result[0])
    y = at.layer(
        "multi_head_attention", query, key, value, out=shape, params=stored, heads=module.num_heads,
        bias=out.bias is not None,
    )  # fmt: skip
    if not need_weights:
        return y, None
    return y, Unavailable(f"the weights of {at.label} are no value: call it with need_weights=False")


dropout = calls("dropout", "p", "training", "inplace")
batch_norm = calls("batch_norm", "training", "eps", stored=("running_mean", "running_var", *AFFINE))

MODULES: dict[type[nn.Module], Translation] = {
    nn.ReLU: calls("relu", "inplace"), nn.SiLU: calls("silu", "inplace"),
    nn.Sigmoid: calls("sigmoid"), nn.Tanh: calls("tanh"), nn.GELU: calls("gelu", "approximate"),
    nn.Softplus: calls("softplus", "beta", "threshold"), nn.ELU: calls("elu", "alpha", "inplace"),
    nn.LeakyReLU: calls("leaky_relu", "negative_slope", "inplace"),
    nn.Softmax: calls("softmax", "dim"), nn.LogSoftmax: calls("log_softmax", "dim"),
    nn.Linear: calls("linear", stored=AFFINE), nn.Conv1d: conv, nn.Conv2d: conv,
    nn.Embedding: calls(
        "embedding", "padding_idx", "max_norm", "norm_type", "scale_grad_by_freq", "sparse",
        stored=("weight",),
    ),
    nn.MaxPool2d: calls(
        "max_pool2d", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"
    ),
    nn.AvgPool2d: calls(
        "avg_pool2d", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"
    ),
    nn.AdaptiveAvgPool2d: calls("adaptive_avg_pool2d", "output_size"),
    nn.AdaptiveMaxPool2d: calls("adaptive_max_pool2d", "output_size", "return_indices"),
    nn.BatchNorm1d: batch_norm, nn.BatchNorm2d: batch_norm, nn.BatchNorm3d: batch_norm,
    nn.LayerNorm: calls("layer_norm", "normalized_shape", "eps", stored=AFFINE),
    nn.RMSNorm: calls("rms_norm", "normalized_shape", "eps", stored=("weight",)),
    nn.GroupNorm: calls("group_norm", "num_groups", "eps", stored=AFFINE),
    nn.Flatten: reshape, nn.Unflatten: reshape,
    nn.Identity: as_it_is, nn.Dropout: dropout, nn.Dropout1d: dropout, nn.Dropout2d: dropout,
    nn.RNN: recurrent, nn.GRU: recurrent, nn.LSTM: recurrent, nn.MultiheadAttention: multi_head_attention,
    nn.TransformerEncoder: transformer.encoder,
    nn.TransformerEncoderLayer: transformer.encoder_layer,
}  # fmt: skip

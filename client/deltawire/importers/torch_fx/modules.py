"""torch's modules as layers: each calls the function it stands for, with its own parameters and settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from deltawire.importers.builder import Site, Unavailable, Value
from deltawire.importers.torch_fx import functions, shapes, transformer, windows

Own = Callable[[str], Any]
"""The `Stored` parameter or buffer of a module, by its local name; None when there is none."""

Translation = Callable[..., Any]
"""Takes the site, the module, what it has stored, and what it is called with."""


def activation(*settings: str) -> Translation:
    """A function of the same name as the module, with some of its settings."""

    def translate(at: Site, module: nn.Module, own: Own, x: Value) -> Any:
        function = functions.FUNCTIONS[at.function.lower()]
        return function(at, x, **{name: getattr(module, name) for name in settings})

    return translate


def elu(at: Site, module: nn.ELU, own: Own, x: Value) -> Any:
    return functions.elu(at, x, module.alpha)


def leaky_relu(at: Site, module: nn.LeakyReLU, own: Own, x: Value) -> Any:
    return functions.leaky_relu(at, x, module.negative_slope)


def softmax(at: Site, module: nn.Softmax, own: Own, x: Value) -> Any:
    if module.dim is None:
        at.refuse("has no dim: name the axis")
    at.function = "softmax" if isinstance(module, nn.Softmax) else "log_softmax"
    return functions.softmax(at, x, module.dim)


def linear(at: Site, module: nn.Linear, own: Own, x: Value) -> Any:
    return functions.linear(at, x, own("weight"), own("bias"))


def embedding(at: Site, module: nn.Embedding, own: Own, index: Value) -> Any:
    settings = module.padding_idx, module.max_norm, module.norm_type, module.scale_grad_by_freq
    return functions.embedding(at, index, own("weight"), *settings)


def conv(at: Site, module: nn.Conv1d | nn.Conv2d, own: Own, x: Value) -> Any:
    if module.padding_mode != "zeros":
        at.refuse(f"padding_mode='{module.padding_mode}': the layer pads with zeros")
    settings = module.stride, module.padding, module.dilation, module.groups
    return windows.conv(at, x, own("weight"), own("bias"), *settings)


def max_pool2d(at: Site, module: nn.MaxPool2d, own: Own, x: Value) -> Any:
    settings = module.kernel_size, module.stride, module.padding, module.dilation
    return windows.max_pool2d(at, x, *settings, module.ceil_mode, module.return_indices)


def avg_pool2d(at: Site, module: nn.AvgPool2d, own: Own, x: Value) -> Any:
    settings = module.kernel_size, module.stride, module.padding, module.ceil_mode
    return windows.avg_pool2d(at, x, *settings, module.count_include_pad, module.divisor_override)


def adaptive_pool2d(at: Site, module: nn.AdaptiveAvgPool2d, own: Own, x: Value) -> Any:
    at.function = "adaptive_avg_pool2d" if isinstance(module, nn.AdaptiveAvgPool2d) else "adaptive_max_pool2d"
    return windows.adaptive_pool2d(at, x, module.output_size)


def batch_norm(at: Site, module: nn.BatchNorm1d, own: Own, x: Value) -> Any:
    stored = own("running_mean"), own("running_var"), own("weight"), own("bias")
    return functions.batch_norm(at, x, *stored, eps=module.eps)


def layer_norm(at: Site, module: nn.LayerNorm, own: Own, x: Value) -> Any:
    return functions.layer_norm(at, x, module.normalized_shape, own("weight"), own("bias"), module.eps)


def rms_norm(at: Site, module: nn.RMSNorm, own: Own, x: Value) -> Any:
    return functions.rms_norm(at, x, module.normalized_shape, own("weight"), module.eps)


def group_norm(at: Site, module: nn.GroupNorm, own: Own, x: Value) -> Any:
    return functions.group_norm(at, x, module.num_groups, own("weight"), own("bias"), module.eps)


def reshape(at: Site, module: nn.Module, own: Own, x: Value) -> Any:
    return shapes.reshape(at, x)


def as_it_is(at: Site, module: nn.Module, own: Own, x: Value) -> Any:
    return x


def recurrent(at: Site, module: nn.RNNBase, own: Own, x: Value, state: None = None) -> Any:
    """A node for each of the stacked layers."""
    kind = {"RNN": "elman", "GRU": "gru", "LSTM": "lstm"}[at.function]
    if not module.batch_first:
        at.refuse("expected batch_first=True: the batch is the leading axis")
    if module.bidirectional or not module.bias or module.proj_size or state is not None:
        at.refuse("bidirectional=True, bias=False, proj_size and a first state of one's own have no layer")
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
    need_weights: bool = True, attn_mask: None = None, average_attn_weights: bool = True,
) -> Any:  # fmt: skip
    if not module.batch_first:
        at.refuse("expected batch_first=True: the batch is the leading axis")
    if attn_mask is not None or module.bias_k is not None or module.add_zero_attn:
        at.refuse("has attn_mask, add_bias_kv or add_zero_attn, which the layer does without here")
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
    return y, Unavailable(f"the weights of {at.label} are no value: call it with need_weights=False")


MODULES: dict[type[nn.Module], Translation] = {
    nn.ReLU: activation(), nn.Sigmoid: activation(), nn.SiLU: activation(), nn.Tanh: activation(),
    nn.GELU: activation("approximate"), nn.Softplus: activation("beta", "threshold"),
    nn.ELU: elu, nn.LeakyReLU: leaky_relu, nn.Softmax: softmax, nn.LogSoftmax: softmax,
    nn.Linear: linear, nn.Embedding: embedding, nn.Conv1d: conv, nn.Conv2d: conv,
    nn.MaxPool2d: max_pool2d, nn.AvgPool2d: avg_pool2d,
    nn.AdaptiveAvgPool2d: adaptive_pool2d, nn.AdaptiveMaxPool2d: adaptive_pool2d,
    nn.BatchNorm1d: batch_norm, nn.BatchNorm2d: batch_norm, nn.BatchNorm3d: batch_norm,
    nn.LayerNorm: layer_norm, nn.RMSNorm: rms_norm, nn.GroupNorm: group_norm,
    nn.Flatten: reshape, nn.Unflatten: reshape,
    nn.Identity: as_it_is, nn.Dropout: as_it_is, nn.Dropout1d: as_it_is, nn.Dropout2d: as_it_is,
    nn.RNN: recurrent, nn.GRU: recurrent, nn.LSTM: recurrent, nn.MultiheadAttention: multi_head_attention,
    nn.TransformerEncoder: transformer.encoder,
    nn.TransformerEncoderLayer: transformer.encoder_layer,
}  # fmt: skip

"""Translate torch's modules to layers, most of them as a call of the matching function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from deltawire.importers.arguments import Default, Harmless, translated
from deltawire.importers.operands import Stored, Unavailable, Value
from deltawire.importers.site import Site
from deltawire.importers.torch_fx import activations as activations  # fills the table of functions
from deltawire.importers.torch_fx import functions, norms, shapes, windows
from deltawire.importers.torch_fx.losses import aten as aten  # fills the table of functions
from deltawire.importers.torch_fx.losses import labels
from deltawire.importers.torch_fx.stacks import recurrent, transformer

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
MAX_POOL = "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"
LP_POOL = "norm_type", "kernel_size", "stride", "ceil_mode"


def conv(at: Site, module: nn.Module, own: Own, input: Value) -> Any:
    settings = module.stride, module.padding, module.dilation, module.groups
    stored, mode = (own("weight"), own("bias")), module.padding_mode
    return translated(at, windows.conv, input, *stored, *settings, padding_mode=mode)


def conv_transpose(at: Site, module: nn.Module, own: Own, input: Value, output_size: Default = None) -> Any:
    settings = module.stride, module.padding, module.output_padding, module.groups, module.dilation
    return translated(at, windows.conv_transpose, input, own("weight"), own("bias"), *settings)


def pad(mode: str) -> Translation:
    """Return the translation of a module that pads in a mode."""

    def translate(at: Site, module: nn.Module, own: Own, input: Value) -> Any:
        return translated(at, windows.pad, input, list(module.padding), mode, getattr(module, "value", None))

    return translate


def softmax2d(at: Site, module: nn.Softmax2d, own: Own, input: Value) -> Any:
    at.function = "softmax"
    return translated(at, functions.softmax, input, -3)


def reshape(at: Site, module: nn.Module, own: Own, input: Value) -> Any:
    return shapes.reshape(at, input)


def as_it_is(at: Site, module: nn.Module, own: Own, input: Value) -> Any:
    return input


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


def instance_norm(at: Site, module: nn.Module, own: Own, input: Value) -> Any:
    axes = int(at.function[-2])
    if len(input.shape) != axes + 1:
        at.refuse(f"expected a batch: of {axes + 1} axes, the first is that of the channels")
    statistics = {one: own(one) for one in ("running_mean", "running_var")}
    own_statistics = not module.track_running_stats
    affine = {one: own(one) for one in AFFINE}
    return translated(
        at, norms.instance_norm, input, **statistics, **affine, use_input_stats=own_statistics, eps=module.eps
    )


MODULES: dict[type[nn.Module], Translation] = {
    nn.ReLU: calls("relu", "inplace"), nn.SiLU: calls("silu", "inplace"),
    nn.Sigmoid: calls("sigmoid"), nn.Tanh: calls("tanh"), nn.GELU: calls("gelu", "approximate"),
    nn.Softplus: calls("softplus", "beta", "threshold"), nn.ELU: calls("elu", "alpha", "inplace"),
    nn.LeakyReLU: calls("leaky_relu", "negative_slope", "inplace"), nn.ReLU6: calls("relu6", "inplace"),
    nn.Hardtanh: calls("hardtanh", "min_val", "max_val", "inplace"),
    nn.Hardsigmoid: calls("hardsigmoid", "inplace"), nn.Hardswish: calls("hardswish", "inplace"),
    nn.Mish: calls("mish", "inplace"), nn.GLU: calls("glu", "dim"),
    nn.PReLU: calls("prelu", stored=("weight",)),
    nn.Softmax: calls("softmax", "dim"), nn.LogSoftmax: calls("log_softmax", "dim"),
    nn.Softmin: calls("softmin", "dim"), nn.CELU: calls("celu", "alpha", "inplace"),
    nn.SELU: calls("selu", "inplace"), nn.LogSigmoid: calls("logsigmoid"), nn.Softsign: calls("softsign"),
    nn.Softshrink: calls("softshrink", "lambd"), nn.Tanhshrink: calls("tanhshrink"),
    nn.Threshold: calls("threshold", "threshold", "value", "inplace"),
    nn.Linear: calls("linear", stored=AFFINE), nn.Conv1d: conv, nn.Conv2d: conv,
    nn.ConvTranspose1d: conv_transpose, nn.ConvTranspose2d: conv_transpose,
    nn.Softmax2d: softmax2d,
    nn.Embedding: calls(
        "embedding", "padding_idx", "max_norm", "norm_type", "scale_grad_by_freq", "sparse",
        stored=("weight",),
    ),
    nn.MaxPool1d: calls("max_pool1d", *MAX_POOL), nn.MaxPool2d: calls("max_pool2d", *MAX_POOL),
    nn.MaxPool3d: calls("max_pool3d", *MAX_POOL),
    nn.AvgPool1d: calls(
        "avg_pool1d", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"
    ),
    nn.AvgPool2d: calls(
        "avg_pool2d", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"
    ),
    nn.AvgPool3d: calls(
        "avg_pool3d", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"
    ),
    nn.LPPool1d: calls("lp_pool1d", *LP_POOL), nn.LPPool2d: calls("lp_pool2d", *LP_POOL),
    nn.LPPool3d: calls("lp_pool3d", *LP_POOL),
    nn.AdaptiveAvgPool1d: calls("adaptive_avg_pool1d", "output_size"),
    nn.AdaptiveMaxPool1d: calls("adaptive_max_pool1d", "output_size", "return_indices"),
    nn.AdaptiveAvgPool2d: calls("adaptive_avg_pool2d", "output_size"),
    nn.AdaptiveMaxPool2d: calls("adaptive_max_pool2d", "output_size", "return_indices"),
    nn.AdaptiveAvgPool3d: calls("adaptive_avg_pool3d", "output_size"),
    nn.AdaptiveMaxPool3d: calls("adaptive_max_pool3d", "output_size", "return_indices"),
    nn.BatchNorm1d: batch_norm, nn.BatchNorm2d: batch_norm, nn.BatchNorm3d: batch_norm,
    nn.LayerNorm: calls("layer_norm", "normalized_shape", "eps", stored=AFFINE),
    nn.RMSNorm: calls("rms_norm", "normalized_shape", "eps", stored=("weight",)),
    nn.InstanceNorm1d: instance_norm, nn.InstanceNorm2d: instance_norm, nn.InstanceNorm3d: instance_norm,
    nn.Upsample: calls(
        "interpolate", "size", "scale_factor", "mode", "align_corners", "recompute_scale_factor"
    ),
    nn.PixelShuffle: calls("pixel_shuffle", "upscale_factor"),
    nn.GroupNorm: calls("group_norm", "num_groups", "eps", stored=AFFINE),
    nn.Flatten: reshape, nn.Unflatten: reshape,
    nn.Identity: as_it_is, nn.Dropout: dropout, nn.Dropout1d: dropout, nn.Dropout2d: dropout,
    nn.RNN: recurrent.recurrent, nn.GRU: recurrent.recurrent, nn.LSTM: recurrent.recurrent,
    nn.MultiheadAttention: multi_head_attention,
    nn.TransformerEncoder: transformer.encoder,
    nn.TransformerEncoderLayer: transformer.encoder_layer,
}  # fmt: skip

MODULES |= {
    getattr(nn, f"{name}Pad{axes}d"): pad(mode)
    for name, mode in (
        ("Zero", "constant"), ("Constant", "constant"), ("Reflection", "reflect"),
        ("Replication", "replicate"), ("Circular", "circular"),
    )
    for axes in (1, 2, 3)
}  # fmt: skip

if hasattr(nn, "LinearCrossEntropyLoss"):  # since torch 2.13
    MODULES[nn.LinearCrossEntropyLoss] = labels.linear_cross_entropy

"""Translate torch's functions to layers, by the names that torch.fx, torch.export and tensor methods share.

Each takes the site of a call and the arguments of torch's function; a call with any other is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deltawire.importers import steps
from deltawire.importers.arguments import Default, Harmless, Shown
from deltawire.importers.builder import Rows, Stored, Value
from deltawire.importers.named import Named
from deltawire.importers.site import Site

FUNCTIONS = Named()
"""Translations by name; `aten.` marks ATen's functions with another order of arguments."""

function = FUNCTIONS.register


def pointwise(kind: str) -> Callable[..., Value]:
    def translate(at: Site, x: Value, inplace: Harmless = False) -> Value:
        return at.layer(kind, x)

    return translate


FUNCTIONS |= {
    name: pointwise(kind)
    for kind, names in {
        "exp": ["exp"], "log": ["log"], "negate": ["neg", "negative"], "reciprocal": ["reciprocal"],
        "relu": ["relu", "relu_"], "sigmoid": ["sigmoid", "sigmoid_"], "silu": ["silu", "silu_"],
        "sqrt": ["sqrt"], "tanh": ["tanh", "tanh_"],
    }.items()
    for name in names
}  # fmt: skip


@function("elu")
def elu(at: Site, x: Value, alpha: float = 1.0, inplace: Harmless = False) -> Value:
    return at.layer("elu", x, alpha=float(alpha))


@function("aten.elu")
def aten_elu(at: Site, x: Value, alpha: float = 1.0, scale: Default = 1, input_scale: Default = 1) -> Value:
    return elu(at, x, alpha)


@function("leaky_relu")
def leaky_relu(at: Site, x: Value, negative_slope: float = 0.01, inplace: Harmless = False) -> Value:
    return at.layer("leaky_relu", x, slope=float(negative_slope))


@function("gelu")
def gelu(at: Site, x: Value, *, approximate: Default = "none") -> Value:
    return at.layer("gelu", x)


@function("softplus")
def softplus(at: Site, x: Value, beta: float = 1, threshold: float = 20) -> Value:
    if beta != 1 or threshold < 15:  # from 15 on, log(1 + eˣ) equals x within two bits of float32
        at.refuse(f"beta={beta}, threshold={threshold}: the layer softplus has beta 1 and no threshold")
    return at.layer("softplus", x)


@function("pow")
def power(at: Site, x: Value, exponent: Any) -> Value:
    return at.layer("power", x, exponent=at.number(exponent, "exponent"))


@function("square")
def square(at: Site, x: Value) -> Value:
    return at.layer("multiply", x, x)


@function("rsqrt")
def rsqrt(at: Site, x: Value) -> Value:
    return at.layer("power", x, exponent=-0.5)


@function("identity", "contiguous", "clone", "alias")
def identity(at: Site, x: Value, memory_format: Harmless = None) -> Value:
    return x


@function("dropout", "feature_dropout", "dropout2d")
def dropout(at: Site, x: Value, p: float = 0.5, training: bool = True, inplace: Harmless = False) -> Value:
    if training and p:
        at.refuse("drops numbers at random; networks are imported as they are in eval mode")
    return x


@function("add", "iadd", "add_", "__add__", "__radd__")
def add(at: Site, a: Any, b: Any, *, alpha: float = 1) -> Value:
    if alpha != 1:
        at.refuse(f"alpha={alpha}: the layer add takes its inputs as they are")
    return steps.of_two(at, "add", a, b)


@function("mul", "imul", "mul_", "multiply", "__mul__", "__rmul__")
def mul(at: Site, a: Any, b: Any) -> Value:
    return steps.of_two(at, "multiply", a, b)


@function("sub", "isub", "sub_", "subtract")
def sub(at: Site, a: Any, b: Any, *, alpha: float = 1) -> Value:
    if alpha != 1:
        at.refuse(f"alpha={alpha}: the layer subtract takes its inputs as they are")
    return steps.of_two(at, "subtract", a, b)


@function("rsub")
def rsub(at: Site, a: Any, b: Any) -> Value:
    return steps.of_two(at, "subtract", b, a)


@function("div", "truediv", "itruediv", "div_", "divide", "true_divide")
def div(at: Site, a: Any, b: Any, *, rounding_mode: Default = None) -> Value:
    return steps.of_two(at, "divide", a, b)


@function("maximum", "minimum")
def extreme(at: Site, a: Any, b: Any) -> Value:
    return steps.of_two(at, at.function, a, b)


@function("matmul", "bmm", "__matmul__")
def matmul(at: Site, a: Any, b: Any) -> Value:
    if isinstance(a, Value) and isinstance(b, Stored) and b.array.ndim == 2:
        return steps.linear(at, a, b.transposed())
    if isinstance(a, Value) and isinstance(b, Value) and len(a.shape) == len(b.shape) == 1:
        at.refuse("a product of two vectors of the whole batch: examples are independent of each other")
    return at.layer("matmul", a, b)


@function("linear")
def linear(at: Site, x: Value, weight: Stored, bias: Stored | None = None) -> Value:
    return steps.linear(at, x, weight, bias)


@function("embedding")
def embedding(
    at: Site, index: Value | Stored, weight: Stored, padding_idx: Default = None, max_norm: Default = None,
    norm_type: Harmless = 2.0, scale_grad_by_freq: Default = False, sparse: Harmless = False,
) -> Value | Rows:  # fmt: skip
    """Look up rows of a table; sparse only changes the format of gradients, norm_type belongs to max_norm."""
    return steps.embedding(at, index, weight)


@function("aten.embedding")
def aten_embedding(
    at: Site, weight: Stored, index: Value | Stored, padding_idx: Default = -1,
    scale_grad_by_freq: Default = False, sparse: Harmless = False,
) -> Value | Rows:  # fmt: skip
    return steps.embedding(at, index, weight)


@function("softmax", "log_softmax")
def softmax(at: Site, x: Value, dim: int, dtype: Shown = None, *, _stacklevel: Harmless = 3) -> Value:
    return steps.along(at, at.function, x, at.axis(dim, len(x.shape)))


@function("layer_norm")
def layer_norm(
    at: Site, x: Value, normalized_shape: Any, weight: Stored | None = None, bias: Stored | None = None,
    eps: float = 1e-5, cudnn_enable: Harmless = True,
) -> Value:  # fmt: skip
    if len(normalized_shape) != 1:
        at.refuse(f"normalized_shape {list(normalized_shape)}: the layer norms along the last axis only")
    last = len(x.shape) - 1
    return steps.normed(at, "layer_norm", x, channels=last, weight=weight, bias=bias, eps=eps)


@function("rms_norm")
def rms_norm(
    at: Site, x: Value, normalized_shape: Any, weight: Stored | None = None, eps: float | None = None
) -> Value:
    if len(normalized_shape) != 1:
        at.refuse(f"normalized_shape {list(normalized_shape)}: the layer norms along the last axis only")
    eps = float(np.finfo(at.builder.dtype).eps) if eps is None else eps
    return steps.scaled_norm(at, x, weight, eps)


@function("group_norm")
def group_norm(
    at: Site, x: Value, num_groups: int, weight: Stored | None = None, bias: Stored | None = None,
    eps: float = 1e-5, cudnn_enabled: Harmless = True,
) -> Value:  # fmt: skip
    settings = {"groups": num_groups, "eps": eps}
    return steps.normed(at, "group_norm", x, channels=0, weight=weight, bias=bias, **settings)


@function("batch_norm")
def batch_norm(
    at: Site, x: Value, running_mean: Stored | None, running_var: Stored | None, weight: Stored | None = None,
    bias: Stored | None = None, training: bool = False, momentum: Harmless = 0.1, eps: float = 1e-5,
) -> Value:  # fmt: skip
    if training or running_mean is None or running_var is None:
        at.refuse("statistics of the batch would make its examples depend on each other: use running ones")
    statistics = [
        at.constant(stored, x.shape[:1], f"{at.name}_{what}")
        for stored, what in ((running_mean, "running_mean"), (running_var, "running_var"))
    ]
    return steps.normed(at, "batch_norm", x, *statistics, channels=0, weight=weight, bias=bias, eps=eps)


@function("aten.batch_norm")
def aten_batch_norm(
    at: Site, x: Value, weight: Stored | None, bias: Stored | None, running_mean: Stored | None,
    running_var: Stored | None, training: bool, momentum: Harmless, eps: float, cudnn_enabled: Harmless,
) -> Value:  # fmt: skip
    return batch_norm(at, x, running_mean, running_var, weight, bias, training, eps=eps)


@function("scaled_dot_product_attention")
def attention(
    at: Site, query: Value, key: Value, value: Value, attn_mask: Default = None, dropout_p: Default = 0.0,
    is_causal: bool = False, *, scale: float | None = None, enable_gqa: Default = False,
) -> Value:  # fmt: skip
    if scale is not None and not np.isclose(scale, query.shape[-1] ** -0.5):
        at.refuse(f"scale={scale}: the layer attention divides by the root of the width")
    return at.layer("attention", query, key, value, causal=is_causal)

"""Translate torch's norms."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltawire.importers import steps
from deltawire.importers.arguments import Harmless
from deltawire.importers.operands import Stored, Value
from deltawire.importers.site import Site
from deltawire.importers.torch_fx.functions import function


@function("layer_norm")
def layer_norm(
    at: Site, x: Value, normalized_shape: Any, weight: Stored | None = None, bias: Stored | None = None,
    eps: float = 1e-5, cudnn_enable: Harmless = True,
) -> Value:  # fmt: skip
    axes = len(normalized_shape)
    settings = {"eps": eps} | ({"last_axes": axes} if axes > 1 else {})
    spread = x.shape[-axes:]
    return steps.normed(at, "layer_norm", x, spread=spread, weight=weight, bias=bias, **settings)


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
    return steps.normed(at, "group_norm", x, spread=steps.by_channel(x), weight=weight, bias=bias, **settings)


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
    return steps.normed(
        at, "batch_norm", x, *statistics, spread=steps.by_channel(x), weight=weight, bias=bias, eps=eps
    )


@function("aten.batch_norm")
def aten_batch_norm(
    at: Site, x: Value, weight: Stored | None, bias: Stored | None, running_mean: Stored | None,
    running_var: Stored | None, training: bool, momentum: Harmless, eps: float, cudnn_enabled: Harmless,
) -> Value:  # fmt: skip
    return batch_norm(at, x, running_mean, running_var, weight, bias, training, eps=eps)


@function("aten.instance_norm")
def aten_instance_norm(
    at: Site, x: Value, weight: Stored | None, bias: Stored | None, running_mean: Stored | None,
    running_var: Stored | None, use_input_stats: bool, momentum: Harmless, eps: float,
    cudnn_enabled: Harmless,
) -> Value:  # fmt: skip
    return instance_norm(at, x, running_mean, running_var, weight, bias, use_input_stats, eps=eps)


@function("instance_norm")
def instance_norm(
    at: Site, x: Value, running_mean: Stored | None = None, running_var: Stored | None = None,
    weight: Stored | None = None, bias: Stored | None = None, use_input_stats: bool = True,
    momentum: Harmless = 0.1, eps: float = 1e-5,
) -> Value:  # fmt: skip
    if not use_input_stats:
        return batch_norm(at, x, running_mean, running_var, weight, bias, eps=eps)
    spread = steps.by_channel(x)
    return steps.normed(at, "instance_norm", x, spread=spread, weight=weight, bias=bias, eps=eps)

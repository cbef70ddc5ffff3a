"""NetworkCache to export, by kind: the config, and the shapes of the inputs, integers as (shape, range)."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltawire import Network

Shapes = list[Any]

CASES: list[tuple[str, dict[str, Any], Shapes]] = [
    *((kind, {}, [(3, 4)]) for kind in (
        "cumsum", "flip", "logsumexp", "min", "norm", "variance",
        "abs", "clip", "cos", "erf", "hardsigmoid", "hardswish", "mish", "prelu", "sin",
        "elu", "exp", "gelu", "identity", "leaky_relu", "negate", "relu", "sigmoid", "silu", "softplus",
        "tanh", "softmax", "log_softmax", "scale", "shift", "flatten", "transpose", "sum", "mean", "max",
        "layer_norm", "rms_norm",
    )),
    *((kind, {}, [(3, 4), (3, 4)]) for kind in (
        "add", "divide", "maximum", "minimum", "multiply", "subtract", "dot", "concat",
        "absolute_error", "cosine_distance", "huber", "max_margin", "smooth_l1", "squared_error",
    )),
    *((kind, {}, [(3, 4), ((3, 4), (0.0, 1.0))]) for kind in ("binary_nll", "focal", "poisson_nll")),
    *((kind, {}, [((3, 4), (0.1, 2.0))]) for kind in ("log", "sqrt", "reciprocal")),
    ("kl_divergence", {}, [(3, 4), ((3, 4), (0.1, 2.0))]),
    ("nll", {}, [(3, 4), ((3,), 4)]), ("softmax_nll", {}, [(4,), ((), 4)]),
    ("add", {}, [(4,), (4,), (4,)]), ("elu", {"alpha": 0.5}, [()]), ("leaky_relu", {"slope": 0.3}, [(2,)]),
    ("affine", {"scale": -2.5, "shift": 0.5}, [(3, 4)]), ("affine", {}, [()]),
    ("affine", {"scale": [0.5, -2.0, 3.0, 0.1], "shift": [1.0, 0.0, -1.0, 2.0]}, [(3, 4)]),
    ("log", {"low": -0.5}, [((3, 4), (0.1, 2.0))]), ("clip", {"low": -0.5}, [(3, 4)]),
    ("clip", {"low": -0.25, "high": 0.5, "at_bounds": 0}, [()]),
    ("gelu", {"approximate": "tanh"}, [(3, 4)]), ("hardsigmoid", {"alpha": 0.2, "beta": 0.75}, [(3,)]),
    ("prelu", {"per_channel": True}, [(3, 4)]), ("glu", {}, [(3, 4)]), ("glu", {"axis": 0}, [(4, 3)]),
    ("expand", {"shape": [2, 3, -1]}, [(1, 4)]), ("expand", {"shape": [2, 3]}, [()]),
    ("pad", {"widths": [[1, 2]], "value": 1.5}, [(3, 4)]),
    *(
        ("pad", {"widths": [[1, 2], [0, 1]], "mode": mode}, [(2, 3, 4)])
        for mode in ("reflect", "replicate", "circular")
    ),
    ("take_along_axis", {"axis": 0}, [(3, 4), ((2, 4), 3)]), ("flip", {"axes": [-1]}, [(3, 4)]),
    ("roll", {"shifts": [1, -6], "axes": [1, 0]}, [(3, 4)]), ("pixel_shuffle", {"factor": 2}, [(8, 2, 3)]),
    ("where", {}, [((3, 1), 2), (2, 3, 4), (2, 3, 4)]), ("masked_fill", {"value": -2}, [(3, 4), ((4,), 2)]),
    ("norm", {"order": 1, "axes": [0]}, [(3, 4)]), ("norm", {}, [()]),
    ("logsumexp", {"axes": [-1]}, [(3, 4)]),
    ("variance", {"axes": [1], "correction": 1}, [(3, 4)]), ("variance", {}, [()]),
    ("min", {"axis": 0}, [(3, 4)]),
    ("cumsum", {"axis": 0}, [(3, 4)]), ("slice", {"start": 1, "step": 2}, [(2, 6)]),
    ("triplet", {}, [(3, 4), (3, 4), (3, 4)]), ("triplet", {"margin": 2}, [(4,), (4,), (4,), ()]),
    ("gaussian_nll", {"full": True}, [(3, 4), (3, 4), ((3, 4), (0.1, 2.0))]),
    ("poisson_nll", {"log_input": False}, [((3, 4), (0.1, 2.0)), ((3, 4), (0.0, 2.0))]),
    ("smooth_l1", {"beta": 0.3}, [(4,), (4,)]),
    ("binary_nll", {"pos_weight": [1.0, 2.0, 3.0, 4.0]}, [(3, 4), ((3, 4), (0.0, 1.0)), ()]),
    ("focal", {"alpha": None, "gamma": 1}, [(4,), ((4,), (0.0, 1.0)), ()]),
    ("softmax_nll", {"axis": 0, "class_weights": [1, 2, 0.5], "ignore_index": 1}, [(3, 4), ((4,), 3), ()]),
    ("nll", {"ignore_index": 0, "class_weights": 2.0}, [(3, 4), ((3,), 4)]),
    ("softmax_nll", {"axis": 0, "ignore_index": 1, "per_row": True}, [(3, 4), ((4,), 3)]),
    ("nll", {"per_row": True}, [(3, 4), ((3,), 4)]), ("nll", {"per_row": True}, [(4,), ((), 4)]),
    ("squared_error", {}, [(), (), ()]),
    ("power", {"exponent": 3}, [(4,)]), ("huber", {"delta": 0.2}, [(), ()]),
    ("matmul", {}, [(2, 3, 4), (2, 4, 5)]), ("linear", {"units": 3}, [(4,)]),
    ("linear", {"units": 3}, [(2, 4)]), ("linear", {"units": 3, "bias": False}, [(2, 2, 4)]),
    ("linear", {"units": 3, "bias": False}, [(4,)]), ("embedding", {"rows": 5, "width": 3}, [((2, 2), 5)]),
    ("dropout_mask", {"p": 0.25}, [(3,), ((3,), 2)]), ("concat", {"axis": 0}, [(2, 3), (1, 3)]),
    ("slice", {"start": 1, "stop": -1}, [(2, 5)]), ("slice", {"axis": 0, "stop": 1}, [(2, 5)]),
    ("reshape", {"shape": [4, -1]}, [(2, 6)]), ("reshape", {"shape": [1]}, [()]),
    ("transpose", {"axes": [1, 0, 2]}, [(2, 3, 4)]), ("sum", {"axes": [-1]}, [(2, 3)]), ("sum", {}, [()]),
    ("mean", {"axes": [0]}, [(2, 3)]), ("max", {"axis": 0}, [(2, 3)]),
    ("layer_norm", {"affine": False}, [(4,)]), ("rms_norm", {"affine": False, "eps": 0.1}, [(4,)]),
    ("layer_norm", {"last_axes": 2}, [(2, 3, 4)]), ("layer_norm", {"bias": False}, [(3, 4)]),
    ("rms_norm", {"last_axes": 2}, [(3, 4)]), ("instance_norm", {}, [(3, 4)]),
    ("upsample", {"size": [4, 7]}, [(2, 2, 3)]), ("upsample", {"size": [5], "mode": "linear"}, [(2, 3)]),
    ("upsample", {"size": [5, 4], "mode": "linear", "align_corners": True}, [(2, 3, 2)]),
    ("group_norm", {"groups": 2}, [(4, 3)]), ("group_norm", {"groups": 2, "affine": False}, [(4, 2, 2)]),
    ("conv1d", {"channels": 4, "kernel": 3, "groups": 2, "bias": False}, [(2, 6)]),
    (
        "conv2d", {"channels": 3, "kernel": [2, 3], "stride": 2, "padding": [0, 1], "dilation": [2, 1]},
        [(2, 7, 6)],
    ),
    ("max_pool2d", {"kernel": 2}, [(2, 5, 6)]),
    ("max_pool2d", {"kernel": 3, "stride": 1, "padding": 1}, [(2, 5, 6)]),
    ("avg_pool2d", {"kernel": [2, 3], "padding": [1, 0]}, [(2, 4, 6)]),
    ("max_pool2d", {"kernel": 3, "stride": 2, "ceil_mode": True}, [(2, 6, 7)]),
    ("max_pool2d", {"kernel": 2, "padding": [[0, 1], 0], "dilation": [2, 1]}, [(2, 6, 7)]),
    ("avg_pool2d", {"kernel": 2, "padding": 1, "count_include_pad": False}, [(2, 5, 6)]),
    ("avg_pool1d", {"kernel": 3, "stride": 1}, [(2, 6)]), ("max_pool1d", {"kernel": 2}, [(2, 6)]),
    ("adaptive_avg_pool1d", {"size": 2}, [(3, 6)]), ("adaptive_max_pool1d", {"size": 1}, [(3, 6)]),
    ("adaptive_avg_pool2d", {"size": 1}, [(3, 6, 5)]), ("adaptive_max_pool2d", {"size": [2, 5]}, [(3, 6, 5)]),
    ("conv1d", {"channels": 2, "kernel": 2, "padding": [[1, 0]]}, [(2, 6)]),
    ("conv_transpose1d", {"channels": 4, "kernel": 3, "stride": 2, "bias": False}, [(2, 4)]),
    (
        "conv_transpose2d",
        {"channels": 3, "kernel": [2, 3], "stride": 2, "padding": [0, 1], "output_padding": 1},
        [(2, 3, 4)],
    ),
    ("attention", {"causal": True}, [(3, 4), (3, 4), (3, 5)]),
    ("attention", {}, [(2, 3, 4), (2, 5, 4), (2, 5, 2)]),
    ("multi_head_attention", {"heads": 2, "causal": True}, [(3, 4), (3, 4), (3, 4)]),
    ("multi_head_attention", {"heads": 2, "bias": False}, [(3, 4), (2, 4), (2, 4)]),
    ("elman", {"units": 3, "bias": False}, [(4, 2)]), ("gru", {"units": 3, "reverse": True}, [(4, 2), (3,)]),
    ("lstm", {"units": 3, "last": True}, [(4, 2), (3,), (3,)]),
    ("lstm", {"units": 3, "last": True, "reverse": True}, [(4, 2)]),
    ("lstm", {"units": 3, "last": True, "cells": True}, [(4, 2), (3,), (3,)]),
    ("embedding", {"rows": 5, "width": 3, "padding_idx": 2}, [((2, 2), 5)]),
    ("rotary", {}, [(2, 3, 4)]), ("rotary", {"interleaved": True, "base": 10}, [(3, 4)]),
    ("einsum", {"equation": "hqd,hkd->hqk"}, [(2, 3, 4), (2, 5, 4)]),
    ("einsum", {"equation": "ij->j"}, [(3, 4)]),
    ("elman", {"units": 3}, [(4, 2)]), ("gru", {"units": 3}, [(4, 2)]), ("lstm", {"units": 3}, [(4, 2)]),
]  # fmt: skip


def network_of(kind: str, config: dict[str, Any], shapes: Shapes) -> Network:
    """The one layer on inputs x0, x1, …, called `layer`."""
    net = Network()
    inputs = []
    for place, shape in enumerate(shapes):
        whole = len(shape) == 2 and isinstance(shape[0], tuple) and isinstance(shape[1], int)
        size = shape[0] if shape and isinstance(shape[0], tuple) else shape
        inputs.append(net.input(f"x{place}", size, "int64" if whole else None))
    net.layer(kind, *inputs, name="layer", **config)
    return net


def batch_of(shapes: Shapes, stream: np.random.Generator, dtype: str, rows: int = 3) -> dict[str, np.ndarray]:
    """Random numbers for the inputs of `network_of`."""
    made = {}
    for place, shape in enumerate(shapes):
        if shape and isinstance(shape[0], tuple):
            size, allowed = shape
            made[f"x{place}"] = (
                stream.integers(0, allowed, (rows, *size)) if isinstance(allowed, int)
                else stream.uniform(*allowed, (rows, *size)).astype(dtype)
            )  # fmt: skip
        else:
            made[f"x{place}"] = stream.standard_normal((rows, *shape)).astype(dtype)
    return made

"""Compiled kernels for deltawire's layers and optimizers: one pass over memory where numpy makes several.

Both find this package by importing it, and work without it. Each function writes to arrays
that the caller has made: contiguous, of float32 or float64, all of one dtype. It refuses others with a
TypeError, and sizes that do not fit with a ValueError.
"""

from deltawire_kernels._kernels import (
    adam,
    block,
    delta,
    depthwise,
    depthwise_delta,
    depthwise_gradient,
    functions,
    gather,
    gru,
    gru_delta,
    instructions,
    lion,
    lstm,
    lstm_delta,
    norm,
    norm_delta,
    norm_sums,
    operations,
    rms,
    scatter,
    sgd,
    softmax,
    softmax_delta,
    softmax_nll,
    softmax_nll_delta,
    spread,
    standardise,
    standardise_delta,
    tape,
    value,
    value_and_slope,
)

__all__ = [
    "adam",
    "block",
    "delta",
    "depthwise",
    "depthwise_delta",
    "depthwise_gradient",
    "functions",
    "gather",
    "gru",
    "gru_delta",
    "instructions",
    "lion",
    "lstm",
    "lstm_delta",
    "norm",
    "norm_delta",
    "norm_sums",
    "operations",
    "rms",
    "scatter",
    "sgd",
    "softmax",
    "softmax_delta",
    "softmax_nll",
    "softmax_nll_delta",
    "spread",
    "standardise",
    "standardise_delta",
    "tape",
    "value",
    "value_and_slope",
]

INTERFACE = 2
"""Raise it when a name or an argument of these functions changes: deltawire refuses another one."""

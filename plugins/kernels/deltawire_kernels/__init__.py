"""Compiled kernels for the layers of deltawire: one pass over memory where numpy makes several.

`deltawire_layers` finds this package by importing it, and works without it. Each function writes to arrays
that the caller has made: contiguous, of float32 or float64, all of one dtype. It refuses others with a
TypeError, and sizes that do not fit with a ValueError.
"""

from deltawire_kernels._kernels import (
    delta,
    depthwise,
    depthwise_delta,
    depthwise_gradient,
    functions,
    gather,
    gru,
    gru_delta,
    instructions,
    lstm,
    lstm_delta,
    norm,
    norm_delta,
    norm_sums,
    scatter,
    softmax,
    softmax_delta,
    spread,
    standardise,
    standardise_delta,
    value,
    value_and_slope,
)

__all__ = [
    "delta",
    "depthwise",
    "depthwise_delta",
    "depthwise_gradient",
    "functions",
    "gather",
    "gru",
    "gru_delta",
    "instructions",
    "lstm",
    "lstm_delta",
    "norm",
    "norm_delta",
    "norm_sums",
    "scatter",
    "softmax",
    "softmax_delta",
    "spread",
    "standardise",
    "standardise_delta",
    "value",
    "value_and_slope",
]

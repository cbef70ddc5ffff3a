"""Losses by compiled kernels: None where a kernel does not compute the numbers, as in `kernels.py`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from deltawire_layers.layer import Array, Equation
from deltawire_layers.numeric import kernels, sharing


class RowLosses(NamedTuple):
    """The losses of rows, and δ of their scores."""

    losses: Array
    """Shaped like the labels."""
    delta: Equation
    """From δ of the losses, or of the sums over the rows of each example, to δ of the scores."""


def softmax_nll(scores: Array, label: Array) -> RowLosses | None:
    """Return −log softmax(x)[label] of each row.

    Args:
        scores: x (batch, ..., C).
        label: integers (batch, ...), each a place of its row.

    Raises:
        IndexError: a label is no place of its row.
    """
    if not kernels.computes(scores):
        return None
    scores, label = np.ascontiguousarray(scores), np.ascontiguousarray(label, np.int64)
    p, losses = np.empty_like(scores), np.empty(label.shape, scores.dtype)
    arrays: tuple[Array, ...] = scores, label, p, losses
    if label.ndim > 1:  # threads share the rows of a single example, too
        x, y = (array.reshape(label.size, scores.shape[-1]) for array in (scores, p))
        arrays = x, label.reshape(-1), y, losses.reshape(-1)
    sharing.over_rows(kernels.compiled.softmax_nll, *arrays)

    def scores_delta(delta: Array) -> Array:
        below = np.empty_like(p)
        sharing.over_rows(kernels.compiled.softmax_nll_delta, p, label, np.ascontiguousarray(delta), below)
        return below

    return RowLosses(losses, scores_delta)

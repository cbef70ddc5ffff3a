"""Operators as ONNX defines them, where its reference evaluator computes something else."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx.reference.op_run import OpRun


class LRN(OpRun):
    """Normalize by neighbouring channels; the reference leaves out channels beyond the number of examples."""

    op_domain = ""

    def _run(self, x: Any, alpha: float, beta: float, bias: float, size: int) -> tuple[Any, ...]:
        squares = np.zeros_like(x)
        before, after = (size - 1) // 2, size // 2
        for channel in range(x.shape[1]):
            near = x[:, max(0, channel - before) : channel + after + 1]
            squares[:, channel] = np.square(near).sum(axis=1)
        return ((x / (bias + alpha / size * squares) ** beta).astype(x.dtype),)


class LpNormalization(OpRun):
    """Divide by a norm, 0 by 0 as 0; the reference forgets the absolute values of the norm of order 1."""

    op_domain = ""

    def _run(self, x: Any, axis: int, p: int) -> tuple[Any, ...]:
        size = np.linalg.norm(x, p, axis, keepdims=True)
        return (np.where(size == 0, 0, x / np.where(size == 0, 1, size)).astype(x.dtype),)

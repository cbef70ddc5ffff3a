"""Kernels of recurrent cells: all arithmetic of one step, in either direction, but its matrix product.

As in `kernels.py`, each function returns False where no kernel computes, and the caller does so with numpy.
Arrays of all steps are (batch, steps, ...), and others (batch, ...).
"""

from __future__ import annotations

import numpy as np

from deltawire_layers.layer import Array
from deltawire_layers.numeric import kernels


def lstm(gates: Array, sums: Array, first: Array, cells: Array, h: Array, step: int) -> bool:
    """Compute the state of an LSTM behind a step, and return whether a kernel does.

    Args:
        gates: sums of the gates i, f, g, o without the state, (batch, steps, 4, units); gets the whole sums.
        sums: what the state before adds to them, (batch, 4 · units).
        first: the cells before the first step, (batch, units).
        cells: the cells behind each step, (batch, steps, units), written to.
        h: the states behind each step, (batch, steps, units), written to.
        step: the step.
    """
    if not kernels.computes(sums):
        return False
    kernels.compiled.lstm(gates, np.ascontiguousarray(sums), first, cells, h, step)
    return True


def lstm_delta(
    gates: Array,
    cells: Array,
    first: Array,
    to_state: Array | None,
    to_cell: Array | None,
    back: Array,
    cell_back: Array,
    u: Array,
    step: int,
) -> bool:
    """Compute δ of the sums of the gates at a step, and return whether a kernel does.

    Args:
        gates: sums of the gates, (batch, steps, 4, units).
        cells: the cells behind each step, (batch, steps, units).
        first: the cells before the first step, (batch, units).
        to_state: δ that reaches the states from outside, (batch, steps, units); None for 0.
        to_cell: the same of the cells.
        back: δ of this step's state from the step behind it, (batch, units).
        cell_back: δ of this step's cells from there, (batch, units); gets that of the step before.
        u: δ of the sums, (batch, steps, 4, units), written to.
        step: the step.
    """
    if not kernels.computes(back):
        return False
    kernels.compiled.lstm_delta(gates, cells, first, to_state, to_cell, back, cell_back, u, step)
    return True


def gru(gates: Array, sums: Array, first: Array, inner: Array, h: Array, step: int) -> bool:
    """Compute the state of a GRU behind a step, and return whether a kernel does.

    Args:
        gates: sums of r, z, n without the state, (batch, steps, 3, units); gets the whole sums.
        sums: what the state before adds to them, (batch, 3 · units).
        first: the state before the first step, (batch, units).
        inner: the last third of `sums` at each step, (batch, steps, units), written to.
        h: the states behind each step, (batch, steps, units), written to.
        step: the step.
    """
    if not kernels.computes(sums):
        return False
    kernels.compiled.gru(gates, np.ascontiguousarray(sums), first, inner, h, step)
    return True


def gru_delta(
    gates: Array,
    inner: Array,
    h: Array,
    first: Array,
    delta: Array,
    back: Array,
    u: Array,
    s: Array,
    past: Array,
    step: int,
) -> bool:
    """Compute δ of the sums at a step, and return whether a kernel does.

    Args:
        gates: sums of r, z, n, (batch, steps, 3, units).
        inner: what `gru` has kept, (batch, steps, units).
        h: the states behind each step, (batch, steps, units).
        first: the state before the first step, (batch, units).
        delta: δ of the states from outside, (batch, steps, units).
        back: δ of this step's state from the step behind it, (batch, units).
        u: δ of the sums, (batch, steps, 3, units), written to.
        s: δ of what the state adds to them, likewise.
        past: what of δ goes straight to the state before, (batch, units), written to.
        step: the step.
    """
    if not kernels.computes(back):
        return False
    kernels.compiled.gru_delta(gates, inner, h, first, delta, back, u, s, past, step)
    return True

"""Compiled steps, where the distribution deltawire-kernels is installed: one pass over memory for each.

This is the one module of optimizers that calls them. Their bits are those of numpy.
"""

from __future__ import annotations

from collections.abc import Sequence

from deltawire_optimizers.optimizer import Array
from deltawire_plugins.compiled import compiled

Arrays = Sequence[Array | None]
"""A parameter and arrays of its state; None stands for one that it does not have."""


def squared_norm(array: Array, piece: int) -> float | None:
    """Return the sum of the squares in float64, or None where no kernel computes it.

    Args:
        array: the numbers.
        piece: how many of them are summed by themselves.
    """
    return float(compiled.squared_norm(array, piece)) if _computes(array) else None


def adam(before: Arrays, gradient: Array, after: Arrays, numbers: tuple[float, ...]) -> bool:
    """Take a step of Adam, and return whether a kernel does.

    Args:
        before: the parameter, the mean of gradients, the mean of their squares, and the greatest mean of
            squares so far with amsgrad.
        gradient: its gradient.
        after: the same arrays after the step; they may be those of `before`.
        numbers: how much of the parameter stays, λ, β₁, 1 − β₁, β₂, 1 − β₂, √(1 − β₂ᵗ), ε, γ / (1 − β₁ᵗ).
    """
    if not _computes(gradient, before, after):
        return False
    compiled.adam(*before, gradient, *after, numbers)
    return True


def sgd(
    before: Arrays,
    gradient: Array,
    after: Arrays,
    numbers: tuple[float, ...],
    *,
    starts: bool,
    nesterov: bool,
) -> bool:
    """Take a step of SGD, and return whether a kernel does.

    Args:
        before: the parameter, and its momentum.
        gradient: its gradient.
        after: the same arrays after the step; they may be those of `before`.
        numbers: λ, μ, 1 − τ, γ.
        starts: whether this is the first step.
        nesterov: whether the step looks ahead.
    """
    if not _computes(gradient, before, after):
        return False
    compiled.sgd(*before, gradient, *after, starts, nesterov, numbers)
    return True


def rms(before: Arrays, gradient: Array, after: Arrays, numbers: tuple[float, ...]) -> bool:
    """Take a step of RMSprop or Adagrad, and return whether a kernel does.

    Args:
        before: the parameter, the mean or sum of squares of its gradient, the mean of its gradient (where the
            step is divided by the standard deviation), and the momentum.
        gradient: its gradient.
        after: the same arrays after the step; they may be those of `before`.
        numbers: λ, how much of the means stays, how much is new, ε, μ, γ.
    """
    if not _computes(gradient, before, after):
        return False
    compiled.rms(*before, gradient, *after, numbers)
    return True


def lion(before: Arrays, gradient: Array, after: Arrays, numbers: tuple[float, ...]) -> bool:
    """Take a step of Lion, and return whether a kernel does.

    Args:
        before: the parameter, and the mean of gradients.
        gradient: its gradient.
        after: the same arrays after the step; they may be those of `before`.
        numbers: how much of the parameter stays, β₁, 1 − β₁, β₂, 1 − β₂, γ.
    """
    if not _computes(gradient, before, after):
        return False
    compiled.lion(*before, gradient, *after, numbers)
    return True


def _computes(gradient: Array, before: Arrays = (), after: Arrays = ()) -> bool:
    """Return whether there are kernels for arrays, all of one dtype."""
    if compiled is None or gradient.dtype.char not in "fd" or not gradient.dtype.isnative:
        return False
    return all(
        array is None or (array.dtype == gradient.dtype and array.flags.c_contiguous)
        for array in (gradient, *before, *after)
    )

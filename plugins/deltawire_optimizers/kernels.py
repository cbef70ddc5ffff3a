"""Compiled steps, where the distribution deltawire-kernels is installed: one pass over memory for each.

This is the one module of optimizers that calls them. Their bits are those of numpy.
"""

from __future__ import annotations

from deltawire_optimizers.optimizer import Array
from deltawire_plugins.compiled import compiled


def adam(
    param: Array,
    gradient: Array,
    mean: Array,
    square: Array,
    most: Array | None,
    numbers: tuple[float, ...],
) -> bool:
    """Take a step of Adam in place, and return whether a kernel does.

    Args:
        param: the parameter.
        gradient: its gradient.
        mean: the mean of gradients.
        square: the mean of their squares.
        most: the greatest mean of squares so far; None without amsgrad.
        numbers: how much of the parameter stays, λ, β₁, 1 − β₁, β₂, 1 − β₂, √(1 − β₂ᵗ), ε, γ / (1 − β₁ᵗ).
    """
    if not _computes(param, gradient, mean, square, *(() if most is None else (most,))):
        return False
    compiled.adam(param, gradient, mean, square, most, numbers)
    return True


def _computes(*arrays: Array) -> bool:
    """Return whether there are kernels for arrays, all of one dtype."""
    return compiled is not None and all(
        array.dtype == arrays[0].dtype and array.dtype.char in "fd" and array.flags.c_contiguous
        for array in arrays
    )

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
    if not _computes(param, gradient, mean, square, most):
        return False
    compiled.adam(param, gradient, mean, square, most, numbers)
    return True


def sgd(
    param: Array,
    gradient: Array,
    buffer: Array | None,
    numbers: tuple[float, ...],
    *,
    starts: bool,
    nesterov: bool,
) -> bool:
    """Take a step of SGD in place, and return whether a kernel does.

    Args:
        param: the parameter.
        gradient: its gradient.
        buffer: its momentum; None without.
        numbers: λ, μ, 1 − τ, γ.
        starts: whether this is the first step.
        nesterov: whether the step looks ahead.
    """
    if not _computes(param, gradient, buffer):
        return False
    compiled.sgd(param, gradient, buffer, starts, nesterov, numbers)
    return True


def rms(
    param: Array,
    gradient: Array,
    square: Array,
    mean: Array | None,
    buffer: Array | None,
    numbers: tuple[float, ...],
) -> bool:
    """Take a step of RMSprop or Adagrad in place, and return whether a kernel does.

    Args:
        param: the parameter.
        gradient: its gradient.
        square: the mean or sum of its squares.
        mean: its mean, where the step is divided by the standard deviation.
        buffer: the momentum; None without.
        numbers: λ, how much of the means stays, how much is new, ε, μ, γ.
    """
    if not _computes(param, gradient, square, mean, buffer):
        return False
    compiled.rms(param, gradient, square, mean, buffer, numbers)
    return True


def lion(param: Array, gradient: Array, mean: Array, numbers: tuple[float, ...]) -> bool:
    """Take a step of Lion in place, and return whether a kernel does.

    Args:
        param: the parameter.
        gradient: its gradient.
        mean: the mean of gradients.
        numbers: how much of the parameter stays, β₁, 1 − β₁, β₂, 1 − β₂, γ.
    """
    if not _computes(param, gradient, mean):
        return False
    compiled.lion(param, gradient, mean, numbers)
    return True


def _computes(param: Array, *others: Array | None) -> bool:
    """Return whether there are kernels for arrays, all of one dtype; None stands for none."""
    if compiled is None or param.dtype.char not in "fd":
        return False
    arrays = [param, *(array for array in others if array is not None)]
    return all(array.dtype == param.dtype and array.flags.c_contiguous for array in arrays)

"""Exponential means, in place: the fields of a Config that weigh them, and their update."""

from __future__ import annotations

import numpy as np
from marshmallow import validate

from deltawire_optimizers.optimizer import Array
from deltawire_plugins import config


def betas_field(first: float, second: float, description: str) -> config.Numbers:
    """Return the field `betas`, two numbers from 0 to below 1.

    Args:
        first: default of the first.
        second: default of the second.
        description: what they are.
    """
    return config.Numbers(
        2,
        each=validate.Range(min=0, max=1, max_inclusive=False),
        load_default=lambda: [first, second],
        metadata={"description": description, "default": [first, second]},
    )


def mean_update(mean: Array, number: Array, beta: float, scratch: Array) -> None:
    """Set mean ← β mean + (1 − β) number.

    Args:
        mean: the mean, written to.
        number: what is averaged.
        beta: β.
        scratch: an array to compute in.
    """
    mean *= beta
    mean += np.multiply(number, 1 - beta, out=scratch)

"""Weight decay as an L2 penalty: its field in a Config, and the gradient with it."""

from __future__ import annotations

import numpy as np
from marshmallow import validate

from deltawire_optimizers.optimizer import Array
from deltawire_plugins import config


def weight_decay_field(default: float, description: str) -> config.Number:
    """Return the field `weight_decay`."""
    return config.Number(
        load_default=default, validate=validate.Range(min=0), metadata={"description": description}
    )


def decayed(gradient: Array, param: Array, weight_decay: float, out: Array) -> Array:
    """Return the gradient of the loss with (λ/2)·Σθ² added: g + λ θ.

    Args:
        gradient: g; returned as it is when nothing is added.
        param: θ.
        weight_decay: λ.
        out: where the sum is computed.
    """
    if not weight_decay:
        return gradient
    np.multiply(param, weight_decay, out=out)
    out += gradient
    return out

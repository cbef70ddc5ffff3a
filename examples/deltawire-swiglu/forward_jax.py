"""A recurrent layer, of which only the forward line is written, with jax.

Its entry point is `elman = "forward_jax:Elman"`.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from deltawire_layers import Parameter, Shape
from deltawire_layers.autodiff import from_jax
from deltawire_layers.initializers import fan_in


def parameters(x: Shape) -> dict[str, Parameter]:
    return {"weight": Parameter((8, x[-1]), fan_in(x[-1])), "recurrent": Parameter((8, 8), fan_in(8))}


def elman(params: dict[str, Any], x: Any) -> Any:
    """h_t = tanh(W x_t + U h_(t-1)), with x (time, n), W (8, n), U (8, 8), h (time, 8)."""

    def step(state: Any, now: Any) -> Any:
        state = jnp.tanh(now @ params["weight"].T + state @ params["recurrent"].T)
        return state, state

    start = jnp.zeros((len(x), 8), x.dtype)
    return jax.lax.scan(step, start, x.swapaxes(0, 1))[1].swapaxes(0, 1)


Elman = from_jax(elman, parameters=parameters)

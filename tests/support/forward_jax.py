"""Functions of jax that are layers, and the service with them: `support.forward_jax:app()`."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Flask
from support.layers import registry

from deltawire_layers import Layer, Parameter
from deltawire_layers.initializers import fan_in
from deltawire_service.app import create_app

SHAPES = {"jax_gelu": (3,), "jax_scan": (3, 2), "jax_table": (3,)}
"""The shape of an example, by kind."""

WIDTH = 2


def gelu(x: Any) -> Any:
    """y = x Φ(x)"""
    import jax

    return jax.nn.gelu(x, approximate=False)


def scan(params: dict[str, Any], x: Any) -> Any:
    """y_t = tanh(W x_t + U y_(t-1)), with x (time, n) and y (time, width)"""
    import jax
    import jax.numpy as jnp

    def step(state: Any, now: Any) -> Any:
        state = jnp.tanh(now @ params["weight"].T + state @ params["recurrent"].T)
        return state, state

    start = jnp.zeros((len(x), WIDTH), x.dtype)
    return jax.lax.scan(step, start, x.swapaxes(0, 1))[1].swapaxes(0, 1)


def scan_parameters(x: tuple[int, ...]) -> dict[str, Parameter]:
    """The parameters of `scan` for inputs of a shape."""
    return {
        "weight": Parameter((WIDTH, x[-1]), fan_in(x[-1])),
        "recurrent": Parameter((WIDTH, WIDTH), fan_in(WIDTH)),
    }


def table(params: dict[str, Any], index: Any) -> Any:
    """y = W[i]"""
    return params["weight"][index]


@cache
def layers() -> dict[str, type[Layer]]:
    """The kinds of layers."""
    from deltawire_layers.autodiff import from_jax

    rows = {"weight": Parameter((5, 2), fan_in(2))}
    return {
        "jax_gelu": from_jax(gelu),
        "jax_scan": from_jax(scan, parameters=scan_parameters),
        "jax_table": from_jax(table, parameters=rows, integers={0: range(5)}),
    }


def app() -> Flask:
    return create_app(layers=registry(**layers()))

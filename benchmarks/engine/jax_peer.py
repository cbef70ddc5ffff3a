"""jax on the processor: value_and_grad, compiled by jit before the time is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import numpy as jnp

from benchmarks.engine.cases import Arrays, Case, walk


def softmax_nll(scores: Any, labels: Any) -> Any:
    logs = jax.nn.log_softmax(scores)
    return -jnp.take_along_axis(logs, labels[:, None], axis=1)[:, 0]


OPERATIONS = {
    "linear": lambda x, weight, bias: x @ weight.T + bias,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "add": jnp.add,
    "multiply": jnp.multiply,
    "softmax_nll": softmax_nll,
    "squared_error": lambda x, y: ((x - y) ** 2).sum(axis=1),
}


def prepare(case: Case, dtype: str, threads: int) -> Callable[[Arrays, Arrays], tuple[float, Arrays]]:
    jax.config.update("jax_enable_x64", dtype == "float64")
    network = walk(case, OPERATIONS)

    def loss(params: Arrays, data: Arrays) -> Any:
        return network(params, data).mean()

    compiled = jax.jit(jax.value_and_grad(loss, argnums=0 if case.wrt == "params" else 1))

    def call(params: Arrays, data: Arrays) -> tuple[float, Arrays]:
        value, gradients = compiled(params, data)
        return float(value), {name: np.asarray(gradient) for name, gradient in gradients.items()}

    return call

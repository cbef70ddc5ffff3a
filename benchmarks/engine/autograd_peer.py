"""HIPS autograd: numpy, traced anew at every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd import numpy as anp
from autograd import value_and_grad
from autograd.scipy.special import logsumexp

from benchmarks.engine.cases import Arrays, Case, walk


def softmax_nll(scores: Any, labels: Any) -> Any:
    return logsumexp(scores, axis=1) - scores[anp.arange(len(labels)), labels]


OPERATIONS = {
    "linear": lambda x, weight, bias: anp.dot(x, weight.T) + bias,
    "sigmoid": lambda x: 1 / (1 + anp.exp(-x)),
    "tanh": anp.tanh,
    "add": anp.add,
    "multiply": anp.multiply,
    "softmax_nll": softmax_nll,
    "squared_error": lambda x, y: anp.sum((x - y) ** 2, axis=1),
}


def prepare(case: Case, dtype: str, threads: int) -> Callable[[Arrays, Arrays], tuple[float, Arrays]]:
    network = walk(case, OPERATIONS)

    def loss(params: Arrays, data: Arrays) -> Any:
        return anp.mean(network(params, data))

    compute = value_and_grad(loss, argnum=0 if case.wrt == "params" else 1)

    def call(params: Arrays, data: Arrays) -> tuple[float, Arrays]:
        value, gradients = compute(params, data)
        return float(value), gradients

    return call

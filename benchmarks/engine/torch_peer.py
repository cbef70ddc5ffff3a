"""torch, eager: numpy arrays come in without a copy, and go out without one."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional

from benchmarks.engine.cases import Arrays, Case, walk

OPERATIONS = {
    "linear": functional.linear,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "add": torch.add,
    "multiply": torch.mul,
    "softmax_nll": functional.cross_entropy,
    "squared_error": lambda x, y: functional.mse_loss(x, y, reduction="sum") / len(x),
}


def prepare(case: Case, dtype: str, threads: int) -> Callable[[Arrays, Arrays], tuple[float, Arrays]]:
    torch.set_num_threads(threads)
    network = walk(case, OPERATIONS)

    def call(params: Arrays, data: Arrays) -> tuple[float, Arrays]:
        inputs = {name: torch.from_numpy(array) for name, array in data.items()}
        tensors = {name: torch.from_numpy(array) for name, array in params.items()}
        leaves = tensors if case.wrt == "params" else inputs
        for leaf in leaves.values():
            leaf.requires_grad_()
        loss = network(tensors, inputs)
        if loss.ndim:
            loss = loss.mean()
        gradients = torch.autograd.grad(loss, list(leaves.values()))
        return loss.item(), {name: gradient.numpy() for name, gradient in zip(leaves, gradients, strict=True)}

    return call

"""A small classifier to train: its network, batches of it, and the same in torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltawire import Network
from deltawire.wire import Array


def classifier() -> Network:
    """x (4,) -> linear 8 -> tanh -> linear 3 -> softmax and negative log-likelihood of y."""
    net = Network()
    x, y = net.input("x", shape=(4,)), net.input("y", dtype="int64")
    active = net.layer("tanh", net.layer("linear", x, units=8, name="hidden"), name="active")
    scores = net.layer("linear", active, units=3, name="scores")
    net.loss = net.layer("softmax_nll", scores, y, name="loss")
    return net


def batch(seed: int, size: int = 5, dtype: Any = np.float64) -> dict[str, Array]:
    numbers = np.random.default_rng(seed)
    return {"x": numbers.normal(size=(size, 4)).astype(dtype), "y": numbers.integers(0, 3, size)}


def in_torch(params: dict[str, Array]) -> Any:
    """The classifier as a module of torch, from x to the scores, with these parameters."""
    import torch

    class Classifier(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.scores = torch.nn.Linear(4, 8), torch.nn.Linear(8, 3)

        def forward(self, x: Any) -> Any:
            return self.scores(torch.tanh(self.hidden(x)))

    module = Classifier().to(torch.float64)
    module.load_state_dict({name: torch.tensor(array) for name, array in params.items()})
    return module


def train_in_torch(
    params: dict[str, Array], optimizer: Any, steps: int
) -> tuple[list[float], dict[str, Array]]:
    """Train on the batches of seeds 0, 1, …; return the losses before each step, and the parameters.

    optimizer: makes one of torch for parameters.
    """
    import torch

    module = in_torch(params)
    made, losses = optimizer(module.parameters()), []
    for seed in range(steps):
        made.zero_grad()
        data = batch(seed)
        loss = torch.nn.functional.cross_entropy(module(torch.tensor(data["x"])), torch.tensor(data["y"]))
        loss.backward()
        made.step()
        losses.append(float(loss.detach()))
    return losses, {name: tensor.numpy() for name, tensor in module.state_dict().items()}

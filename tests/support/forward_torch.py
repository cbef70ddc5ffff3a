"""Modules of torch that are layers, and the service with them: `support.forward_torch:app()`."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Flask
from support.layers import registry

from deltawire_layers import Layer
from deltawire_service.app import create_app

SHAPES = {
    "torch_gelu": (4,),
    "torch_mlp": (3,),
    "torch_drawn_mlp": (2, 3),
    "torch_conv": (1, 4, 4),
    "torch_lstm": (3, 2),
    "torch_encoder": (3, 4),
    "torch_normed": (3,),
}
"""The shape of an example, by kind."""


@cache
def modules() -> dict[str, Any]:
    """The modules by kind; the numbers of their parameters are the same in every process."""
    import torch
    from torch import nn

    with torch.random.fork_rng():
        torch.manual_seed(0)
        normed = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
        normed[1].running_mean.copy_(torch.tensor([0.25, -0.5]))  # as training would, in every process
        normed[1].running_var.copy_(torch.tensor([0.5, 2.0]))
        return {
            "torch_gelu": nn.GELU(),
            "torch_mlp": nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)),
            "torch_conv": nn.Sequential(
                nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)
            ),
            "torch_lstm": nn.LSTM(2, 2, batch_first=True),
            "torch_encoder": nn.TransformerEncoderLayer(4, 2, 4, dropout=0.0, batch_first=True),
            "torch_normed": normed.eval(),
        }


def new_mlp(x: tuple[int, ...]) -> Any:
    """y = W₂ relu(W₁ x + b₁) + b₂"""
    from torch import nn

    return nn.Sequential(nn.Linear(x[-1], 4), nn.ReLU(), nn.Linear(4, 2))


@cache
def layers() -> dict[str, type[Layer]]:
    """The kinds of layers."""
    from deltawire_layers.autodiff import from_torch

    picked = {"torch_lstm": {"value": first}}
    made = {kind: from_torch(module, **picked.get(kind, {})) for kind, module in modules().items()}
    return made | {"torch_drawn_mlp": from_torch(new_mlp)}


def first(result: Any) -> Any:
    """The states of an LSTM, without the last ones again."""
    return result[0]


def app() -> Flask:
    return create_app(layers=registry(**layers()))

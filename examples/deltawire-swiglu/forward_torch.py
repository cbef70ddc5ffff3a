"""Layers that are modules of torch."""

from __future__ import annotations

from marshmallow import Schema
from torch import nn

from deltawire_layers import Shape, config
from deltawire_layers.autodiff import TorchLayer, from_torch

Encoder = from_torch(
    nn.TransformerEncoderLayer(8, nhead=2, dim_feedforward=16, dropout=0.0, batch_first=True),
    formula="y = encoder(x), with x and y (places, 8)",
)


class Mixer(TorchLayer):
    """y = W₂ gelu(W₁ x + b₁) + b₂ over the last axis, with x (..., n), W₁ (hidden, n), y (..., n)."""

    class Config(Schema):
        hidden = config.Integer(required=True, metadata={"description": "numbers between"})

    hidden: int

    def module(self, x: Shape) -> nn.Module:
        return nn.Sequential(nn.Linear(x[-1], self.hidden), nn.GELU(), nn.Linear(self.hidden, x[-1]))

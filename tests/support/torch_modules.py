"""Modules of torch to import, and functions no layer stands for. Imported by tests that have torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Encoder(nn.Module):
    """Tied embeddings, a position for each word, attention, skip connections: the words and their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(11, 8)
        self.position = nn.Parameter(torch.randn(1, 6, 8))
        self.before = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.after = nn.LayerNorm(8)
        self.feed = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))
        self.scores = nn.Linear(8, 11, bias=False)
        self.scores.weight = self.words.weight

    def forward(self, index: Tensor) -> tuple[Tensor, Tensor]:
        x = self.words(index) * 8**0.5 + self.position
        h = self.before(x)
        x = x + self.attention(h, h, h, need_weights=False)[0]
        x = x + self.feed(self.after(x))
        return self.scores(x), x.mean(1)


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 4, 2, batch_first=True)
        self.gru = nn.GRU(4, 4, batch_first=True)
        self.rnn = nn.RNN(4, 5, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        x, _ = self.lstm(x)
        x, _ = self.gru(x)
        x, _ = self.rnn(x)
        return x[:, -1]


class Siamese(nn.Module):
    """One module called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = nn.Sequential(nn.Linear(4, 3), nn.Tanh())

    def forward(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        a, b = self.tower(a), self.tower(b)
        return {"match": (a * b).sum(-1), "apart": (a - b).square().sum(dim=1, keepdim=True)}


class Functions(nn.Module):
    """Functions and methods instead of modules, and parameters of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.conv = nn.Conv2d(1, 2, 3, padding="same")
        self.norm = nn.BatchNorm2d(2)
        self.W = nn.Parameter(torch.randn(4, 3))
        self.gain = nn.Parameter(torch.randn(6, 4))
        self.offset = nn.Parameter(torch.randn(6, 4))
        self.register_buffer("middle", torch.full((4,), 0.5))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        q, k, v = self.first(x), x * self.gain, F.relu(x) + self.offset
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        y = F.layer_norm(y, (4,)) - self.middle
        image = F.avg_pool2d(self.norm(self.conv(y.unsqueeze(1))).relu(), 2)
        first, second = x.transpose(1, 2).chunk(2, 1)
        return (
            y @ self.W, image.mean((2, 3)), y.softmax(1), torch.cat([y[:, 0], y[:, -1]], 1),
            y.reshape(y.size(0), -1), y[..., 1:3], torch.stack([q, k], 2).amax((1, 2)), first @ second.mT,
            y.permute(0, 2, 1), 1 - F.silu(x), -torch.exp(x).log(), F.softplus(x).sqrt() / 3,
            F.elu(x) + F.leaky_relu(x, 0.3),
            torch.maximum(q, k).pow(2), F.gelu(x), F.log_softmax(x, -1), torch.rsqrt(x * x + 1).reciprocal(),
        )  # fmt: skip


class Untraceable(Functions):
    """A forward that torch.fx cannot follow, and torch.export can."""

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        if x.shape[1] > 3:
            return super().forward(x)
        raise AssertionError("never reached: examples have 6 rows")


def image_classifier() -> nn.Module:
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, groups=2), nn.GroupNorm(2, 8), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Dropout(), nn.Linear(8, 4), nn.LogSoftmax(-1),
    )  # fmt: skip
    module(3 * torch.randn(16, 3, 8, 8) + 1)  # running statistics that are not 0 and 1
    return module


def plain() -> nn.Module:
    return nn.Sequential(
        nn.Linear(4, 5), nn.Softplus(), nn.RMSNorm(5), nn.Linear(5, 6), nn.ELU(), nn.Unflatten(1, (2, 3)),
        nn.Conv1d(2, 4, 2), nn.LeakyReLU(0.2), nn.Flatten(), nn.Softmax(-1),
    )  # fmt: skip


MODULES: dict[str, tuple[Callable[[], nn.Module], Callable[[], tuple[Tensor, ...]]]] = {
    "plain": (plain, lambda: (torch.randn(2, 4),)),
    "image classifier": (image_classifier, lambda: (torch.randn(2, 3, 8, 8),)),
    "encoder": (Encoder, lambda: (torch.randint(0, 11, (3, 6)),)),
    "recurrent": (Recurrent, lambda: (torch.randn(2, 6, 3),)),
    "transformer": (
        lambda: nn.Sequential(
            nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2, nn.LayerNorm(8)),
            nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, norm_first=True, activation="gelu"),
        ),
        lambda: (torch.randn(2, 5, 8),),
    ),
    "siamese": (Siamese, lambda: (torch.randn(3, 4), torch.randn(3, 4))),
    "functions": (Functions, lambda: (torch.randn(2, 6, 4),)),
    "untraceable": (Untraceable, lambda: (torch.randn(2, 6, 4),)),
}


class Parts(nn.Module):
    """What the functions below have at hand."""

    def __init__(self, function: Callable[[Any, Tensor], Any]) -> None:
        super().__init__()
        self.function = function
        self.weight = nn.Parameter(torch.randn(4))
        self.token = nn.Parameter(torch.randn(1, 1, 2))
        self.linear = nn.Linear(4, 4)
        self.volume = nn.Conv3d(1, 1, 1)
        self.one_way = nn.GRU(2, 2, batch_first=True)
        self.time_first = nn.GRU(2, 2)
        self.padded = nn.Embedding(5, 4, padding_idx=0)
        self.mirrored = nn.Conv1d(1, 1, 3, padding=1, padding_mode="reflect")

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


def overwritten(own: Any, x: Tensor) -> Tensor:
    y = own.linear(x)
    z = y.view(-1, 2, 2)
    y.relu_()
    return z + 1  # the relu shows through the view


INEXPRESSIBLE: dict[str, tuple[Callable[[Any, Tensor], Any], str]] = {
    "a module": (lambda own, x: own.volume(x.view(-1, 1, 1, 1, 4)), "volume (conv3d): no layer does this"),
    "two functions": (
        lambda own, x: x.cumprod(1) + x.erfinv(),
        "cumprod (cumprod): no layer does this; erfinv",
    ),
    "the batch's mean": (lambda own, x: x - x.mean(0), "mean (mean): works along the batch"),
    "a softmax over it": (lambda own, x: x.softmax(0), "softmax (softmax): works along the batch"),
    "its size": (lambda own, x: x * x.size(0), "mul (mul): computes with the number of examples"),
    "no batch": (lambda own, x: x.view(-1), "the output: its leading axis joins the batch"),
    "an example": (lambda own, x: x[0:1].expand(x.size(0), 4), "takes some of the examples"),
    "an input": (lambda own, x: x, "the output: is no node's value"),
    "a parameter's": (
        lambda own, x: own.linear(x.view(-1, 2, 4 // 2).repeat(1, 1, 2)) * own.weight,
        "repeat (repeat): no layer does this",
    ),
    "of a parameter": (
        lambda own, x: own.linear(x) * own.weight.erfinv(),
        "erfinv (erfinv): no layer does this",
    ),
    "what was overwritten": (overwritten, "takes view, which was changed in place"),
    "chance": (lambda own, x: F.dropout(x), "gives other numbers each time"),
    "time first": (lambda own, x: own.time_first(x.view(-1, 2, 2))[0], "expected batch_first=True"),
    "a padding row": (lambda own, x: own.padded((x > 0).long()), "gt (gt): no layer does this"),
    "an argument": (lambda own, x: F.avg_pool2d(x.view(-1, 1, 2, 2), 2, None, 0, True, True, 3), "divisor"),
    "a last state": (
        lambda own, x: own.one_way(x.view(-1, 2, 2))[1] + 1,
        "the last state of one_way (GRU) is no value",
    ),
}

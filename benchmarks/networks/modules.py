"""Whole networks as torch modules, in their usual form: small ones of each family."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


def normed(inner: int, outer: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Return a convolution with a batch norm behind it."""
    convolution = nn.Conv2d(inner, outer, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outer))


class BasicBlock(nn.Module):
    """Two convolutions with a skip connection (He et al., arXiv:1512.03385)."""

    def __init__(self, inner: int, outer: int, stride: int):
        super().__init__()
        self.first, self.second = normed(inner, outer, 3, stride), normed(outer, outer, 3)
        self.skip = nn.Identity() if inner == outer and stride == 1 else normed(inner, outer, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.second(functional.relu(self.first(x))) + self.skip(x))


def resnet18() -> nn.Module:
    blocks = [
        BasicBlock(inner, outer, stride)
        for inner, outer, first in ((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2))
        for inner, stride in ((inner, first), (outer, 1))
    ]
    stem = [normed(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))


class InvertedResidual(nn.Module):
    """A depthwise convolution between two of single places (Sandler et al., arXiv:1801.04381)."""

    def __init__(self, inner: int, outer: int, stride: int, factor: int):
        super().__init__()
        wide = inner * factor
        wider = [normed(inner, wide, 1), nn.ReLU6()] if factor > 1 else []
        self.steps = nn.Sequential(
            *wider, normed(wide, wide, 3, stride, groups=wide), nn.ReLU6(), normed(wide, outer, 1)
        )
        self.skips = inner == outer and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        return x + self.steps(x) if self.skips else self.steps(x)


def mobilenet_v2() -> nn.Module:
    stages = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2))
    blocks, inner = list[nn.Module](), 32
    for factor, outer, count, first in (*stages, (6, 320, 1, 1)):
        for place in range(count):
            blocks.append(InvertedResidual(inner, outer, 1 if place else first, factor))
            inner = outer
    ends = [normed(320, 1280, 1), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000)]
    return nn.Sequential(normed(3, 32, 3, 2), nn.ReLU6(), *blocks, *ends)


class Block(nn.Module):
    """A block of GPT-2: causal attention and a network of two layers, each behind a norm."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.project, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, places, width = x.shape
        q, k, v = (
            part.view(batch, places, self.heads, width // self.heads).transpose(1, 2)
            for part in self.project(self.first(x)).split(width, 2)
        )
        seen = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.join(seen.transpose(1, 2).reshape(batch, places, width))
        return x + self.narrow(functional.gelu(self.wide(self.second(x)), approximate="tanh"))


class Gpt2(nn.Module):
    """GPT-2 of some layers (Radford et al., 2019)."""

    def __init__(self, words: int = 4096, width: int = 256, layers: int = 4, places: int = 128):
        super().__init__()
        self.words, self.places = nn.Embedding(words, width), nn.Parameter(0.01 * torch.randn(places, width))
        self.blocks = nn.Sequential(*(Block(width, heads=4) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, words, bias=False)

    def forward(self, index: Tensor) -> Tensor:
        scores: Tensor = self.head(self.norm(self.blocks(self.words(index) + self.places)))
        return scores


class LstmLanguageModel(nn.Module):
    """Two LSTM layers that predict the next word."""

    def __init__(self, words: int = 4096, width: int = 256):
        super().__init__()
        self.words = nn.Embedding(words, width)
        self.lstm = nn.LSTM(width, width, num_layers=2, batch_first=True)
        self.head = nn.Linear(width, words)

    def forward(self, index: Tensor) -> Tensor:
        scores: Tensor = self.head(self.lstm(self.words(index))[0])
        return scores


class Network(NamedTuple):
    """A module, and the batch that it is measured with."""

    make: Callable[[], nn.Module]
    batch: int
    example: tuple[int, ...]
    classes: int
    words: int = 0
    """What its inputs count up to, where they are words."""

    @property
    def labels(self) -> tuple[int, ...]:
        """The shape of an example's labels: one, or one for each word."""
        return self.example if self.words else ()


NETWORKS = {
    "ResNet-18, batch 2, 64²": Network(resnet18, 2, (3, 64, 64), 1000),
    "ResNet-18, batch 8, 224²": Network(resnet18, 8, (3, 224, 224), 1000),
    "MobileNetV2, batch 8, 96²": Network(mobilenet_v2, 8, (3, 96, 96), 1000),
    "GPT-2, 4 layers, batch 2": Network(Gpt2, 2, (128,), 4096, 4096),
    "LSTM language model, batch 8": Network(LstmLanguageModel, 8, (64,), 4096, 4096),
}

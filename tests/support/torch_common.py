"""torch's modules and functions, one by one and with odd arguments, tried on the importer.

Each case is one line of code, and its own name in the list of what is imported rightly: a module, or an
expression in x, the input, and own, a module with parameters.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np  # noqa: F401 (the cases use it)
import torch
from support import torch_modules
from support.torch_difference import difference
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: F401 (the cases use it)

from deltawire import Client, DeltawireError
from deltawire.importers.torch_fx import from_torch

INPUTS = {
    "vector": lambda: torch.randn(3, 4),
    "positive": lambda: torch.rand(3, 4) + 0.5,
    "matrix": lambda: torch.randn(3, 2, 6),
    "sequence": lambda: torch.randn(3, 5, 4),
    "line": lambda: torch.randn(3, 4, 8),
    "image": lambda: torch.randn(3, 4, 6, 6),
    "volume": lambda: torch.randn(3, 2, 4, 4, 4),
    "indices": lambda: torch.randint(0, 4, (3, 5)),
}

MODULES = {
    "vector": """
        nn.Linear(4, 3)
        nn.Linear(4, 3, bias=False)
        nn.Linear(4, 4, dtype=torch.float64)
        nn.LazyLinear(3)
        nn.Identity()
        nn.Bilinear(4, 4, 3)
        nn.ReLU()
        nn.ReLU(inplace=True)
        nn.ReLU6()
        nn.ELU()
        nn.ELU(0.5)
        nn.ELU(0.5, inplace=True)
        nn.CELU()
        nn.SELU()
        nn.GELU()
        nn.GELU("tanh")
        nn.GELU(approximate="none")
        nn.GLU()
        nn.Hardshrink()
        nn.Hardsigmoid()
        nn.Hardswish()
        nn.Hardtanh()
        nn.LeakyReLU()
        nn.LeakyReLU(0.3)
        nn.LeakyReLU(0.3, inplace=True)
        nn.LogSigmoid()
        nn.Mish()
        nn.PReLU()
        nn.PReLU(4)
        nn.RReLU()
        nn.SiLU()
        nn.SiLU(inplace=True)
        nn.Sigmoid()
        nn.Softplus()
        nn.Softplus(2)
        nn.Softplus(1, 30)
        nn.Softplus(1, 1)
        nn.Softshrink()
        nn.Softsign()
        nn.Tanh()
        nn.Tanhshrink()
        nn.Threshold(0.1, 2.0)
        nn.Softmax()
        nn.Softmax(-1)
        nn.Softmax(1)
        nn.Softmax(0)
        nn.Softmin(1)
        nn.LogSoftmax(1)
        nn.LogSoftmax(-1)
        nn.Dropout()
        nn.Dropout(0.9, inplace=True)
        nn.AlphaDropout()
        nn.FeatureAlphaDropout()
        nn.LayerNorm(4)
        nn.LayerNorm([4])
        nn.LayerNorm(4, eps=0.1)
        nn.LayerNorm(4, bias=False)
        nn.LayerNorm(4, elementwise_affine=False)
        nn.RMSNorm(4)
        nn.RMSNorm(4, eps=0.1)
        nn.RMSNorm(4, elementwise_affine=False)
        nn.BatchNorm1d(4)
        nn.BatchNorm1d(4, eps=0.1, momentum=None)
        nn.BatchNorm1d(4, affine=False)
        nn.BatchNorm1d(4, track_running_stats=False)
        nn.SyncBatchNorm(4)
        nn.GroupNorm(2, 4)
        nn.GroupNorm(2, 4, affine=False)
        nn.GroupNorm(4, 4, eps=0.1)
        nn.CrossMapLRN2d(2)
        nn.Flatten()
        nn.Flatten(0)
        nn.Unflatten(1, (2, 2))
        nn.Unflatten(1, (2, -1))
        nn.Unflatten(-1, [4, 1])
        nn.Sequential(nn.Linear(4, 6), nn.Unflatten(1, (2, 3)), nn.Flatten(1, 2))
        nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 4), nn.ReLU()))
        nn.utils.parametrizations.weight_norm(nn.Linear(4, 3))
        nn.utils.parametrizations.spectral_norm(nn.Linear(4, 3))
        nn.utils.parametrizations.orthogonal(nn.Linear(4, 4))
        nn.utils.weight_norm(nn.Linear(4, 3))
        nn.utils.spectral_norm(nn.Linear(4, 3))
        nn.Linear(4, 3).requires_grad_(False)
        nn.Sequential(nn.Linear(4, 3).requires_grad_(False), nn.Linear(3, 2))
        nn.Linear(4, 3).train()
        nn.ChannelShuffle(2)
    """,
    "positive": "nn.Softplus()",
    "matrix": """
        nn.Flatten()
        nn.Flatten(2)
        nn.Flatten(1, -2)
        nn.Linear(6, 3)
        nn.Softmax(1)
        nn.Softmax(-2)
        nn.LogSoftmax(1)
        nn.LayerNorm(6)
        nn.LayerNorm((2, 6))
        nn.RMSNorm((2, 6))
        nn.GroupNorm(2, 2)
        nn.GroupNorm(1, 2)
        nn.BatchNorm1d(2)
        nn.InstanceNorm1d(2)
        nn.InstanceNorm1d(2, affine=True)
        nn.Bilinear(6, 6, 3)
        nn.Dropout1d()
        nn.ConstantPad1d(1, 2.0)
        nn.ZeroPad1d(1)
        nn.ReflectionPad1d(1)
    """,
    "sequence": """
        nn.RNN(4, 3, batch_first=True)
        nn.RNN(4, 3, 2, batch_first=True)
        nn.RNN(4, 3, nonlinearity="relu", batch_first=True)
        nn.RNN(4, 3, bias=False, batch_first=True)
        nn.RNN(4, 3)
        nn.GRU(4, 3, batch_first=True)
        nn.GRU(4, 3, 2, batch_first=True, dropout=0.5)
        nn.GRU(4, 3, batch_first=True, bidirectional=True)
        nn.LSTM(4, 3, batch_first=True)
        nn.LSTM(4, 3, 2, batch_first=True)
        nn.LSTM(4, 3, batch_first=True, proj_size=2)
        nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
        nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, norm_first=True)
        nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, activation="gelu")
        nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, activation=F.gelu)
        nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, activation=torch.tanh)
        nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, bias=False)
        nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, layer_norm_eps=0.1)
        nn.TransformerEncoderLayer(4, 2, 8)
        nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), 2)
        nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), 1, nn.LayerNorm(4))
        nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), 1, nn.RMSNorm(4))
        nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, batch_first=True), 1, nn.LayerNorm(4, 0.1))
    """,
    "line": """
        nn.Conv1d(4, 3, 2)
        nn.Conv1d(4, 3, 2, bias=False)
        nn.Conv1d(4, 4, 3, stride=2, padding=1, dilation=2, groups=2)
        nn.Conv1d(4, 3, 3, padding="same")
        nn.Conv1d(4, 3, 2, padding="same")
        nn.Conv1d(4, 3, 3, padding="valid")
        nn.Conv1d(4, 3, 3, padding=1, padding_mode="circular")
        nn.ConvTranspose1d(4, 3, 2)
        nn.MaxPool1d(2)
        nn.AvgPool1d(2)
        nn.LPPool1d(2, 2)
        nn.AdaptiveAvgPool1d(2)
        nn.AdaptiveMaxPool1d(2)
        nn.BatchNorm1d(4)
        nn.GroupNorm(2, 4)
        nn.Upsample(scale_factor=2)
        nn.Sequential(nn.Conv1d(4, 3, 2), nn.BatchNorm1d(3), nn.ReLU(), nn.Flatten(), nn.Linear(21, 2))
    """,
    "image": """
        nn.Conv2d(4, 3, 3)
        nn.Conv2d(4, 3, (3, 2), stride=(2, 1), padding=(1, 0))
        nn.Conv2d(4, 4, 3, groups=4, bias=False)
        nn.Conv2d(4, 4, 3, dilation=2, padding="same")
        nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect")
        nn.Conv2d(4, 4, 3, padding=1, padding_mode="replicate")
        nn.Conv2d(4, 3, 3).to(memory_format=torch.channels_last)
        nn.ConvTranspose2d(4, 3, 2)
        nn.LazyConv2d(3, 2)
        nn.MaxPool2d(2)
        nn.MaxPool2d((3, 2), stride=(1, 2), padding=(1, 0))
        nn.MaxPool2d(2, dilation=2)
        nn.MaxPool2d(4, ceil_mode=True)
        nn.MaxPool2d(2, ceil_mode=True)
        nn.MaxPool2d(2, return_indices=True)
        nn.AvgPool2d(2)
        nn.AvgPool2d(3, 1, 1)
        nn.AvgPool2d(3, 1, 1, count_include_pad=False)
        nn.AvgPool2d(2, divisor_override=3)
        nn.AvgPool2d(4, ceil_mode=True)
        nn.AdaptiveAvgPool2d(1)
        nn.AdaptiveAvgPool2d((3, 2))
        nn.AdaptiveAvgPool2d((None, 2))
        nn.AdaptiveAvgPool2d(4)
        nn.AdaptiveMaxPool2d(2)
        nn.AdaptiveMaxPool2d(2, return_indices=True)
        nn.LPPool2d(2, 2)
        nn.FractionalMaxPool2d(2, output_size=3)
        nn.BatchNorm2d(4)
        nn.BatchNorm2d(4, affine=False)
        nn.InstanceNorm2d(4)
        nn.InstanceNorm2d(4, affine=True, track_running_stats=True)
        nn.GroupNorm(2, 4)
        nn.LayerNorm([4, 6, 6])
        nn.LayerNorm(6)
        nn.LocalResponseNorm(2)
        nn.Dropout2d()
        nn.PixelShuffle(2)
        nn.PixelUnshuffle(2)
        nn.ChannelShuffle(2)
        nn.Upsample(scale_factor=2)
        nn.UpsamplingBilinear2d(scale_factor=2)
        nn.ZeroPad2d(1)
        nn.ReflectionPad2d(1)
        nn.Softmax2d()
        nn.Unfold(2)
        nn.Flatten()
        nn.Softmax(1)
        nn.PReLU(4)
        nn.Sequential(nn.Conv2d(4, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    """,
    "volume": """
        nn.Conv3d(2, 3, 2)
        nn.MaxPool3d(2)
        nn.AvgPool3d(2)
        nn.BatchNorm3d(2)
        nn.GroupNorm(2, 2)
        nn.Dropout3d()
        nn.ReLU()
    """,
    "indices": """
        nn.Embedding(4, 3)
        nn.Embedding(6, 3)
        nn.Embedding(4, 3, padding_idx=0)
        nn.Embedding(4, 3, max_norm=1.0)
        nn.Embedding(4, 3, scale_grad_by_freq=True)
        nn.Embedding(4, 3, sparse=True)
        nn.Embedding.from_pretrained(torch.ones(4, 3))
        nn.EmbeddingBag(4, 3)
        nn.Sequential(nn.Embedding(4, 3), nn.Flatten(), nn.Linear(15, 2))
    """,
}

FUNCTIONS = {
    "vector": """
        x + 1
        1 + x
        x + x
        x - 1
        1 - x
        x * 2
        2 * x
        x / 2
        2 / x
        x ** 2
        x ** 3.0
        x ** 0.5
        2 ** x
        -x
        x // 2
        x % 2
        x @ own.square
        x @ own.tall
        own.square @ x.mT
        x + own.weight
        own.weight + x
        x * own.weight
        x - own.weight
        own.weight - x
        x / own.weight
        x + own.scalar
        x * own.scalar
        x + own.middle
        x * own.middle
        x - own.middle
        x / own.middle
        x + own.row
        x + own.frozen
        x * own.frozen
        x - own.frozen
        x + torch.ones(4)
        x * torch.tensor(0.5)
        x + torch.arange(4)
        x + torch.arange(4.0)
        x * torch.tensor([True, False, True, False])
        x + torch.zeros_like(x)
        x + torch.rand(4)
        x + torch.randn_like(x)
        x * torch.bernoulli(torch.full((4,), 0.5))
        x + np.ones(4, np.float32)
        F.linear(x, own.square)
        F.linear(x, own.tall.mT)
        F.linear(x, own.square, own.weight)
        F.linear(x, own.buffer)
        F.linear(x, weight=own.square, bias=own.middle)
        torch.addmm(own.weight, x, own.square)
        torch.mm(x, own.square)
        torch.matmul(x, own.square)
        torch.einsum("bi,ij->bj", x, own.square)
        torch.add(x, x, alpha=2)
        torch.add(x, 1)
        torch.add(input=x, other=x)
        torch.sub(x, 1, alpha=1)
        torch.sub(x, x, alpha=3)
        torch.rsub(x, 1)
        torch.mul(x, x)
        torch.multiply(x, 3)
        torch.div(x, 3)
        torch.div(x, 0.7, rounding_mode=None)
        torch.div(x, 0.7, rounding_mode="floor")
        torch.div(x, 0.7, rounding_mode="trunc")
        x.div(0.7, rounding_mode="floor")
        torch.true_divide(x, 2)
        torch.floor_divide(x, 2)
        torch.pow(x, 2)
        torch.pow(x, torch.tensor(2.0))
        x.pow(3)
        x.square()
        torch.square(x)
        torch.neg(x)
        torch.exp(x)
        x.exp()
        torch.expm1(x)
        torch.sin(x)
        torch.abs(x)
        x.abs()
        torch.sign(x)
        x.clamp(-1, 1)
        x.clamp(min=0)
        torch.sigmoid(x)
        x.sigmoid()
        torch.tanh(x)
        x.tanh()
        torch.erf(x)
        torch.relu(x)
        F.relu(x)
        F.relu(x, inplace=True)
        x.relu()
        F.relu6(x)
        F.elu(x, 0.5)
        F.elu(x, alpha=0.5, inplace=True)
        F.selu(x)
        F.gelu(x)
        F.gelu(x, approximate="tanh")
        F.silu(x)
        F.mish(x)
        F.softplus(x)
        F.softplus(x, beta=2)
        F.softplus(x, threshold=16)
        F.leaky_relu(x, 0.2)
        F.leaky_relu(x, negative_slope=0.2, inplace=True)
        F.logsigmoid(x)
        F.hardtanh(x)
        F.prelu(x, own.scalar)
        F.threshold(x, 0.1, 2.0)
        F.softmax(x, -1)
        F.softmax(x, dim=1)
        F.softmax(x, 1, dtype=torch.float32)
        F.softmax(x, 1, dtype=torch.float64)
        F.log_softmax(x, 1)
        F.log_softmax(x, -1, dtype=torch.float64)
        x.softmax(1)
        x.softmax(-1, torch.float64)
        torch.softmax(x, 1, torch.float64)
        torch.softmax(x, dim=1)
        F.softmin(x, 1)
        F.dropout(x)
        F.dropout(x, 0.5, False)
        F.dropout(x, p=0.0)
        F.dropout(x, training=own.training)
        F.normalize(x)
        F.layer_norm(x, (4,))
        F.layer_norm(x, (4,), own.weight, own.shift)
        F.layer_norm(x, (4,), own.weight)
        F.layer_norm(x, (4,), own.middle, own.middle)
        F.layer_norm(x, (4,), own.weight, own.weight)
        F.layer_norm(x, [4], eps=0.1)
        F.rms_norm(x, (4,))
        F.rms_norm(x, (4,), own.weight, 0.1)
        F.batch_norm(x, own.middle, own.spread)
        F.batch_norm(x, own.middle, own.spread, own.weight, own.shift, eps=0.1)
        F.batch_norm(x, None, None, training=True)
        F.group_norm(x, 2)
        F.group_norm(x, 2, own.weight, own.shift)
        x.view(-1, 2, 2)
        x.view(x.size(0), 2, 2)
        x.view(torch.int32)
        x.reshape(-1, 2, 2)
        x.reshape(x.shape[0], -1)
        x.reshape((-1, 4, 1))
        x.flatten()
        x.flatten(1)
        torch.flatten(x, start_dim=1)
        x.unsqueeze(1)
        x.unsqueeze(-1)
        x[:, None]
        x[..., None]
        x[:, 1]
        x[:, -1]
        x[:, 1:3]
        x[:, :-1]
        x[:, ::2]
        x[:, [0, 2]]
        x[:, torch.tensor([0, 2])]
        x[:, own.places]
        x[0]
        x[1:]
        x[x > 0]
        x.select(1, 2)
        x.narrow(1, 1, 2)
        x.chunk(2, 1)
        x.chunk(3, 1)
        x.chunk(2, dim=-1)[1]
        x.split(2, 1)
        x.split([1, 3], 1)
        torch.split(x, 3, dim=1)
        torch.tensor_split(x, 2, 1)
        torch.unbind(x, 1)
        torch.cat([x, x], 1)
        torch.cat([x, x], dim=-1)
        torch.cat((x, x))
        torch.cat([x, x, x * 2], axis=1)
        torch.stack([x, x], 1)
        torch.stack([x, x], -1)
        torch.stack([x, x])
        torch.hstack([x, x])
        x.sum(1)
        x.sum(1, keepdim=True)
        x.sum(-1, True)
        x.sum()
        x.sum(0)
        x.sum(1, dtype=torch.float64)
        x.sum(dim=(1,))
        torch.sum(x, 1)
        x.mean(1)
        x.mean(1, keepdim=True)
        x.mean()
        x.mean(1, dtype=torch.float64)
        torch.mean(x, dim=-1)
        x.amax(1)
        x.amax(1, keepdim=True)
        x.amin(1)
        x.max(1)
        x.max(1).values
        x.max(1)[0]
        x.max(1).indices
        x.min(1)[0]
        x.argmax(1)
        x.logsumexp(1)
        x.var(1)
        x.std(1)
        x.norm(dim=1)
        x.prod(1)
        x.cumsum(1)
        x.flip(1)
        x.roll(1, 1)
        x.repeat(1, 2)
        x.tile(2)
        x.expand(-1, 4)
        x.unsqueeze(1).expand(-1, 3, -1)
        x.transpose(0, 1)
        x.t()
        x.T
        x.contiguous()
        x.contiguous() + 1
        x.clone() * 2
        x.detach() * 2
        x.float() * 2
        x.double() * 2
        x.half().float()
        x.to(torch.float32) * 2
        x.to(torch.float64) * 2
        x.type_as(own.weight) * 2
        x.long() * 2
        (x * 3j).real
        x * 3j
        torch.complex(x, x).abs()
        torch.where(x > 0, x, 0.0)
        x * (x > 0)
        torch.maximum(x, x * 2)
        torch.minimum(x, own.middle)
        torch.maximum(x, own.weight)
        x.maximum(torch.zeros(4))
        torch.max(x, x * 2)
        torch.lerp(x, x * 2, 0.5)
        torch.addcmul(x, x, x)
        torch.clone(x) + 1
        x.add_(1)
        x.mul_(2)
        x.exp_()
        x.relu_()
        x.clone().fill_(1)
        x.masked_fill(x > 0, 0.0)
        x.dim() * x
        x.size(1) * x
        x * x.shape[-1]
        x * x.size(0)
        x * len(x)
        x * x.ndim
        x.new_ones(4) + x
        x.new_zeros(x.shape[1]) + x
        x + torch.ones(x.shape[1], dtype=x.dtype)
        own.linear(x)
        own.linear(own.linear(x))
        own.linear(x) @ own.linear.weight
        F.linear(own.linear(x), own.linear.weight)
        own.linear(x) + own.linear.bias
        x @ own.linear.weight.mT
        own.positions(torch.arange(4)).mean(1) + x
        x.unsqueeze(1) * own.positions(own.places)
        x.unsqueeze(1) + own.positions(torch.arange(2))
        x.unsqueeze(1).repeat(1, 4, 1) + own.positions(torch.arange(4))
        x.view(-1, 1, 4) * own.positions.weight[:1]
        own.tower(x)
        own.bn(x)
        {"a": x + 1, "b": x * 2}
        (x + 1, x * 2)
        [x + 1, (x * 2, x * 3)]
        {"a": {"b": x + 1}}
        (x + 1, None)
        x.relu() if x.shape[1] == 4 else x
        x.relu() if x.sum() > 0 else x
        torch.no_grad()(lambda: own.linear(x))()
    """,
    "positive": """
        torch.log(x)
        x.log()
        torch.sqrt(x)
        x.sqrt()
        torch.rsqrt(x)
        x.rsqrt()
        torch.reciprocal(x)
        x.reciprocal()
        x.log2()
        x.log1p()
        x ** -1
        x ** 1.5
        1 / x
        x.pow(-0.5)
        x / x
        (x * x).sqrt()
    """,
    "matrix": """
        x.transpose(1, 2)
        x.mT
        x.permute(0, 2, 1)
        x.permute((0, 2, 1))
        torch.permute(x, (0, 2, 1))
        x.permute(dims=(0, 2, 1))
        x.permute(1, 0, 2)
        x.swapaxes(1, 2)
        torch.transpose(x, -1, -2)
        x.movedim(1, 2)
        x @ x.mT
        x @ x.transpose(1, 2)
        torch.bmm(x, x.mT)
        torch.matmul(x, x.mT)
        torch.einsum("bij,bkj->bik", x, x)
        torch.baddbmm(x @ x.mT, x, x.mT)
        x.sum((1, 2))
        x.sum([1, 2])
        x.sum(dim=(-1, -2), keepdim=True)
        x.mean((1, 2))
        x.mean(dim=[1, 2], keepdim=True)
        x.amax((1, 2))
        x.amax(dim=(1, 2), keepdim=True)
        x.amax(-2)
        x.amax()
        x.softmax(1)
        x.softmax(-2)
        x.log_softmax(1)
        F.layer_norm(x, (2, 6))
        x.flatten(1)
        x.flatten(1, 2)
        x.squeeze()
        x.unsqueeze(1).squeeze(1)
        x.unflatten(2, (2, 3))
        x.reshape(x.size(0), 6, 2)
        x[:, 0]
        x[:, :, 0]
        x[:, 0, 1]
        x[..., 0]
        x[:, 1, ...]
        x[..., 1:3]
        x[:, -1:, 2:4]
        x[:, None, 0]
        torch.cat([x, x], 1)
        torch.cat([x, x[:, :1]], dim=1)
        torch.stack([x, x], 2)
        x.chunk(2, 1)[0]
        x.split(1, 1)
        x.split([2, 4], dim=2)
        F.glu(x, 1)
        F.pad(x, (1, 1))
        F.interpolate(x, scale_factor=2)
        F.scaled_dot_product_attention(x, x, x)
        F.scaled_dot_product_attention(x, x, x, is_causal=True)
        F.scaled_dot_product_attention(x, x, x, scale=0.5)
        F.scaled_dot_product_attention(x, x, x, attn_mask=torch.ones(2, 2).tril().bool())
        F.scaled_dot_product_attention(x, x, x, dropout_p=0.0)
        F.max_pool1d(x, 2)
        F.unfold(x.unsqueeze(1), 2)
        x.unsqueeze(1) + x.unsqueeze(2)
        x + x[:, :1]
        x * x.mean(2, keepdim=True)
        torch.baddbmm(x, x, x.mT @ x, beta=0)
    """,
    "line": """
        F.conv1d(x, own.kernel)
        F.conv1d(x, own.kernel, stride=2, padding=1)
        F.conv1d(x, own.kernel, padding="same", groups=1)
        F.max_pool1d(x, 2)
        F.avg_pool1d(x, 2)
        F.group_norm(x, 2, own.weight, own.shift)
        F.instance_norm(x)
    """,
    "image": """
        F.max_pool2d(x, 2)
        F.max_pool2d(x, 2, stride=1)
        F.max_pool2d(x, kernel_size=3, stride=2, padding=1)
        F.max_pool2d(x, 2, ceil_mode=True)
        F.max_pool2d(x, 2, return_indices=True)
        F.max_pool2d(x, 2, dilation=2)
        F.avg_pool2d(x, 2)
        F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        F.avg_pool2d(x, 2, divisor_override=1)
        F.avg_pool2d(x, kernel_size=(2, 3))
        F.adaptive_avg_pool2d(x, 2)
        F.adaptive_avg_pool2d(x, (1, 1))
        F.adaptive_avg_pool2d(x, 4)
        F.adaptive_max_pool2d(x, 3)
        F.conv2d(x, own.kernel.unsqueeze(-1))
        x.mean((2, 3))
        x.mean((-2, -1), keepdim=True)
        x.amax((2, 3))
        x.amax((1, 3))
        x.sum((1, 2, 3))
        x.flatten(2).transpose(1, 2)
        x.permute(0, 2, 3, 1)
        F.dropout2d(x, training=False)
        F.pixel_shuffle(x, 2)
        x[:, :, 1:3, 1:3]
        x[:, 1]
        torch.cat([x, x], 1)
    """,
    "sequence": """
        own.attend(x, x, x)
        own.attend(x, x, x)[0]
        own.attend(x, x, x, need_weights=False)[0]
        own.attend(x, x, x, need_weights=True)[1]
        own.attend(x, x, x, attn_mask=torch.zeros(5, 5))[0]
        own.attend(x, x, x, is_causal=True, attn_mask=torch.ones(5, 5).triu(1).bool())[0]
        own.attend(query=x, key=x, value=x)[0]
        own.gru(x)
        own.gru(x)[0]
        own.gru(x)[1]
        own.gru(x)[0][:, -1]
        own.linear(x)
        x + own.place
        x + own.place[:, :5]
        x + own.positions(torch.arange(5) % 4)
        x + own.positions(torch.arange(5).remainder(4))
        x + own.positions(own.steps)
        x + own.positions(own.steps)[None]
        x + own.positions(own.steps.unsqueeze(0))
        x + own.five(torch.arange(5))
        x + own.five(torch.arange(x.size(1)))
        x + own.five(torch.arange(x.shape[1]).unsqueeze(0))
        x + own.five.weight
        x * own.five(torch.arange(5))
        x + F.embedding(torch.arange(5), own.five.weight)
        own.linear(x + own.five(torch.arange(5)))
    """,
    "indices": """
        own.five(x)
        own.five(x) + own.positions(torch.arange(5) % 4)
        own.five(x) @ own.square
        own.five(x) @ own.five.weight.mT
        F.linear(own.five(x), own.five.weight)
        own.four(x).mean(1) @ own.four.weight
        F.embedding(x, own.square)
        F.embedding(x, own.square, padding_idx=1)
        F.embedding(x, own.buffer)
        F.embedding(x % 2, own.square)
        F.one_hot(x, 4).float()
        x + 1
        x * 0.5
        x / 2
        x.float() * 2
        x.view(-1, 5, 1)
        own.five(x.unsqueeze(1))
        own.five(x[:, :2])
        own.five(x.clone())
        own.five(x.int())
    """,
}


class Own(nn.Module):
    """Computes one expression; the parameters, buffers and parts it may use."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = compile(code, "<case>", "eval")
        self.weight, self.shift = nn.Parameter(torch.randn(4)), nn.Parameter(torch.randn(4))
        self.scalar = nn.Parameter(torch.tensor(0.7))
        self.row = nn.Parameter(torch.randn(1, 4))
        self.square, self.tall = nn.Parameter(torch.randn(4, 4)), nn.Parameter(torch.randn(4, 3))
        self.kernel = nn.Parameter(torch.randn(2, 4, 3))
        self.place = nn.Parameter(torch.randn(1, 5, 4))
        self.frozen = nn.Parameter(torch.randn(4), requires_grad=False)
        self.register_buffer("middle", torch.randn(4))
        self.register_buffer("spread", torch.rand(4) + 0.5)
        self.register_buffer("buffer", torch.randn(4, 4))
        self.register_buffer("places", torch.tensor([2, 0]))
        self.register_buffer("steps", torch.tensor([0, 1, 2, 3, 1]))
        self.linear, self.bn = nn.Linear(4, 4), nn.BatchNorm1d(4)
        self.tower = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
        self.positions, self.five = nn.Embedding(4, 4), nn.Embedding(5, 4)
        self.four = nn.Embedding(4, 4)
        self.attend = nn.MultiheadAttention(4, 2, batch_first=True)
        self.gru = nn.GRU(4, 3, batch_first=True)

    def forward(self, x: Tensor) -> Any:
        return eval(self.code, globals(), {"own": self, "x": x})


def cases() -> Iterator[tuple[str, Any]]:
    """Yield the name of each case, and a function that makes its module and examples."""
    for name in torch_modules.MODULES:
        yield f"suite: {name}", lambda name=name: made_of(torch_modules.MODULES[name])
    for kind, lines in MODULES.items():
        for code in map(str.strip, lines.strip().splitlines()):
            yield f"{kind}: {code}", lambda code=code, kind=kind: (eval(code), (INPUTS[kind](),))
    for kind, lines in FUNCTIONS.items():
        for code in map(str.strip, lines.strip().splitlines()):
            yield f"{kind}: {code}", lambda code=code, kind=kind: (Own(code), (INPUTS[kind](),))


def made_of(pair: Any) -> tuple[nn.Module, tuple[Tensor, ...]]:
    make, examples = pair
    return make(), examples()


def verdict(make: Any, client: Client) -> str:
    """Return "right", "wrong: …", "refused: …", "crashed: …" or "raises: …", where torch itself does."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            module, examples = make()
            module(*(example.clone() for example in examples))
        except Exception as error:
            return f"raises: {type(error).__name__}"
        try:
            imported = from_torch(module, *examples)
        except DeltawireError as error:
            return f"refused: {error}"
        except Exception as error:
            return f"crashed: {type(error).__name__}: {error}"
        return difference(module.eval(), examples, imported, client)

"""Every kind of layer beside the same function of torch, for inputs of any size and width."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from support.torch_layers import torch

Shapes = Callable[[int], list[tuple[int, ...]]]


class Kind(NamedTuple):
    """A layer and torch's function.

    kind: its name.
    shapes: the shapes of one example of its inputs, for an axis of n places.
    function: takes the inputs in order and the parameters by name, all tensors.
    config: what the layer is made with.
    ranges: by the position of an input: "positive", "unit" for numbers from 0 to 1, or its integers.
    right: the same in float64, where `function` is not precise in it.
    """

    kind: str
    shapes: Shapes
    function: Callable[..., Any]
    config: dict[str, Any] = {}
    ranges: dict[int, Any] = {}
    right: Callable[..., Any] | None = None

    @property
    def name(self) -> str:
        return "-".join([self.kind, *(f"{key}={value}" for key, value in self.config.items())])


def row(n: int) -> list[tuple[int, ...]]:
    return [(n,)]


def table(n: int) -> list[tuple[int, ...]]:
    return [(2, n)]


def image(n: int) -> list[tuple[int, ...]]:
    return [(2, 2, n)]


def rows(count: int) -> Shapes:
    return lambda n: [(n,)] * count


def tables(count: int) -> Shapes:
    return lambda n: [(2, n)] * count


def even(n: int) -> list[tuple[int, ...]]:
    return [(2, 2 * n)]


class _Functional:
    def __getattr__(self, name: str) -> Any:
        return getattr(torch.nn.functional, name)


F = _Functional()


def over_example(x: Any) -> Any:
    return x.reshape(len(x), -1).sum(1)


def attention(q: Any, k: Any, v: Any) -> Any:
    return (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1) @ v


def softmax(x: Any) -> Any:
    """Return 1 / Σ e^(xⱼ − xᵢ), whose slopes are small where one probability is next to 1, and not 0."""
    apart = (x[..., None, :] - x[..., :, None]).clamp(max=700)
    apart = apart.masked_fill(torch.eye(x.shape[-1], dtype=torch.bool), 0)
    return 1 / apart.exp().sum(-1) + 0 * x.sum(-1, keepdim=True)  # NaN where a number is infinite


def precise_attention(q: Any, k: Any, v: Any) -> Any:
    return softmax(q @ k.mT / q.shape[-1] ** 0.5) @ v


def precise_heads(q: Any, k: Any, v: Any, **w: Any) -> Any:
    """The definition: torch's own module takes 0 for a softmax of NaN."""
    W = w["in_proj_weight"].chunk(3)
    b = w["in_proj_bias"].chunk(3)
    q, k, v = (x @ one.mT + other for x, one, other in zip((q, k, v), W, b, strict=True))
    return precise_attention(q, k, v) @ w["out_proj_weight"].mT + w["out_proj_bias"]


def heads(q: Any, k: Any, v: Any, **w: Any) -> Any:
    n = q.shape[-1]
    module = torch.nn.MultiheadAttention(n, 1, batch_first=True, dtype=q.dtype)
    given = {name.replace("out_proj_", "out_proj."): weight for name, weight in w.items()}
    return torch.func.functional_call(module, given, (q, k, v), {"need_weights": False})[0]


def recurrent(name: str) -> Callable[..., Any]:
    def function(x: Any, **weights: Any) -> Any:
        module = getattr(torch.nn, name)(x.shape[-1], 2, batch_first=True, dtype=x.dtype)
        given = {f"{local}_l0": weight for local, weight in weights.items()}
        return torch.func.functional_call(module, given, (x,))[0]

    return function


# torch's slopes of these are made of their values, and lose what lies next to 1.


def sigmoid(x: Any) -> Any:
    return torch.where(x > 0, 1 - torch.sigmoid(-x), torch.sigmoid(x))


def tanh(x: Any) -> Any:
    near = torch.tanh(x.clamp(-0.5, 0.5))
    far = torch.where(x > 0, 1 - 2 * torch.sigmoid(-2 * x), 2 * torch.sigmoid(2 * x) - 1)
    return torch.where(x.abs() <= 0.5, near, far)


def elman(x: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any) -> Any:
    h, states = x.new_zeros(len(x), 2), []
    for t in range(x.shape[1]):
        h = tanh(F.linear(x[:, t], weight_ih, bias_ih) + F.linear(h, weight_hh, bias_hh))
        states.append(h)
    return torch.stack(states, 1)


def gru(x: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any) -> Any:
    h, states = x.new_zeros(len(x), 2), []
    for t in range(x.shape[1]):
        u, s = F.linear(x[:, t], weight_ih, bias_ih), F.linear(h, weight_hh, bias_hh)
        r, z = sigmoid(u[:, :2] + s[:, :2]), u[:, 2:4] + s[:, 2:4]
        h = sigmoid(-z) * tanh(u[:, 4:] + r * s[:, 4:]) + sigmoid(z) * h
        states.append(h)
    return torch.stack(states, 1)


def lstm(x: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any) -> Any:
    h, c, states = x.new_zeros(len(x), 2), x.new_zeros(len(x), 2), []
    for t in range(x.shape[1]):
        sums = F.linear(x[:, t], weight_ih, bias_ih) + F.linear(h, weight_hh, bias_hh)
        i, f, g, o = sums.split(2, -1)
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h = sigmoid(o) * tanh(c)
        states.append(h)
    return torch.stack(states, 1)


def hardsigmoid(x: Any) -> Any:
    """Return it with a slope of 1/6, which torch has in single precision."""
    return torch.where((x > -3) & (x < 3), x / 6 + 0.5, (x >= 3) + 0 * x)


def gelu(x: Any) -> Any:
    return x * 0.5 * torch.erfc(-(0.5**0.5) * x)


def gelu_by_tanh(x: Any) -> Any:
    near = x.clamp(-64, 64)
    return x * sigmoid(2 * (2 / torch.pi) ** 0.5 * (near + 0.044715 * near**3))


def glu(x: Any) -> Any:
    a, b = x.chunk(2, -1)
    return a * sigmoid(b)


def rotary(x: Any) -> Any:
    n, d = x.shape[-2:]
    angles = torch.arange(n, dtype=torch.float64)[:, None] * 10000.0 ** (
        -torch.arange(0, d, 2, dtype=torch.float64) / d
    )
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    a, b = x[..., : d // 2], x[..., d // 2 :]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def focal(x: Any, t: Any) -> Any:
    q = t * torch.sigmoid(-x) + (1 - t) * torch.sigmoid(x)
    c = t * F.softplus(-x, threshold=1e9) + (1 - t) * F.softplus(x, threshold=1e9)
    return over_example((0.25 * t + 0.75 * (1 - t)) * q**2 * c)


def cosine(a: Any, b: Any) -> Any:
    a, b = (x / torch.linalg.vector_norm(x, dim=-1, keepdim=True) for x in (a, b))
    return over_example(0.5 * ((a - b) ** 2).sum(-1))


def triplet(a: Any, p: Any, n: Any) -> Any:
    near, far = (torch.linalg.vector_norm(a - other + 1e-6, dim=-1) for other in (p, n))
    return over_example(torch.relu(near - far + 1))


def pick(x: Any, label: Any) -> Any:
    return x.gather(-1, label[..., None])[..., 0]


def masked_norm(x: Any, mean: Any, var: Any, weight: Any, bias: Any) -> Any:
    return (x - mean[..., None]) / (var[..., None] + 1e-5).sqrt() * weight[:, None] + bias[:, None]


def spread_max(x: Any) -> Any:
    return x.amax(-1)


LABEL = {1: range(1)}
MASK = {1: range(2)}

KINDS = [
    Kind("abs", row, lambda x: x.abs()),
    Kind("affine", row, lambda x: 2.5 * x + 0.5, {"scale": 2.5, "shift": 0.5}),
    Kind("clip", row, lambda x: x.clamp(-1, 1), {"low": -1, "high": 1}),
    Kind("cos", row, lambda x: x.cos()),
    Kind("sin", row, lambda x: x.sin()),
    Kind("erf", row, lambda x: x.erf()),
    Kind("exp", row, lambda x: x.exp()),
    Kind("log", row, lambda x: x.log(), ranges={0: "positive"}),
    Kind("sqrt", row, lambda x: x.sqrt(), ranges={0: "positive"}),
    Kind("power", row, lambda x: x**1.5, {"exponent": 1.5}, {0: "positive"}),
    Kind("power", row, lambda x: x**2, {"exponent": 2}),
    Kind("negate", row, lambda x: -x),
    Kind("identity", row, lambda x: 1 * x),
    Kind("reciprocal", row, lambda x: 1 / x, ranges={0: "positive"}),
    Kind("sigmoid", row, lambda x: x.sigmoid(), right=sigmoid),
    Kind("tanh", row, lambda x: x.tanh(), right=tanh),
    Kind("silu", row, lambda x: F.silu(x), right=lambda x: x * sigmoid(x)),
    Kind("mish", row, lambda x: F.mish(x)),
    Kind("softplus", row, lambda x: F.softplus(x, threshold=1e9)),
    Kind("gelu", row, lambda x: F.gelu(x), right=gelu),
    Kind("gelu", row, lambda x: F.gelu(x, approximate="tanh"), {"approximate": "tanh"}, right=gelu_by_tanh),
    Kind("relu", row, lambda x: x.relu()),
    Kind("leaky_relu", row, lambda x: F.leaky_relu(x, 0.01)),
    Kind("elu", row, lambda x: F.elu(x)),
    Kind("hardsigmoid", row, lambda x: F.hardsigmoid(x), right=hardsigmoid),
    Kind("hardswish", row, lambda x: F.hardswish(x)),
    Kind("prelu", row, lambda x, weight: F.prelu(x, weight)),
    Kind("add", rows(3), lambda a, b, c: a + b + c),
    Kind("subtract", rows(2), lambda a, b: a - b),
    Kind("multiply", rows(2), lambda a, b: a * b),
    Kind("divide", rows(2), lambda a, b: a / b, ranges={1: "positive"}),
    Kind("maximum", rows(2), lambda a, b: torch.maximum(a, b)),
    Kind("minimum", rows(2), lambda a, b: torch.minimum(a, b)),
    Kind("dot", tables(2), lambda a, b: (a * b).sum(-1)),
    Kind("matmul", lambda n: [(2, n), (n, 2)], lambda a, b: a @ b),
    Kind("einsum", lambda n: [(2, n), (n, 2)], lambda a, b: (a @ b).mT, {"equation": "ij,jk->ki"}),
    Kind("glu", even, lambda x: F.glu(x), right=glu),
    Kind("linear", row, lambda x, weight, bias: F.linear(x, weight, bias), {"units": 2}),
    Kind(
        "embedding", row, lambda i, weight: F.embedding(i, weight), {"rows": 3, "width": 2}, {0: range(3)},
    ),
    Kind("scale", row, lambda x, weight: x * weight),
    Kind("shift", row, lambda x, bias: x + bias),
    Kind("dropout_mask", rows(2), lambda x, m: x * m * 2, {"p": 0.5}, MASK),
    Kind("where", rows(3), lambda m, a, b: torch.where(m != 0, a, b), ranges={0: range(2)}),
    Kind("masked_fill", rows(2), lambda x, m: x.masked_fill(m != 0, 3.0), {"value": 3.0}, MASK),
    Kind("softmax", table, lambda x: x.softmax(-1), right=softmax),
    Kind("log_softmax", table, lambda x: x.log_softmax(-1)),
    Kind("sum", table, lambda x: x.sum(-1), {"axes": [1]}),
    Kind("sum", table, lambda x: x.sum(1), {"axes": [0]}),
    Kind("mean", table, lambda x: x.mean((1, 2))),
    Kind("max", table, spread_max, {"axis": -1}),
    Kind("min", table, lambda x: x.amin(-1), {"axis": -1}),
    Kind("variance", table, lambda x: x.var((1, 2), correction=0)),
    Kind("norm", table, lambda x: torch.linalg.vector_norm(x, dim=(1, 2))),
    Kind("norm", table, lambda x: x.abs().sum((1, 2)), {"order": 1}),
    Kind("logsumexp", table, lambda x: torch.logsumexp(x, (1, 2))),
    Kind("cumsum", table, lambda x: x.cumsum(-1), {"axis": -1}),
    Kind("flatten", table, lambda x: x.reshape(len(x), -1)),
    Kind("reshape", even, lambda x: x.reshape(len(x), -1, 2), {"shape": [-1, 2]}),
    Kind("transpose", table, lambda x: x.mT, {"axes": [1, 0]}),
    Kind("flip", table, lambda x: x.flip(-1), {"axes": [-1]}),
    Kind("roll", table, lambda x: x.roll(1, -1), {"shifts": [1], "axes": [-1]}),
    Kind("slice", table, lambda x: x[:, :, :1], {"axis": -1, "start": 0, "stop": 1}),
    Kind("concat", tables(2), lambda a, b: torch.cat([a, b], -1), {"axis": -1}),
    Kind("take", lambda n: [(2, n), (2,)], lambda x, i: x.gather(2, i[:, None].expand(-1, 2, -1)),
         {"axis": -1}, LABEL),
    Kind("take_along_axis", tables(2), lambda x, i: x.gather(2, i), {"axis": -1}, LABEL),
    Kind("expand", lambda n: [(1, n)], lambda x: x.expand(len(x), 3, x.shape[-1]), {"shape": [3, -1]}),
    Kind("pad", table, lambda x: F.pad(x, (1, 2)), {"widths": [[1, 2]]}),
    Kind("pad", table, lambda x: F.pad(x, (2, 1), "replicate"), {"widths": [[2, 1]], "mode": "replicate"}),
    Kind("pixel_shuffle", lambda n: [(4, 2, n)], lambda x: F.pixel_shuffle(x, 2), {"factor": 2}),
    Kind("upsample", table, lambda x: F.interpolate(x, size=5), {"size": [5]}),
    Kind("rotary", even, rotary),
    Kind("max_pool1d", even, lambda x: F.max_pool1d(x, 2), {"kernel": 2}),
    Kind("avg_pool1d", even, lambda x: F.avg_pool1d(x, 2), {"kernel": 2}),
    Kind("max_pool2d", image, lambda x: F.max_pool2d(x, (2, 1)), {"kernel": [2, 1]}),
    Kind("avg_pool2d", image, lambda x: F.avg_pool2d(x, (2, 1)), {"kernel": [2, 1]}),
    Kind("adaptive_avg_pool1d", table, lambda x: F.adaptive_avg_pool1d(x, 1), {"size": 1}),
    Kind("adaptive_max_pool1d", table, lambda x: F.adaptive_max_pool1d(x, 1), {"size": 1}),
    Kind("adaptive_avg_pool2d", image, lambda x: F.adaptive_avg_pool2d(x, 1), {"size": [1, 1]}),
    Kind("adaptive_max_pool2d", image, lambda x: F.adaptive_max_pool2d(x, 1), {"size": [1, 1]}),
    Kind("conv1d", table, lambda x, weight, bias: F.conv1d(x, weight, bias, padding=1),
         {"channels": 2, "kernel": 2, "padding": 1}),
    Kind("conv2d", image, lambda x, weight, bias: F.conv2d(x, weight, bias),
         {"channels": 2, "kernel": [2, 1]}),
    Kind("conv_transpose1d", table, lambda x, weight, bias: F.conv_transpose1d(x, weight, bias),
         {"channels": 2, "kernel": 2}),
    Kind("conv_transpose2d", image, lambda x, weight, bias: F.conv_transpose2d(x, weight, bias),
         {"channels": 2, "kernel": [2, 1]}),
    Kind("layer_norm", row, lambda x, weight, bias: F.layer_norm(x, x.shape[-1:], weight, bias)),
    Kind("rms_norm", row, lambda x, weight: F.rms_norm(x, x.shape[-1:], weight, 1e-5)),
    Kind("group_norm", even, lambda x, weight, bias: F.group_norm(x, 1, weight, bias), {"groups": 1}),
    Kind("instance_norm", even, lambda x, weight, bias: F.group_norm(x, 2, weight, bias)),
    Kind("batch_norm", lambda n: [(2, n), (2,), (2,)], masked_norm, ranges={2: "positive"}),
    Kind("attention", lambda n: [(2, n), (3, n), (3, 2)], attention, right=precise_attention),
    Kind("multi_head_attention", lambda n: [(2, n), (3, n), (3, n)], heads, {"heads": 1},
         right=precise_heads),
    Kind("elman", table, recurrent("RNN"), {"units": 2}, right=elman),
    Kind("gru", table, recurrent("GRU"), {"units": 2}, right=gru),
    Kind("lstm", table, recurrent("LSTM"), {"units": 2}, right=lstm),
    Kind("softmax_nll", lambda n: [(n,), ()], lambda x, i: -pick(x.log_softmax(-1), i), ranges=LABEL),
    Kind("nll", lambda n: [(n,), ()], lambda x, i: -pick(x, i), ranges=LABEL),
    Kind("squared_error", tables(2), lambda a, b: over_example((a - b) ** 2)),
    Kind("absolute_error", tables(2), lambda a, b: over_example((a - b).abs())),
    Kind("huber", tables(2), lambda a, b: over_example(F.huber_loss(a, b, reduction="none"))),
    Kind("smooth_l1", tables(2), lambda a, b: over_example(F.smooth_l1_loss(a, b, reduction="none"))),
    Kind("max_margin", tables(2), lambda s, c: over_example(torch.relu(1 - (s - c)))),
    Kind("cosine_distance", tables(2), cosine),
    Kind("triplet", tables(3), triplet),
    Kind("binary_nll", rows(2), lambda x, t: over_example(
        t * F.softplus(-x, threshold=1e9) + (1 - t) * F.softplus(x, threshold=1e9)), ranges={1: "unit"},
        right=lambda x, t: over_example(F.softplus(x, threshold=1e9) - t * x)),
    Kind("focal", rows(2), focal, ranges={1: "unit"}),
    Kind("kl_divergence", rows(2), lambda x, t: over_example(torch.xlogy(t, t) - t * x), ranges={1: "unit"}),
    Kind("gaussian_nll", rows(3), lambda m, t, v: over_example(
        0.5 * (v.clamp(min=1e-6).log() + (m - t) * ((m - t) / v.clamp(min=1e-6)))), ranges={2: "positive"}),
    Kind("poisson_nll", rows(2), lambda x, t: over_example(x.exp() - t * x), ranges={1: "positive"}),
]  # fmt: skip

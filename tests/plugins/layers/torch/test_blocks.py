"""Blocks of real networks, of several kinds, through the service against torch: gradients and hvp."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.torch_layers import torch

from deltawire import Client, Network

pytestmark = pytest.mark.torch


def squeeze_excite() -> tuple[Network, Callable[..., Any]]:
    """Channels weighed by a gate of their means, as in MobileNetV3 and EfficientNet."""
    net = Network()
    x = net.input("x", (4, 3, 3))
    squeezed = net.layer("adaptive_avg_pool2d", x, size=1)
    gate = net.layer("hardsigmoid", net.layer("conv2d", squeezed, channels=4, kernel=1, name="gate"))
    weighed = net.layer("multiply", x, net.layer("expand", gate, shape=[-1, 3, 3]))
    net.loss = net.layer("sum", net.layer("power", net.layer("hardswish", weighed), exponent=2))

    def theirs(params: dict[str, Any], x: Any) -> Any:
        functional = torch.nn.functional

        def hardsigmoid(x: Any) -> Any:
            return functional.relu6(x + 3) / 6  # torch has no second derivative of its own

        mean = functional.adaptive_avg_pool2d(x, 1)
        weighed = x * hardsigmoid(functional.conv2d(mean, params["gate.weight"], params["gate.bias"]))
        y = weighed * hardsigmoid(weighed)
        return (y * y).sum() / len(x)

    return net, theirs


def vision_transformer() -> tuple[Network, Callable[..., Any]]:
    """A class token for every example, positions, and a bias taken from a table, all of them learned."""
    net = Network()
    x = net.input("x", (3, 4))
    index = net.input("index", (4, 4), dtype="int64", shared=True)
    token = net.parameter("token", (1, 4), normal=0.5)
    table = net.parameter("table", (5,), normal=0.5)
    rows = net.layer("concat", token, x, axis=0)
    rows = net.layer("rotary", rows + net.parameter("positions", (4, 4), normal=0.5))
    scores = net.layer("einsum", rows, rows, equation="qd,kd->qk")
    scores = net.layer("add", scores, net.layer("take", table, index))
    mixed = net.layer("matmul", net.layer("softmax", scores), rows)
    first = net.layer(
        "slice", net.layer("layer_norm", mixed, last_axes=2, bias=False, name="norm"), axis=0, stop=1
    )
    net.loss = net.layer("logsumexp", first)

    def theirs(params: dict[str, Any], x: Any) -> Any:
        token = params["token"].expand(len(x), 1, 4)
        rows = torch.cat([token, x], 1) + params["positions"]
        angles = torch.arange(4, dtype=x.dtype)[:, None] * torch.tensor([1.0, 0.01], dtype=x.dtype)
        a, b = rows[..., :2], rows[..., 2:]
        rows = torch.cat([a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()], -1)
        mixed = torch.softmax(rows @ rows.mT + params["table"][torch.tensor(INDEX)], -1) @ rows
        normed = torch.nn.functional.layer_norm(mixed, (4, 4), params["norm.weight"])
        return torch.logsumexp(normed[:, 0], -1).mean()

    return net, theirs


INDEX = np.arange(16).reshape(4, 4) % 5


@pytest.mark.parametrize("block", [squeeze_excite, vision_transformer])
def test_gradients_and_curvature(block: Callable[[], tuple[Network, Callable[..., Any]]]) -> None:
    net, theirs = block()
    client, stream = Client(), np.random.default_rng(0)
    shapes = {name: array.shape for name, array in client.init(net).items()}
    params = {name: stream.standard_normal(shape) for name, shape in shapes.items()}
    vectors = {name: stream.standard_normal(shape) for name, shape in shapes.items()}
    data: dict[str, Any] = {"x": stream.standard_normal((5, *net.spec()["inputs"]["x"]["shape"]))}
    if "index" in net.spec()["inputs"]:
        data["index"] = INDEX
    loss, grads = client.value_and_grad(net, params, data)
    curved = client.hvp(net, params, data, vectors)

    leaves = {name: torch.tensor(array, requires_grad=True) for name, array in params.items()}
    expected = theirs(leaves, torch.tensor(data["x"]))
    first = torch.autograd.grad(expected, list(leaves.values()), create_graph=True)
    along = sum((g * torch.tensor(vectors[name])).sum() for name, g in zip(leaves, first, strict=True))
    second = torch.autograd.grad(along, list(leaves.values()))
    assert loss == pytest.approx(expected.item(), rel=1e-10)
    for name, one, other in zip(leaves, first, second, strict=True):
        np.testing.assert_allclose(grads[name], one.detach().numpy(), rtol=1e-7, atol=1e-8, err_msg=name)
        np.testing.assert_allclose(curved[name], other.numpy(), rtol=1e-6, atol=1e-7, err_msg=name)

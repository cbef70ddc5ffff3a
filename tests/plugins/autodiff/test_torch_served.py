"""Modules of torch served by gunicorn: every derivative equals torch's, to 1e-10."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import requests
from support import forward_torch
from support.forward_served import ask, network
from support.oracles import distance
from support.service import running_service
from support.torch_layers import torch

from deltawire import Client

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_service("-w", "1", app="support.forward_torch:app()", seconds=120) as service:
        yield service


@pytest.mark.parametrize("kind", sorted(forward_torch.SHAPES.keys() - {"torch_drawn_mlp"}))
def test_derivatives(url: str, kind: str) -> None:
    served = ask(url, kind, forward_torch.SHAPES[kind])
    module = deepcopy(forward_torch.modules()[kind]).double()
    paths = dict(module.named_parameters())
    for (path, own), numbers in zip(paths.items(), served.params.values(), strict=True):
        np.testing.assert_array_equal(own.detach().numpy(), numbers, err_msg=path)

    leaves = [torch.tensor(array, requires_grad=True) for array in (served.params | served.data).values()]
    vectors = [torch.tensor(served.vectors[name]) for name in served.params | served.data]

    def value(*leaves: Any) -> Any:
        # The backend of fused attention has no second derivative.
        with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            result = torch.func.functional_call(
                module, dict(zip(paths, leaves, strict=False)), (leaves[-1].clone(),)
            )
        return result[0] if isinstance(result, tuple) else result

    y = value(*leaves)
    _, slope = torch.autograd.functional.jvp(value, tuple(leaves), tuple(vectors))
    loss = (y**2).sum()
    first = torch.autograd.grad(loss, leaves, create_graph=True)
    along = sum((g * v).sum() for g, v in zip(first, vectors, strict=True))
    second = torch.autograd.grad(along, leaves)

    assert served.passed
    assert served.loss == pytest.approx(loss.item(), rel=1e-12)
    assert distance(served.value, y.detach().numpy()) < 1e-10
    assert distance(served.slope, slope.detach().numpy()) < 1e-10
    for name, one, two in zip(served.params | served.data, first, second, strict=True):
        assert distance(served.gradients[name], one.detach().numpy()) < 1e-10, name
        assert distance(served.curved[name], two.numpy()) < 1e-10, name


def test_a_seed_draws_a_new_module(url: str) -> None:
    net = network("torch_drawn_mlp", (2, 3))
    with Client(url) as client:
        same, again, other = (client.init(net, seed=seed) for seed in (1, 1, 2))
    for name in same:
        np.testing.assert_array_equal(same[name], again[name])
        assert (same[name] != other[name]).any()


def test_many_threads_get_the_same_bits(url: str) -> None:
    net, stream = network("torch_encoder", (3, 4)), np.random.default_rng(0)
    with Client(url) as client:
        params = client.init(net, seed=1)
        batches = [{"x": stream.standard_normal((3, 3, 4))} for _ in range(8)]
        alone = [client.value_and_grad(net, params, data) for data in batches]
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda data: client.value_and_grad(net, params, data), batches))
    for (loss, right), (other, found) in zip(alone, together, strict=True):
        assert loss == other
        for name in right:
            np.testing.assert_array_equal(right[name], found[name], err_msg=name)


def test_float32(url: str) -> None:
    net = network("torch_mlp", (3,))
    with Client(url) as client:
        params = client.init(net, dtype="float32")
        data = {"x": np.ones((4, 3), np.float32)}
        loss, gradients = client.value_and_grad(net, params, data)
        assert {array.dtype for array in gradients.values()} == {np.dtype(np.float32)}
        right, _ = client.value_and_grad(
            net, {name: w.astype(float) for name, w in params.items()}, {"x": np.ones((4, 3))}
        )
    assert loss == pytest.approx(right, rel=1e-6)


def test_the_catalogue_shows_the_module(url: str) -> None:
    described = requests.get(f"{url}/v1/layers/torch_mlp", timeout=10).json()
    assert described["summary"] == "y = Sequential(input)"

"""Every derivative of a served layer, asked over a real service, for comparison with its framework."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from deltawire import Client, Network

ROWS = 5


class Served(NamedTuple):
    """The loss Σ y² of a layer's value y, and its derivatives by `layer.weight`, …, and `x`."""

    params: dict[str, np.ndarray]
    data: dict[str, np.ndarray]
    vectors: dict[str, np.ndarray]
    loss: float
    gradients: dict[str, np.ndarray]
    curved: dict[str, np.ndarray]
    value: np.ndarray
    slope: np.ndarray
    passed: bool


def network(kind: str, shape: tuple[int, ...]) -> Network:
    """The layer, and the sum of its squares as the loss."""
    net = Network()
    layer = net.layer(kind, net.input("x", shape), name="layer")
    net.loss = net.layer("sum", net.layer("power", layer, exponent=2))
    return net


def ask(url: str, kind: str, shape: tuple[int, ...]) -> Served:
    """Ask for everything, in float64."""
    net, stream = network(kind, shape), np.random.default_rng(0)
    with Client(url) as client:
        params = client.init(net, seed=1)
        data = {"x": stream.standard_normal((ROWS, *shape))}
        everything = params | data
        vectors = {name: stream.standard_normal(array.shape) for name, array in everything.items()}
        wrt = {"params": bool(params), "data": True}
        loss, gradients = client.value_and_grad(net, params, data, wrt=wrt, reduction="sum")
        curved = client.hvp(net, params, data, vectors, wrt=wrt, reduction="sum")
        values, slopes = client.jvp(net, params, data, vectors, ["layer"])
        checked = client.check(net, params, data, wrt=wrt)
    slope, value = slopes["layer"], values["layer"]
    return Served(params, data, vectors, loss, gradients, curved, value, slope, checked["passed"])

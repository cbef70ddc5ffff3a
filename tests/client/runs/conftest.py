"""A service in this process with a model that learns to add, and rows to learn from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from deltawire import Client, Model, Network, optim
from deltawire.wire import Array


def network() -> Network:
    net = Network()
    value = net.layer("sum", net.layer("linear", net.input("x", (3,)), units=1, name="hidden"), name="value")
    net.loss = net.layer("squared_error", value, net.input("y"), name="loss")
    return net


def examples(rows: int = 60) -> dict[str, Array]:
    x = np.random.default_rng(0).normal(size=(rows, 3))
    return {"x": x, "y": x.sum(axis=1)}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Client(data_dir=tmp_path / "data") as client:
        yield client


@pytest.fixture
def model(client: Client) -> Model:
    return client.create_model(network(), name="adder", optimizer=optim.sgd(0.01), seed=0)

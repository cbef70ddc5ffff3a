"""torch's recurrent modules: stacked, in both directions, with and without biases."""

from __future__ import annotations

from importlib import import_module
from itertools import product
from typing import Any

import pytest

from deltawire import Client, Refused

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def torch() -> Any:
    return import_module("torch")


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


def model(torch: Any, recurrent: Any, take: Any) -> Any:
    class Model(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.recurrent = recurrent

        def forward(self, x: Any) -> Any:
            return take(self.recurrent(x))

    return Model()


def verdict(module: Any, *examples: Any, client: Client) -> str:
    return str(import_module("support.torch_difference").verdict(module, *examples, client=client))


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_stacked_and_in_both_directions(kind: str, torch: Any, client: Client) -> None:
    torch.manual_seed(0)
    for layers, both, bias in product((1, 2), (False, True), (False, True)):
        settings = {"num_layers": layers, "bidirectional": both, "bias": bias, "batch_first": True}
        recurrent = getattr(torch.nn, kind)(4, 3, **settings)
        x = torch.randn(2, 5, 4)
        assert verdict(model(torch, recurrent, lambda result: result[0]), x, client=client) == "right"


def test_a_state_of_relu(torch: Any, client: Client) -> None:
    recurrent = torch.nn.RNN(4, 3, 2, nonlinearity="relu", batch_first=True, bidirectional=True)
    x = torch.randn(2, 5, 4)
    assert verdict(model(torch, recurrent, lambda result: result[0]), x, client=client) == "right"


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize(
    "settings, message",
    [({"proj_size": 2, "batch_first": True}, "proj_size=2"), ({}, "expected batch_first=True")],
)
def test_refused_by_name(settings: dict[str, Any], message: str, torch: Any, client: Client) -> None:
    recurrent = torch.nn.LSTM(4, 3, **settings)
    with pytest.raises(Refused, match=message):
        verdict(model(torch, recurrent, lambda result: result[0]), torch.randn(2, 5, 4), client=client)

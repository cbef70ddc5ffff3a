"""Parameters of any network under the names of a torch module."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from deltawire import Client, Network

pytestmark = pytest.mark.torch


def test_learned_inputs_are_parameters_of_the_module() -> None:
    torch: Any = pytest.importorskip("torch")

    class Module(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.positions = torch.nn.Parameter(torch.zeros(3, 4))
            self.scale = torch.nn.Parameter(torch.zeros(()))
            self.dense = torch.nn.Linear(4, 2)

        def forward(self, x: Any) -> Any:
            return self.dense((x + self.positions) * 2 + 1) * self.scale

    net = Network()
    moved = (net.input("x", (3, 4)) + net.parameter("positions", (3, 4), normal=0.5)) * 2 + 1
    dense = net.layer("linear", moved, units=2, name="dense")
    net.layer("identity", dense.sum() * net.parameter("scale", constant=1.5), name="out")
    client, x = Client(), np.random.default_rng(0).standard_normal((5, 3, 4))
    params = client.init(net)

    module = Module().double()
    module.load_state_dict(import_module("deltawire.exporters.torch").to_state_dict(net, params))
    theirs = module(torch.tensor(x)).sum(dim=(1, 2))
    ours = client.forward(net, params, {"x": x}, ["out"])["out"]
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-12)

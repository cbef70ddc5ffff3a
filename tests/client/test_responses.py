"""Results are shown by their shapes."""

from __future__ import annotations

import numpy as np

from deltawire import Client, Network


def test_gradients_are_shown_by_shapes() -> None:
    net = Network()
    net.loss = net.layer("dot", net.input("x", (3,)), net.parameter("w", (3,), constant=1.0))
    client = Client()
    batch = {"x": np.ones((2, 3))}
    answer = client.gradients(net, client.init(net), batch)
    assert repr(answer) == "Gradients(loss=3.0, params={'w': (3,)})"
    answer = client.gradients(net, client.init(net), batch, wrt={"data": True}, losses=True, values=["dot1"])
    assert repr(answer) == (
        "Gradients(loss=3.0, losses=(2,), params={'w': (3,)}, data={'x': (2, 3)}, values={'dot1': (2,)})"
    )

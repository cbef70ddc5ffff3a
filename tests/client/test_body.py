"""Bodies are sent in parts, with their length, and again when a call is repeated."""

from __future__ import annotations

import numpy as np
import requests

from deltawire import Client, Network, wire
from deltawire.body import JOINED_BYTES, Parts, to_send


def test_small_parts_are_joined_and_large_ones_sent_as_they_are() -> None:
    assert to_send([b"a", memoryview(b"bc")]) == b"abc"
    large = [b"head", memoryview(bytes(JOINED_BYTES))]
    body = to_send(large)
    assert isinstance(body, Parts) and len(body) == 4 + JOINED_BYTES
    assert b"".join(body) == b"".join(body) == b"".join(large)
    request = requests.Request("POST", "http://127.0.0.1/", data=body).prepare()
    assert request.headers["Content-Length"] == str(len(body)) and "Transfer-Encoding" not in request.headers


def test_a_large_batch_gives_the_numbers_of_its_halves() -> None:
    net = Network()
    net.loss = net.layer("sum", net.layer("tanh", net.input("x", shape=(200,))))
    x = np.random.default_rng(0).standard_normal((400, 200))
    with Client() as client:
        whole = client.gradients(net, {}, {"x": x}, wrt={"data": True}, reduction="sum")
        half = client.gradients(net, {}, {"x": x[::2]}, wrt={"data": True}, reduction="sum")
    assert len(wire.encode({"data": {"x": x}}, wire.SAFETENSORS)) > JOINED_BYTES
    np.testing.assert_array_equal(whole.data["x"][::2], half.data["x"])

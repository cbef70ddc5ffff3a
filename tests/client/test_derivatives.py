"""The client's derivatives, embedded, against each other and against the gradient."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from deltawire import Client, Network, Refused, wire

X = np.array([[1.0, 2.0, 3.0], [0.0, 1.5, -1.0]])
BATCH = {"x": X, "label": np.array([0, 1])}


@pytest.fixture(params=wire.MEDIA_TYPES)
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    with Client(media_type=request.param) as client:
        yield client


def classifier() -> Network:
    net = Network()
    hidden = net.layer(
        "tanh", net.layer("linear", net.input("x", shape=(3,)), units=4, name="hidden"), name="a"
    )
    net.layer(
        "softmax_nll", net.layer("linear", hidden, units=2, name="o"), net.input("label", dtype="int64")
    )
    return net


def test_vjp_and_jvp_are_transposes(client: Client) -> None:
    net, rng = classifier(), np.random.default_rng(0)
    params = client.init(net)
    cotangents = {"o": rng.standard_normal((3, 2, 2))}
    back = client.vjp(net, params, {"x": X}, cotangents, wrt={"data": ["x"]})
    assert back["hidden.weight"].shape == (3, 4, 3) and back["x"].shape == (3, 2, 3)
    tangents = {"hidden.weight": rng.standard_normal((4, 3)), "x": rng.standard_normal((2, 3))}
    values, moved = client.jvp(net, params, {"x": X}, tangents, ["o"])
    np.testing.assert_allclose(values["o"], client.forward(net, params, {"x": X}, ["o"])["o"], rtol=1e-14)
    for index in range(3):
        here = (cotangents["o"][index] * moved["o"]).sum()
        there = sum((back[name][index] * tangents[name]).sum() for name in tangents)
        np.testing.assert_allclose(here, there, rtol=1e-12)


def test_jacobians_in_both_modes(client: Client) -> None:
    net = classifier()
    params = client.init(net)
    modes = [
        client.jacobian(net, params, {"x": X}, ["o"], wrt={"data": ["x"]}, mode=mode)["o"]
        for mode in ("reverse", "forward")
    ]
    assert modes[0].keys() == {*params, "x"} and modes[0]["x"].shape == (2, 2, 3)
    for name, array in modes[0].items():
        np.testing.assert_allclose(array, modes[1][name], atol=1e-15)


def test_hessians(client: Client) -> None:
    net = classifier()
    params = client.init(net, seed=1)
    basis = np.eye(8).reshape(8, 2, 4)
    rows = client.hvp(net, params, BATCH, {"o.weight": basis})["o.weight"].reshape(8, 8)
    np.testing.assert_allclose(rows, rows.T, atol=1e-17)
    forms = client.quadratic_form(net, params, BATCH, {"o.weight": basis})
    np.testing.assert_allclose(forms, np.diag(rows), rtol=1e-13)
    one = client.quadratic_form(net, params, BATCH, {"o.weight": basis[0]})
    assert one.shape == () and one == forms[0]
    other = client.hvp(net, params, BATCH, {"o.weight": basis[0]}, wrt={"params": ["o.bias"], "data": ["x"]})
    assert other.keys() == {"o.bias", "x"}
    halves = {"softmax_nll1": np.full(2, 0.5)}  # their sum is the mean
    ours = client.hvp(net, params, BATCH, {"o.weight": basis[0]}, cotangents=halves)
    np.testing.assert_allclose(ours["o.weight"].ravel(), rows[0], rtol=1e-13)
    diagonal = client.hessian_diagonal(net, params, BATCH, wrt={"params": ["o.weight"]}, samples=500)
    np.testing.assert_allclose(diagonal["o.weight"].ravel(), np.diag(rows), atol=0.1)


def test_gradients_of_each_example(client: Client) -> None:
    net = classifier()
    params = client.init(net)
    each = client.per_example_gradients(net, params, BATCH)
    _, gradient = client.value_and_grad(net, params, BATCH)
    for name, array in gradient.items():
        assert each[name].shape == (2, *array.shape)
        np.testing.assert_allclose(each[name].mean(axis=0), array, atol=1e-15)


def test_one_dtype_for_all_arrays(client: Client) -> None:
    net = classifier()
    params = client.init(net, dtype="float32")
    x = X.astype("f4")
    assert client.vjp(net, params, {"x": x}, {"o": [[1, 0], [0, 1]]})["o.bias"].dtype == "f4"
    with pytest.raises(Refused) as refused:
        client.vjp(net, params, {"x": x}, {"o": np.ones((2, 2))})
    assert refused.value.code == "dtype_mismatch"
    with pytest.raises(Refused) as refused:
        client.jvp(net, params, {"x": x}, {"label": [0, 0]}, ["o"])
    assert (refused.value.pointer, refused.value.code) == ("/tangents/data/label", "not_differentiable")

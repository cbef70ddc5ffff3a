"""Learned inputs and transposed ties, in every call of the client, beside torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltawire import Client, Network, wire

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")
STREAM = np.random.default_rng(0)


def network() -> Network:
    """A tied autoencoder of rows with learned positions, its error scaled by a learned number."""
    net = Network()
    x, positions = net.input("x", (3, 4)), net.parameter("positions", (3, 4), normal=0.02)
    weight = net.parameter("weight", constant=2.0)
    code = net.layer("tanh", net.layer("linear", x + positions, units=2, name="encoder"), name="code")
    decoded = net.layer("linear", code, units=4, name="decoder", tied_to="encoder", transpose=True)
    error = net.layer("squared_error", decoded, x, name="error")
    net.loss = net.layer("multiply", error, weight, name="loss")
    return net


PARAMS = {
    "positions": STREAM.standard_normal((3, 4)), "weight": np.array(1.5),
    "encoder.weight": STREAM.standard_normal((2, 4)), "encoder.bias": STREAM.standard_normal(2),
    "decoder.bias": STREAM.standard_normal(4),
}  # fmt: skip
X = STREAM.standard_normal((5, 3, 4))


def losses(x: Any, positions: Any, weight: Any, w: Any, b: Any, c: Any) -> Any:
    """Each example's loss in torch, its parameters in the order of PARAMS."""
    decoded = torch.tanh((x + positions) @ w.T + b) @ w + c
    return ((decoded - x) ** 2).sum(dim=(1, 2)) * weight


def leaves() -> list[Any]:
    return [torch.tensor(array, requires_grad=True) for array in PARAMS.values()]


@pytest.fixture(params=wire.MEDIA_TYPES)
def client(request: pytest.FixtureRequest) -> Client:
    return Client(media_type=request.param)


def test_gradients(client: Client) -> None:
    ours = client.gradients(network(), PARAMS, {"x": X}, wrt={"data": True})
    x, params = torch.tensor(X, requires_grad=True), leaves()
    loss = losses(x, *params).mean()
    theirs = torch.autograd.grad(loss, [x, *params])
    assert ours.loss == pytest.approx(loss.item(), rel=1e-12) and set(ours.params) == set(PARAMS)
    for name, gradient in zip(["x", *PARAMS], theirs, strict=True):
        ours_of = ours.data[name] if name == "x" else ours.params[name]
        np.testing.assert_allclose(ours_of, gradient.numpy(), rtol=1e-10, atol=1e-12)


def test_gradients_of_each_example(client: Client) -> None:
    ours = client.per_example_gradients(network(), PARAMS, {"x": X})
    for row in range(len(X)):
        params = leaves()
        theirs = torch.autograd.grad(losses(torch.tensor(X[row : row + 1]), *params).sum(), params)
        for name, gradient in zip(PARAMS, theirs, strict=True):
            np.testing.assert_allclose(ours[name][row], gradient.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_jacobian(client: Client, mode: str) -> None:
    ours = client.jacobian(network(), PARAMS, {"x": X}, ["error"], mode=mode)["error"]
    each = client.per_example_gradients(network(), PARAMS, {"x": X})
    for name in PARAMS.keys() - {"weight"}:
        np.testing.assert_allclose(ours[name] * PARAMS["weight"], each[name], rtol=1e-10, atol=1e-12)
    assert not ours["weight"].any()


def test_products(client: Client) -> None:
    vectors = {name: STREAM.standard_normal(array.shape) for name, array in PARAMS.items()}
    _, tangents = client.jvp(network(), PARAMS, {"x": X}, vectors, ["loss"])
    function = lambda *params: losses(torch.tensor(X), *params)  # noqa: E731
    at, along = tuple(leaves()), tuple(torch.tensor(v) for v in vectors.values())
    _, theirs = torch.autograd.functional.jvp(function, at, along)
    np.testing.assert_allclose(tangents["loss"], theirs.numpy(), rtol=1e-10)

    hvp = client.hvp(network(), PARAMS, {"x": X}, vectors)
    _, theirs = torch.autograd.functional.hvp(lambda *params: function(*params).mean(), at, along)
    for name, product in zip(PARAMS, theirs, strict=True):
        np.testing.assert_allclose(hvp[name], product.numpy(), rtol=1e-9, atol=1e-11)

    quadratic = client.quadratic_form(network(), PARAMS, {"x": X}, vectors)
    assert quadratic == pytest.approx(sum(np.vdot(vectors[name], hvp[name]) for name in vectors), rel=1e-10)

    vjp = client.vjp(network(), PARAMS, {"x": X}, {"loss": np.ones(5)}, wrt={"params": ["positions"]})
    whole = client.gradients(network(), PARAMS, {"x": X}, reduction="sum").params["positions"]
    np.testing.assert_allclose(vjp["positions"], whole, rtol=1e-12)


def test_init_plan_forward_and_check(client: Client) -> None:
    drawn = client.init(network(), seed=4)
    assert {name: w.shape for name, w in drawn.items()} == {n: w.shape for n, w in PARAMS.items()}
    assert drawn["weight"] == 2 and 0 < np.abs(drawn["positions"]).max() <= 6 * 0.02
    assert [p["name"] for p in client.plan(network())["parameters"]][:2] == ["positions", "weight"]
    assert client.check(network(), PARAMS, {"x": X}, deltas=["code"])["passed"]
    code = client.forward(network(), {n: w for n, w in PARAMS.items() if n != "weight"}, {"x": X}, ["code"])
    expected = np.tanh((X + PARAMS["positions"]) @ PARAMS["encoder.weight"].T + PARAMS["encoder.bias"])
    np.testing.assert_allclose(code["code"], expected, rtol=1e-12)


def test_a_batch_in_chunks_has_the_same_gradients() -> None:
    x = STREAM.standard_normal((200_000, 3, 4))
    client = Client()
    assert client.plan(network(), len(x))["chunks"] > 1
    ours = client.gradients(network(), PARAMS, {"x": x}).params
    parts = [client.gradients(network(), PARAMS, {"x": part}).params for part in np.split(x, 200)]
    for name, gradient in ours.items():
        np.testing.assert_allclose(gradient, np.mean([p[name] for p in parts], axis=0), rtol=1e-9)


def test_regularization_and_globs_name_learned_inputs(client: Client) -> None:
    net = network()
    net.regularize(0.5, ["positions"])
    plain = client.gradients(network(), PARAMS, {"x": X}, wrt={"params": ["pos*"]}).params
    ours = client.gradients(net, PARAMS, {"x": X}, wrt={"params": ["pos*"]}).params
    assert list(ours) == ["positions"]
    np.testing.assert_allclose(ours["positions"], plain["positions"] + 0.5 * PARAMS["positions"], rtol=1e-12)


def test_a_published_network_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DELTAWIRE_NETWORKS_DIR", str(tmp_path))
    network().publish(Client(), "tied", PARAMS)
    client = Client()
    tied = client.published("tied")
    assert "positions" not in tied.description["inputs"]
    vectors = {"positions": np.ones((3, 4)), "x": np.ones_like(X)}
    ours = client.hvp(tied, {}, {"x": X}, vectors)
    theirs = client.hvp(network(), PARAMS, {"x": X}, vectors)
    assert all(np.array_equal(ours[name], theirs[name]) for name in vectors)


def test_the_trace_adds_up_the_shares_of_a_tied_matrix(client: Client) -> None:
    answer = client.gradients(network(), PARAMS, {"x": X}, trace=True)
    shares = [step["gradients"] for step in answer.trace["backward"] if "encoder.weight" in step["gradients"]]
    assert len(shares) == 2
    total = sum(share["encoder.weight"]["numbers"] for share in shares)
    np.testing.assert_allclose(total, answer.params["encoder.weight"], rtol=1e-12)


def test_torch_gets_them_back() -> None:
    from deltawire.exporters.torch import to_state_dict

    state = to_state_dict(network(), PARAMS)
    assert np.array_equal(state["decoder.weight"].numpy(), PARAMS["encoder.weight"].T)
    for name, array in PARAMS.items():
        assert np.array_equal(state[name].numpy(), array)


@pytest.mark.onnx
def test_onnx_gets_them_back() -> None:
    from onnx.reference import ReferenceEvaluator

    from deltawire.exporters.onnx import to_onnx

    model = to_onnx(network(), PARAMS, outputs=["decoder"])
    (theirs,) = ReferenceEvaluator(model).run(None, {"x": X})
    ours = Client().forward(network(), PARAMS, {"x": X}, ["decoder"])["decoder"]
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)

"""A served network as a function of jax: jit, grad, vjp and vmap as of jax's own functions."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.classifier import batch, classifier
from support.posting import good
from support.publishing import as_arrays, publish

from deltawire import Client, Network, Refused, optim

pytestmark = pytest.mark.jax


@pytest.fixture
def jax() -> Any:
    """jax in float64, for as long as a test runs."""
    module = import_module("jax")
    module.config.update("jax_enable_x64", True)
    yield module
    module.config.update("jax_enable_x64", False)


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


def network() -> Network:
    net = Network()
    x, index = net.input("x", (4,)), net.input("index", (2,), "int64")
    words = net.layer("flatten", net.layer("embedding", index, rows=5, width=2, name="words"), name="flat")
    hidden = net.layer("tanh", net.layer("linear", x + words, units=3, name="hidden"), name="active")
    net.layer("dot", hidden, hidden, name="size")
    return net


def pure(jax: Any, params: Any, data: Any) -> Any:
    """The same in jax alone."""
    words = params["words.weight"][data["index"]].reshape(len(data["x"]), -1)
    active = jax.numpy.tanh((data["x"] + words) @ params["hidden.weight"].T + params["hidden.bias"])
    return {"active": active, "size": (active * active).sum(-1)}


def given(client: Client, rows: int = 3) -> tuple[Any, Any]:
    stream = np.random.default_rng(0)
    data = {"x": stream.standard_normal((rows, 4)), "index": stream.integers(0, 5, (rows, 2))}
    return client.init(network(), seed=1), data


def remote(*arguments: Any, **options: Any) -> Any:
    return import_module("deltawire.integrations.jax").remote_function(*arguments, **options)


def close(ours: Any, theirs: Any) -> None:
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-12, atol=1e-12)


def test_check_grads_passes(jax: Any, client: Client) -> None:
    function = remote(network(), ["active", "size"], client=client)
    params, data = given(client)
    check_grads = import_module("jax.test_util").check_grads
    index = {"index": data["index"]}
    check_grads(
        lambda params, x: function(params, {"x": x} | index), (params, data["x"]), order=1, modes=["rev"]
    )


def test_jit_and_grad_are_those_of_jax(jax: Any, client: Client) -> None:
    function = remote(network(), ["active", "size"], client=client)
    params, data = given(client)

    def loss(f: Any) -> Any:
        def total(params: Any, x: Any) -> Any:
            values = f(params, {"x": jax.numpy.sin(x), "index": data["index"]})
            return (values["active"] ** 3).sum() + jax.numpy.exp(values["size"]).mean()

        return total

    close(jax.jit(function)(params, data), pure(jax, params, data))
    ours = jax.jit(jax.value_and_grad(loss(function), (0, 1)))(params, data["x"])
    theirs = jax.value_and_grad(loss(lambda *given: pure(jax, *given)), (0, 1))(params, data["x"])
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-13)
    close(ours[1][0], theirs[1][0])
    close({"x": ours[1][1]}, {"x": theirs[1][1]})


def test_vmap_makes_one_request_after_the_other(jax: Any, client: Client) -> None:
    function = remote(network(), ["size"], client=client)
    params, data = given(client, rows=6)
    batches = {name: array.reshape(2, 3, *array.shape[1:]) for name, array in data.items()}

    def gradient(f: Any) -> Any:
        return jax.vmap(jax.grad(lambda p, d: f(p, d)["size"].sum(), allow_int=True), (None, 0))

    close(
        jax.jit(gradient(function))(params, batches),
        gradient(lambda *given: pure(jax, *given))(params, batches),
    )


def test_parameters_that_are_no_arguments(jax: Any, client: Client) -> None:
    params, data = given(client)
    function = remote(network(), params=params, constants={"index": data["index"]}, client=client)
    gradient = jax.grad(lambda x: function({}, {"x": x})["size"].sum())(data["x"])
    theirs = jax.grad(lambda x: pure(jax, params, data | {"x": x})["size"].sum())(data["x"])
    np.testing.assert_allclose(gradient, theirs, rtol=1e-12)


def test_float32_is_kept(client: Client) -> None:
    jax = import_module("jax")
    params, data = given(client)
    single = {name: array.astype(np.float32) for name, array in params.items()}
    batch = {"x": data["x"].astype(np.float32), "index": data["index"].astype(np.int32)}
    function = remote(network(), client=client)
    values, gradients = jax.value_and_grad(lambda p: function(p, batch)["size"].sum())(single)
    assert {values.dtype} | {gradient.dtype for gradient in gradients.values()} == {np.dtype("float32")}


def test_other_derivatives_are_refused(jax: Any, client: Client) -> None:
    params, data = given(client)
    function = remote(network(), params=params, constants={"index": data["index"]}, client=client)

    def size(x: Any) -> Any:
        return function({}, {"x": x})["size"].sum()

    with pytest.raises(TypeError, match="first derivatives only: Client.hvp"):
        jax.grad(lambda x: jax.grad(size)(x).sum())(data["x"])
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(size, (data["x"],), (data["x"],))


def test_an_output_that_is_no_node_is_named(client: Client) -> None:
    with pytest.raises(Refused, match="no node is named 'sise'; known: words, flat"):
        remote(network(), ["sise"], client=client)


def test_parameters_may_stay_at_the_service(
    jax: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, "kept")
    monkeypatch.setenv("DELTAWIRE_NETWORKS_DIR", str(tmp_path))
    params, data = as_arrays(good()["params"]), as_arrays(good()["data"])
    with Client() as client:
        kept = remote(client.published("kept"), client=client)
        sent = remote(good()["network"], client=client)

    def gradient(function: Any, params: Any) -> Any:
        return jax.grad(lambda x: function(params, {**data, "x": x})["loss"].sum())(data["x"])

    found = gradient(kept, {})
    assert np.array_equal(found, gradient(sent, params)) and np.abs(found).max() > 0


def test_a_learned_input_is_a_parameter(jax: Any, client: Client) -> None:
    net = Network()
    x, shift = net.input("x", (3,)), net.parameter("shift", (3,), constant=0.5)
    net.layer("tanh", x + shift, name="active")
    function = remote(net, client=client)
    params, data = {"shift": np.array([0.5, -1.0, 2.0])}, {"x": np.linspace(-1, 1, 12).reshape(4, 3)}
    ours = jax.grad(lambda p: (function(p, data)["active"] ** 2).sum())(params)
    theirs = jax.grad(lambda p: (jax.numpy.tanh(data["x"] + p["shift"]) ** 2).sum())(params)
    np.testing.assert_allclose(ours["shift"], theirs["shift"], rtol=1e-12)


def test_a_model_is_trained_by_the_gradients_of_jax(jax: Any, tmp_path: Path) -> None:
    # The oracle is the same network written in jax, trained by `deltawire.optim` here.
    model = Client(data_dir=tmp_path).create_model(
        classifier(), name="digits", optimizer=optim.adam(0.01), seed=1
    )
    served = import_module("deltawire.integrations.jax").remote_function(model, ["scores"])

    def through_model(params: Any, data: Any) -> Any:
        return served(params, {"x": data["x"]})["scores"]

    def in_jax(params: Any, data: Any) -> Any:
        hidden = jax.numpy.tanh(data["x"] @ params["hidden.weight"].T + params["hidden.bias"])
        return hidden @ params["scores.weight"].T + params["scores.bias"]

    def loss(scores: Any) -> Any:
        def mean(params: Any, data: Any) -> Any:
            return -jax.nn.log_softmax(scores(params, data))[jax.numpy.arange(5), data["y"]].mean()

        return mean

    oracle, optimizer = model.params(), optim.adam(0.01)
    for step in range(20):
        model.step(gradients=jax.grad(loss(through_model))(model.params(), batch(step)))
        gradients = jax.grad(loss(in_jax))(oracle, batch(step))
        optimizer.step(oracle, {name: np.array(gradient) for name, gradient in gradients.items()})
    for name, array in model.params().items():
        np.testing.assert_allclose(array, oracle[name], rtol=0, atol=1e-10)


def test_without_parameters_a_model_has_its_own(jax: Any, tmp_path: Path) -> None:
    model = Client(data_dir=tmp_path).create_model(classifier(), name="digits", optimizer=optim.sgd(0.1))
    served = import_module("deltawire.integrations.jax").remote_function(model, ["scores"])
    x = batch(0)["x"]
    expected = model.vjp({"x": x}, {"scores": np.ones((5, 3))}, wrt={"params": False, "data": True})
    gradient = jax.grad(lambda x: served({}, {"x": x})["scores"].sum())(x)
    np.testing.assert_array_equal(gradient, expected["x"])
    model.step(batch(0))
    np.testing.assert_array_equal(served({}, {"x": x})["scores"], model.forward({"x": x})["scores"])

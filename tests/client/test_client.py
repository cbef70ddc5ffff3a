"""The client, against a service over a socket and embedded, and against what is no service."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import numpy as np
import pytest
import requests
from support.layers import failing, registry
from werkzeug.serving import make_server

from deltawire import (
    Client,
    Network,
    PluginFailed,
    Refused,
    Retries,
    ServiceFailed,
    TimedOut,
    Unreachable,
    wire,
)
from deltawire_service.app import create_app
from deltawire_service.settings import Settings

QUIET = Settings(log_level="error")


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The address of a server in a thread."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(create_app(QUIET)) as url:
        yield url


@pytest.fixture(params=["socket", "embedded"])
def client(request: pytest.FixtureRequest, address: str) -> Iterator[Client]:
    with Client(address + "/" if request.param == "socket" else None) as client:
        yield client


def circuit() -> Network:
    net = Network()
    x, y, z = (net.input(name) for name in "xyz")
    net.loss = (x + y) * z
    return net


def classifier() -> Network:
    net = Network()
    hidden = net.layer("tanh", net.layer("linear", net.input("x", shape=(3,)), units=4, name="hidden"))
    net.layer("softmax_nll", net.layer("linear", hidden, units=2), net.input("label", dtype="int64"))
    return net


BATCH = {"x": [[1, 2, 3], [0, 1.5, -1]], "label": [0, 1]}


def test_the_lectures_circuit(client: Client) -> None:
    loss, grads = client.value_and_grad(circuit(), {}, {"x": [-2], "y": [5], "z": [-4]}, wrt={"data": True})
    assert loss == -12
    assert {name: float(grad[0]) for name, grad in grads.items()} == {"x": -4, "y": -4, "z": 3}


def test_everything_that_can_be_asked_for(client: Client) -> None:
    net = classifier()
    params = client.init(net, seed=7)
    answer = client.gradients(
        net, params, BATCH, wrt={"params": ["*.bias"], "data": ["x"]}, reduction="sum", losses=True,
        values=["tanh1", "hidden"], deltas=("hidden",),
    )  # fmt: skip
    assert answer.params.keys() == {"hidden.bias", "linear1.bias"}
    assert answer.data["x"].shape == (2, 3)
    assert answer.values.keys() == {"tanh1", "hidden"}
    assert answer.losses is not None
    np.testing.assert_allclose(answer.losses.sum(), answer.loss)
    np.testing.assert_allclose(answer.deltas["hidden"].sum(axis=0), answer.params["hidden.bias"])
    loss, grads = client.value_and_grad(net, params, BATCH)
    np.testing.assert_allclose(loss, answer.loss / 2)
    assert grads.keys() == params.keys()
    assert all(grads[name].shape == params[name].shape for name in params)
    assert client.value_and_grad(net.spec(), params, BATCH)[0] == loss


def test_a_trace(client: Client) -> None:
    answer = client.gradients(circuit(), {}, {"x": [-2], "y": [5], "z": [-4]}, trace=True)
    assert answer.trace is not None and answer.loss == -12
    forward, backward = answer.trace["forward"], answer.trace["backward"]
    assert [float(step["value"]["numbers"][0]) for step in forward] == [3, -12]
    sent = {(sent["to"], float(sent["delta"]["numbers"][0])) for step in backward for sent in step["sends"]}
    assert sent == {("add1", -4), ("z", 3), ("x", -4), ("y", -4)}
    local = backward[0]["sends"][0]["local"]
    assert isinstance(local["numbers"], np.ndarray) and local["numbers"].dtype == np.float64
    assert (local["shape"], local["norm"], local["numbers"].tolist()) == ([1], 4, [-4])
    assert client.gradients(circuit(), {}, {"x": [-2], "y": [5], "z": [-4]}).trace is None


def test_a_trace_keeps_the_dtype_and_samples_what_is_large(client: Client) -> None:
    net = Network()
    net.layer("sum", net.layer("tanh", net.input("numbers", shape=(5000,))))
    x = np.linspace(-1, 1, 5000, dtype=np.float32)[None]
    trace = client.gradients(net, {}, {"numbers": x}, trace=True).trace
    assert trace is not None
    value = trace["forward"][0]["value"]
    assert value["sample"].shape == (16,) and value["sample"].dtype == np.float32 and "numbers" not in value


def test_a_training_loop_goes_down(client: Client) -> None:
    net = classifier()
    params = client.init(net)
    losses = []
    for _ in range(30):
        loss, grads = client.value_and_grad(net, params, BATCH)
        losses.append(loss)
        for name in params:
            params[name] -= 0.5 * grads[name]
    assert losses[-1] < 0.1 < 0.5 < losses[0]


def test_float32_stays_float32_and_lists_take_it_on(client: Client) -> None:
    net = classifier()
    params = client.init(net, seed=3, dtype="float32")
    assert {array.dtype.name for array in params.values()} == {"float32"}
    for x in (BATCH["x"], np.array(BATCH["x"], np.float32)):
        answer = client.gradients(
            net, params, {"x": x, "label": np.array([0, 1], np.uint8)}, losses=True, values=["tanh1"]
        )
        arrays = [*answer.params.values(), *answer.values.values(), answer.losses]
        assert {array.dtype.name for array in arrays if array is not None} == {"float32"}
    wide = {name: array.astype(np.float64) for name, array in params.items()}
    with pytest.raises(
        Refused, match="expected float32, as /params/hidden.weight is, got float64"
    ) as refused:
        client.gradients(net, params | {"hidden.bias": wide["hidden.bias"]}, BATCH)
    assert refused.value.code == "dtype_mismatch"
    assert client.gradients(net, wide, BATCH).params["hidden.bias"].dtype == np.float64


def test_the_same_seed_gives_the_same_parameters(client: Client) -> None:
    first, again, other = (client.init(classifier(), seed) for seed in (5, 5, 2**64 - 1))
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
    assert any((first[name] != other[name]).any() for name in first)


def test_plan_tells_what_a_request_would_take(client: Client) -> None:
    planned = client.plan(classifier(), 8)
    assert [node["name"] for node in planned["nodes"]][:2] == ["hidden", "tanh1"]
    assert {parameter["name"] for parameter in planned["parameters"]} == client.init(classifier()).keys()
    assert planned["fits"] and planned["peak_bytes"] <= planned["limit_bytes"]
    more = client.plan(classifier(), 8, wrt={"data": ["x"]}, values=["tanh1"], deltas=("hidden",))
    assert more["answered_bytes"] - planned["answered_bytes"] == 8 * 8 * (3 + 4 + 4)
    assert client.plan(classifier(), 8, dtype="float32")["given_bytes"] == planned["given_bytes"] / 2
    assert not client.plan(classifier(), 10**9)["fits"]


def test_check_agrees_unless_there_is_a_kink(client: Client) -> None:
    net = classifier()
    checked = client.check(net, client.init(net), BATCH, samples=2)
    assert checked["passed"]
    arrays = {array["name"]: array["checked"] for array in checked["arrays"]}
    assert arrays == dict.fromkeys([f"params/{name}" for name in client.init(net)] + ["data/x"], 2)
    only = client.check(
        net, client.init(net), BATCH, wrt={"params": ["*.bias"], "data": False}, reduction="sum"
    )
    assert {array["name"] for array in only["arrays"]} == {"params/hidden.bias", "params/linear1.bias"}
    deltas = client.check(
        net, client.init(net), BATCH, wrt={"params": False, "data": False}, deltas=["hidden"]
    )
    assert deltas["passed"] and [array["name"] for array in deltas["arrays"]] == ["deltas/hidden"]
    kinked = Network()
    kinked.loss = kinked.layer("relu", kinked.input("x"))
    assert not client.check(kinked, {}, {"x": [0.0]})["passed"]


def test_layers(client: Client) -> None:
    kinds = {layer["kind"]: layer for layer in client.layers()}
    assert kinds["linear"]["config"]["required"] == ["units"]


def test_numbers_that_are_not_finite_come_back_on_request(client: Client) -> None:
    net = Network()
    net.loss = net.layer("reciprocal", net.input("x"))
    with pytest.raises(Refused) as refused:
        client.value_and_grad(net, {}, {"x": [0.0]})
    assert refused.value.code == "non_finite"
    answer = client.gradients(net, {}, {"x": [0.0]}, wrt={"data": True}, losses=True, non_finite="return")
    assert (answer.loss, answer.data["x"][0], answer.losses) == (np.inf, -np.inf, [np.inf])


def test_what_the_service_refuses_is_raised_with_its_place(client: Client) -> None:
    with pytest.raises(Refused) as refused:
        client.value_and_grad(circuit(), {}, {"x": [1], "y": [1, 2], "z": [1, 2]})
    error = refused.value
    assert (error.status, error.code, error.pointer) == (422, "batch_mismatch", "/data/y")
    assert error.request_id and error.errors[0].detail in str(error)
    for wrong in (
        lambda: client.init(circuit(), seed=-1),
        lambda: client.init(circuit(), dtype="float16"),
        lambda: client.init({}),
        lambda: client.gradients(circuit(), {}, dict.fromkeys("xyz", [1]), values=["add2"]),
        lambda: client.gradients({"inputs": []}, {}, {"x": [1]}),
        lambda: client.gradients({"inputs": {"x": 5}}, {}, {"x": [1]}),
    ):
        with pytest.raises(Refused) as refused:
            wrong()
        assert refused.value.status == 422


@pytest.mark.parametrize(
    "place, value, code, pointer",
    [
        ("x", [["1", "2", "3"]], "tensor_invalid", "/data/x/0/0"),
        ("x", [[1, 2, None]], "tensor_invalid", "/data/x/0/2"),
        ("x", [[1, 2, 3], [4]], "tensor_invalid", "/data/x/1"),
        ("x", np.array([[1, 2, 3j]]), "tensor_invalid", "/data/x/0/0"),
        ("x", np.array([[True, False, True]]), "tensor_invalid", "/data/x/0/0"),
        ("x", [[2**1024, 0, 0]], "tensor_invalid", "/data/x/0/0"),
        ("x", np.zeros((1, 3), np.float16), "dtype_unsupported", "/data/x"),
        ("label", [0.5], "dtype_mismatch", "/data/label/0"),
        ("label", np.array([1.0]), "dtype_mismatch", "/data/label/0"),
        ("label", np.array([2**63], np.uint64), "tensor_invalid", "/data/label/0"),
    ],
)
def test_values_that_would_change_are_refused_before_they_are_sent(
    client: Client, place: str, value: Any, code: str, pointer: str
) -> None:
    with pytest.raises(Refused) as refused:
        client.gradients(classifier(), {}, BATCH | {place: value})
    assert (refused.value.status, refused.value.code, refused.value.pointer) == (None, code, pointer)


def test_what_cannot_be_json_is_refused(client: Client) -> None:
    with pytest.raises(Refused) as refused:
        client.init(circuit(), seed=2**64)
    assert refused.value.code == "json_invalid"


def test_a_layers_bug_and_a_bug_of_the_service() -> None:
    def broken(*arguments: Any) -> None:
        raise RuntimeError("the secret")

    app = create_app(QUIET, registry(broken=failing("forward", broken)))
    app.view_functions["v1.layers.list_layers"] = broken
    net = Network()
    net.layer("broken", net.input("x"), name="culprit")
    with serving(app) as url, Client(url) as client:
        with pytest.raises(PluginFailed, match="'culprit'") as failed:
            client.value_and_grad(net, {}, {"x": [1]})
        assert (failed.value.status, failed.value.code) == (500, "plugin_error")
        assert "secret" not in str(failed.value)
        with pytest.raises(ServiceFailed) as failed:
            client.layers()
        assert (type(failed.value), failed.value.code) == (ServiceFailed, "internal")


@pytest.mark.parametrize(
    "status, body, kind",
    [
        ("502 Bad Gateway", b"<html>nginx</html>", "text/html"),
        ("404 Not Found", b'{"message": "no route"}', "application/json"),
        ("403 Forbidden", b'{"errors": []}', "application/json"),
        ("302 Found", b"", "text/html"),
        ("200 OK", b"[]", "application/json"),
        ("200 OK", b'{"layers": 5}', "application/json"),
        ("200 OK", b"", "application/json"),
    ],
)
def test_what_is_no_answer_of_a_service_is_said_to_be_none(status: str, body: bytes, kind: str) -> None:
    def app(environ: Any, start: Any) -> list[bytes]:
        start(status, [("Content-Type", kind), ("Content-Length", str(len(body))), ("Location", "/")])
        return [body]

    once = Retries(attempts=1)
    with (
        serving(app) as url,
        Client(url, retries=once) as client,
        pytest.raises(ServiceFailed, match=url) as failed,
    ):
        client.layers()
    assert (failed.value.code, failed.value.status) == ("answer_invalid", int(status[:3]))


def test_no_answer_at_all() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with Client(url) as client, pytest.raises(Unreachable) as nothing:
            client.layers()
        assert (nothing.value.code, nothing.value.status) == ("unreachable", None)
        listening.listen()
        with Client(url, timeout=(0.2, 0.2)) as client, pytest.raises(TimedOut) as late:
            client.layers()
        assert late.value.code == "timed_out"
        assert late.value.request_id


def test_https_where_there_is_http(address: str) -> None:
    secure = address.replace("http://", "https://")
    with Client(secure, retries=Retries(attempts=1)) as client, pytest.raises(Unreachable) as nothing:
        client.layers()
    assert f"no secure connection to {secure}; is it http://?" in str(nothing.value)


def test_a_session_of_ones_own_is_used_and_left_open(address: str) -> None:
    seen: list[requests.PreparedRequest] = []

    class Session(requests.Session):
        closed = False

        def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
            seen.append(request)
            assert options["timeout"] == (1.5 if len(seen) == 1 else 5.0, 60.0)  # it has not answered yet
            return super().send(request, **options)

        def close(self) -> None:
            self.closed = True
            super().close()

    with Session() as session:
        with Client(address, session=session) as client:
            client.init(circuit())
        assert not session.closed
    (request,) = seen
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body or "")["network"] == circuit().spec()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_both_media_types_give_the_same_bits(address: str, dtype: str) -> None:
    answers = []
    for media_type in wire.MEDIA_TYPES:
        with Client(address, media_type=media_type) as client:
            params = client.init(classifier(), seed=3, dtype=dtype)
            answer = client.gradients(
                classifier(),
                params,
                BATCH,
                wrt={"data": ["x"]},
                losses=True,
                values=["tanh1"],
                deltas=["hidden"],
            )
            arrays = params | answer.params | answer.data | {"losses": answer.losses}
            arrays |= {f"v {k}": v for k, v in answer.values.items()}
            arrays |= {f"d {k}": v for k, v in answer.deltas.items()}
            answers.append(
                (answer.loss, {name: (a.dtype, a.shape, a.tobytes()) for name, a in arrays.items()})
            )
    assert answers[0] == answers[1]
    with pytest.raises(ValueError, match="application/json"):
        Client(address, media_type="application/xml")


def test_forward_and_limits() -> None:
    network = {"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "sigmoid", "name": "s"}]}
    with Client() as embedded:
        assert embedded.forward(network, {}, {"x": [0.0]}, ["s"])["s"].tolist() == [0.5]
        assert embedded.limits()["limits"]["nodes"] == 640
        with pytest.raises(Refused) as caught:
            embedded.forward(network, {}, {"x": [0.0]}, ["t"])
        assert caught.value.code == "unknown_name"


def test_forward_without_values_returns_the_outputs_that_the_data_lead_to() -> None:
    net = Network()
    x, y = net.input("x", (2,)), net.input("y", (), "int64")
    scores = net.layer("linear", x, units=3, name="scores")
    net.layer("softmax", scores, name="probs")
    net.loss = net.layer("softmax_nll", scores, y, name="loss")
    client = Client()
    params, data = client.init(net), {"x": np.ones((4, 2))}
    assert set(client.forward(net, params, data)) == {"probs"}
    assert set(client.forward(net, params, data | {"y": [0, 1, 2, 0]})) == {"probs", "loss"}
    bare = {**net.spec(), "nodes": [node for node in net.spec()["nodes"] if node["name"] != "probs"]}
    assert set(client.forward(bare, params, data)) == {"scores"}
    with pytest.raises(Refused) as refused:
        client.forward({"inputs": {}}, {}, {})
    assert refused.value.status == 422

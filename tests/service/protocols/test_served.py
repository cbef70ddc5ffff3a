"""Models by name in the protocols: the numbers of /v1 to the last bit, before and after every step."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from support.clients import FLOW, PARAMS, X, Y
from support.kserve import infer, received
from support.layers import BUILT_IN
from support.model_service import caller, compute, create, done, lists, model_service, step

from deltawire_layers import Registry
from deltawire_plugins import Registered
from deltawire_service.engine import Caches
from deltawire_service.store.errors import StoreUnavailable

SPEC = FLOW["network"]
DATA = {"x": X, "y": Y}
VERSION = "Deltawire-Model-Version"
COTANGENT = np.sin(np.arange(6.0)).reshape(2, 3)
FLOATS = ["float64", "float32"]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with model_service(tmp_path) as app:
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    client = caller(app)
    create(client, "learner", SPEC, params=lists(PARAMS))
    return client


def arrays_of(document: dict[str, Any]) -> dict[str, Any]:
    """The leaves of an answer of Tesseract as arrays."""

    def read(leaf: Any) -> Any:
        if "object_type" not in leaf:
            return arrays_of(leaf)
        raw = base64.b64decode(leaf["data"]["buffer"])
        return np.frombuffer(raw, leaf["dtype"]).reshape(leaf["shape"])

    return {path: read(leaf) for path, leaf in document.items()}


def tess(client: FlaskClient, endpoint: str, name: str = "learner", **asked: Any) -> Any:
    """The arrays of Tesseract, and the version that they come from."""
    answer = client.post(f"/tesseract/{name}/{endpoint}", json=asked)
    version = answer.headers.get(VERSION)
    return arrays_of(done(answer)), None if version is None else int(version)


def um(client: FlaskClient, route: str, name: str, x: Any, **parts: Any) -> Any:
    """The output of UM-Bridge, and the version that it comes from; None when the caller brings parameters."""
    answer = client.post(f"/umbridge/{route}", json={"name": name, "input": x} | parts)
    version = answer.headers.get(VERSION)
    return done(answer)["output"], None if version is None else int(version)


def same(found: Any, expected: Any, dtype: str = "float64") -> None:
    found, expected = np.asarray(found, dtype), np.asarray(expected, dtype)
    assert found.shape == expected.shape
    assert found.tobytes() == expected.tobytes()


def check_kserve(client: FlaskClient, version: int, dtype: str) -> None:
    x = X.astype(dtype)
    asked = {"data": lists({"x": x}), "values": ["probs", "hidden"]}
    answer = client.post("/v1/models/learner/forward", json=asked)
    assert answer.headers[VERSION] == str(version)
    values = done(answer)
    for binary in (True, False):
        answer = infer(client, "learner", {"x": x}, ["probs", "hidden"], binary)
        assert answer.headers[VERSION] == str(version)
        for name, array in received(answer).items():
            same(array, values["values"][name], dtype)
    expected = compute(client, "learner", "gradients", data=lists(DATA | {"x": x}), wrt={"data": True})
    answer = infer(client, "learner:gradients", {"x": x, "y": Y}, binary=False)
    assert answer.json["model_version"] == str(version)
    found = received(answer)
    same(found.pop("loss"), [expected["loss"]])
    for place in ("params", "data"):
        for name, gradient in expected["gradients"][place].items():
            same(found.pop(f"gradients/{place}/{name}"), gradient, dtype)
    assert not found


def check_tesseract(client: FlaskClient, version: int, dtype: str) -> None:
    x = lists({"x": X.astype(dtype)})
    values = compute(client, "learner", "forward", data=x, values=["probs"])["values"]
    found, at = tess(client, "apply", inputs=x)
    same(found["probs"], values["probs"], dtype)
    cotangents = {"probs": COTANGENT.astype(dtype).tolist()}
    products = compute(
        client, "learner", "vjp", data=x, cotangents=cotangents, wrt={"data": True, "params": True}
    )["products"]
    paths = {"x": products["data"]["x"]} | {f"params.{name}": products["params"][name] for name in PARAMS}
    asked = {"vjp_inputs": list(paths), "vjp_outputs": ["probs"], "cotangent_vector": cotangents}
    found, then = tess(client, "vector_jacobian_product", inputs=x, **asked)
    for path, product in paths.items():
        same(found[path], product, dtype)
    tangents = compute(client, "learner", "jvp", data=x, tangents={"data": x}, outputs=["probs"])["tangents"]
    asked = {"jvp_inputs": ["x"], "jvp_outputs": ["probs"], "tangent_vector": x}
    found, last = tess(client, "jacobian_vector_product", inputs=x, **asked)
    same(found["probs"], tangents["probs"], dtype)
    blocks = compute(client, "learner", "jacobian", data=x, outputs=["probs"], wrt={"params": True})
    asked = {"jac_inputs": ["params.scores.bias"], "jac_outputs": ["probs"]}
    found, _ = tess(client, "jacobian", inputs=x, **asked)
    same(
        found["probs"]["params.scores.bias"],
        blocks["jacobian"]["probs"]["params"]["scores.bias"],
        dtype,
    )
    assert (at, then, last) == (version,) * 3


def check_umbridge(client: FlaskClient, version: int, dtype: str) -> None:
    x = X[:1].astype(dtype).tolist()
    data = {"x": x}
    values = compute(client, "learner", "forward", data=data, values=["log_probs", "probs"])["values"]
    found, at = um(client, "Evaluate", "learner", x)
    for vector, name in zip(found, ("log_probs", "probs"), strict=True):
        same([vector], values[name], dtype)
    sens = COTANGENT[0].astype(dtype).tolist()
    products = compute(
        client, "learner", "vjp", data=data, cotangents={"probs": [sens]}, wrt={"data": True, "params": False}
    )["products"]
    found, then = um(client, "Gradient", "learner", x, outWrt=1, inWrt=0, sens=sens)
    same([found], products["data"]["x"], dtype)
    tangents = compute(client, "learner", "jvp", data=data, tangents={"data": data}, outputs=["probs"])
    found, last = um(client, "ApplyJacobian", "learner", x, outWrt=1, inWrt=0, vec=x[0])
    same([found], tangents["tangents"]["probs"], dtype)
    assert (at, then, last) == (version,) * 3
    # The caller brings the parameters: those of the model, and their vector has the model's order.
    described = done(client.get("/v1/models/learner"))
    params = done(client.get("/v1/models/learner/params"))["params"]
    theta = np.concatenate([np.ravel(params[each["name"]]) for each in described["parameters"]]).tolist()
    whole = lists(DATA | {"x": X.astype(dtype)})
    gradients = compute(client, "learner", "gradients", data=whole)
    found, at = um(client, "Evaluate", "learner.loss", [theta], config={"data": whole})
    assert at is None
    same(found, [[gradients["loss"]]], dtype)
    asked = {"outWrt": 0, "inWrt": 0, "sens": [1.0], "config": {"data": whole}}
    found, _ = um(client, "Gradient", "learner.loss", [theta], **asked)
    flat = [np.ravel(gradients["gradients"]["params"][each["name"]]) for each in described["parameters"]]
    same(found, np.concatenate(flat), dtype)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("check", [check_kserve, check_tesseract, check_umbridge])
def test_a_model_has_the_numbers_of_its_newest_version(app: Flask, check: Any, dtype: str) -> None:
    client = caller(app)
    create(client, "learner", SPEC, params=lists(PARAMS), dtype=dtype)
    check(client, 0, dtype)
    for version in (1, 2, 3):
        step(client, "learner", DATA | {"x": X.astype(dtype)})
        check(client, version, dtype)
    done(client.post("/v1/models/learner/restore", json={"version": 1}))
    check(client, 4, dtype)


def test_a_model_is_described_as_a_network_is(client: FlaskClient) -> None:
    """It offers the nodes that only losses take: `log_probs` leads to the loss, `probs` nowhere."""
    outputs = [{"name": name, "datatype": "FP64", "shape": [-1, 3]} for name in ("log_probs", "probs")]
    for name, own in (("learner", {"outputs": outputs}), ("learner:gradients", {})):
        mine = done(client.get(f"/v2/models/{name}"))
        other = done(client.get(f"/v2/models/{name.replace('learner', 'flow')}"))
        assert mine == other | {"name": name, "versions": ["0"]} | own
        assert done(client.get(f"/v2/models/{name}/ready"))["ready"] is True
    inputs = [done(client.get(f"/v2/models/{name}/config"))["input"] for name in ("learner", "flow")]
    assert inputs[0] == inputs[1]
    mine, other = (done(client.get(f"/tesseract/{name}/openapi.json")) for name in ("learner", "flow"))
    schemas = [document["components"]["schemas"] for document in (mine, other)]
    assert schemas[0]["ApplyInputSchema"] == schemas[1]["ApplyInputSchema"]
    assert schemas[0]["Apply_OutputSchema"]["properties"].keys() == {"log_probs", "probs"}
    assert mine["info"]["title"] == "learner"
    assert client.get("/tesseract/learner/health").json == {"status": "ok"}
    abstract = {"inputs": {"x": {"shape": [5, 4], "dtype": "float64"}}}
    shapes = done(client.post("/tesseract/learner/abstract_eval", json=abstract))
    assert shapes == {name: {"shape": [5, 3], "dtype": "float64"} for name in ("log_probs", "probs")}
    for suffix, sizes in (("", ([4], [3, 3])), (".loss", ([35], [1])), (".loglik", ([35], [1]))):
        named = {"name": f"learner{suffix}"}
        found = [done(client.post(f"/{route}", json=named)) for route in ("InputSizes", "OutputSizes")]
        assert found == [{"inputSizes": sizes[0]}, {"outputSizes": sizes[1]}]
        assert done(client.post("/ModelInfo", json=named))["support"]["ApplyHessian"] is True
    assert {"learner", "learner.loss", "learner.loglik"} <= set(client.get("/Info").json["models"])


def test_a_model_without_a_loss_offers_what_no_other_node_takes(app: Flask) -> None:
    client = caller(app)
    spec = {
        "inputs": {"x": {"shape": [2]}},
        "nodes": [{"name": "f", "kind": "linear", "config": {"units": 1}}],
    }
    create(client, "line", spec)
    losses = {
        "inputs": {"x": {"shape": [1]}, "w": {"shape": [1], "parameter": {"normal": 1.0}}},
        "nodes": [{"name": "square", "kind": "squared_error", "inputs": ["w", "x"]}],
    }
    create(client, "losses", losses)
    assert [each["name"] for each in client.get("/v2/models/losses").json["outputs"]] == ["square"]
    # `line` is published too, and stays what it was.
    assert client.get("/tesseract/line/openapi.json").json["info"]["title"] == "line"
    create(client, "other", spec)
    assert [each["name"] for each in client.get("/v2/models/other").json["outputs"]] == ["f"]
    assert client.get("/v2/models/other:gradients").status_code == 404


def test_kserve_names_versions(client: FlaskClient) -> None:
    for _ in range(3):
        step(client, "learner", DATA)
    assert done(client.get("/v2/models/learner"))["versions"] == ["3"]
    for version in range(4):
        at = f"/v2/models/learner/versions/{version}"
        assert done(client.get(at))["versions"] == [str(version)]
        assert done(client.get(f"{at}/ready"))["ready"] is True
        for name, asked in (("learner", {"x": X}), ("learner:gradients", DATA)):
            answer = infer(client, f"{name}/versions/{version}", asked, binary=False)
            assert answer.json["model_version"] == answer.headers[VERSION] == str(version)
        values = compute(
            client, "learner", "forward", data=lists({"x": X}), values=["probs"], version=version
        )["values"]
        answer = infer(client, f"learner/versions/{version}", {"x": X})
        same(received(answer)["probs"], values["probs"])
    index = {entry["name"]: entry for entry in client.post("/v2/repository/index").json}
    assert index["learner:gradients"] == {
        "name": "learner:gradients", "version": "3", "state": "READY", "reason": "",
    }  # fmt: skip


@pytest.mark.parametrize("version", ["4", "-1", "01", "x", "1.0", "9" * 18, "9" * 40, "%D9%A3", "1%0A"])
def test_a_version_that_there_is_not(client: FlaskClient, version: str) -> None:
    for route in ("", "/config", "/ready"):
        answer = client.get(f"/v2/models/learner/versions/{version}{route}")
        assert (answer.status_code, answer.json["code"]) == (404, "version_not_found"), answer.text
    answer = infer(client, f"learner/versions/{version}", {"x": X})
    assert (answer.status_code, answer.json["code"]) == (404, "version_not_found")
    for name in ("flow", "flow:gradients"):
        answer = client.get(f"/v2/models/{name}/versions/{version}")
        assert (answer.status_code, answer.json["code"]) == (404, "version_not_found")


def test_another_dtype_is_never_that_of_an_earlier_version(client: FlaskClient) -> None:
    inputs = {"x": {"shape": [2, 4], "dtype": "float32", "data": {"buffer": X.tolist(), "encoding": "json"}}}
    x = X.astype("f4")
    for _ in range(3):
        params = done(client.get("/v1/models/learner/params"))["params"]
        narrow = {name: np.array(array, "f4").tolist() for name, array in params.items()}
        document = {
            "network": SPEC,
            "params": narrow,
            "data": {"x": x.tolist()},
            "dtype": "float32",
            "values": ["probs"],
        }
        expected = done(client.post("/v1/forward", json=document))["values"]["probs"]
        for _ in range(2):
            found, at = tess(client, "apply", inputs=inputs)
            same(found["probs"], expected, "f4")
            assert at is None  # they are cast first
        step(client, "learner", DATA)


def test_parameters_of_the_request_take_the_place_of_the_models(client: FlaskClient) -> None:
    bias = np.array([1.0, -1.0, 0.5])
    params = done(client.get("/v1/models/learner/params"))["params"] | {"scores.bias": bias.tolist()}
    document = {"network": SPEC, "params": params, "data": lists(DATA), "values": ["probs"]}
    expected = done(client.post("/v1/gradients", json=document))
    found = received(
        infer(client, "learner:gradients", DATA | {"scores.bias": bias}, ["loss", "values/probs"])
    )
    same(found["loss"], [expected["loss"]])
    inputs = {"x": X.tolist(), "params": {"scores": {"bias": bias.tolist()}}}
    answer = client.post("/tesseract/learner/apply", json={"inputs": inputs})
    assert VERSION not in answer.headers
    for array in (found["values/probs"], arrays_of(done(answer))["probs"]):
        same(array, expected["values"]["probs"])


def test_a_published_network_keeps_its_name(client: FlaskClient, tmp_path: Path) -> None:
    answers = [
        lambda: received(infer(client, "flow", {"x": X}))["probs"].tobytes(),
        lambda: client.post("/tesseract/flow/apply", json={"inputs": {"x": X.tolist()}}).data,
        lambda: client.post("/Evaluate", json={"name": "flow", "input": X[:1].tolist()}).data,
        lambda: client.get("/v2/models/flow/versions/1").data,
        lambda: sorted(client.get("/Info").json["models"]),
        lambda: client.post("/v2/repository/index").data,
    ]
    before = [answer() for answer in answers]
    create(client, "flow", SPEC, seed=7)
    step(client, "flow", DATA)
    assert [answer() for answer in answers] == before
    assert VERSION not in client.post("/tesseract/flow/apply", json={"inputs": {"x": X.tolist()}}).headers
    own = compute(client, "flow", "forward", data=lists({"x": X}), values=["probs"])["values"]["probs"]
    assert np.array(own).tobytes() != before[0]


def test_a_name_whose_file_cannot_be_served_is_no_model(client: FlaskClient, tmp_path: Path) -> None:
    (tmp_path / "networks" / "broken.safetensors").write_bytes(b"nothing")
    with model_service(tmp_path) as app:
        asking = caller(app)
        create(asking, "broken", SPEC)
        for answer in (
            asking.get("/v2/models/broken"),
            asking.get("/tesseract/broken/health"),
            infer(asking, "broken", {"x": X}),
        ):
            assert (answer.status_code, answer.json["code"]) == (404, "network_not_found")
        assert asking.post("/Evaluate", json={"name": "broken", "input": X[:1].tolist()}).status_code == 400
        entries = [e for e in asking.post("/v2/repository/index").json if e["name"].startswith("broken")]
        assert [entry["state"] for entry in entries] == ["UNAVAILABLE"]


def test_each_key_has_models_of_its_own(tmp_path: Path) -> None:
    with model_service(tmp_path, "anna", "ben") as app:
        anna, ben = caller(app, "anna"), caller(app, "ben")
        create(anna, "shared", SPEC, seed=1)
        create(ben, "shared", SPEC, seed=2)
        create(ben, "secret", SPEC, seed=3)
        step(ben, "shared", DATA)

        def names(client: FlaskClient) -> list[set[str]]:
            index = {(entry["name"], entry["version"]) for entry in client.post("/v2/repository/index").json}
            assert ("shared", "1" if client is ben else "0") in index
            return [set(client.get("/Info").json["models"]), {name for name, _ in index}]

        for mine, others in zip(names(anna), names(ben), strict=True):
            assert "shared" in mine and others - mine and all(n.startswith("secret") for n in others - mine)
        for client in (anna, ben):
            expected = compute(client, "shared", "forward", data=lists({"x": X}), values=["probs"])["values"]
            same(received(infer(client, "shared", {"x": X}))["probs"], expected["probs"])
            same(tess(client, "apply", "shared", inputs={"x": X.tolist()})[0]["probs"], expected["probs"])
        for answer in (
            anna.get("/v2/models/secret"),
            anna.get("/v2/models/secret/versions/0/ready"),
            infer(anna, "secret", {"x": X}),
            anna.get("/tesseract/secret/health"),
            anna.post("/tesseract/secret/apply", json={"inputs": {"x": X.tolist()}}),
            anna.post("/Evaluate", json={"name": "secret", "input": X[:1].tolist()}),
            anna.post("/InputSizes", json={"name": "secret.loss"}),
        ):
            assert answer.status_code in (400, 404)
            assert "there is no model 'secret" in answer.text and "did you mean 'secret'" not in answer.text
        assert "did you mean 'secret'" in ben.get("/v2/models/sicret").text


def test_a_name_means_the_model_that_has_it_now(client: FlaskClient) -> None:
    done(client.delete("/v1/models/learner"))
    assert client.get("/v2/models/learner").status_code == 404
    assert client.get("/tesseract/learner/health").status_code == 404
    spec = {
        "inputs": {"x": {"shape": [2]}, "y": {"shape": [1]}},
        "nodes": [
            {"name": "f", "kind": "linear", "inputs": ["x"], "config": {"units": 1}},
            {"name": "square", "kind": "squared_error", "inputs": ["f", "y"]},
        ],
    }
    create(client, "learner", spec, dtype="float32")
    assert done(client.get("/v2/models/learner"))["inputs"] == [
        {"name": "x", "datatype": "FP32", "shape": [-1, 2]}
    ]
    assert done(client.post("/InputSizes", json={"name": "learner.loss"})) == {"inputSizes": [3]}
    assert tess(client, "apply", inputs={"x": [[1.0, 2.0]]})[0]["f"].shape == (1, 1)


def test_a_model_whose_layer_is_gone_is_unavailable(client: FlaskClient, tmp_path: Path) -> None:
    create(
        client,
        "later",
        {"inputs": {"x": {"shape": [2]}}, "nodes": [{"kind": "linear", "config": {"units": 1}}]},
    )
    fewer = Registry(
        {
            kind: Registered(BUILT_IN[kind], BUILT_IN.distribution(kind))
            for kind in BUILT_IN
            if kind != "sigmoid"
        }
    )
    with model_service(tmp_path, layers=fewer) as app:
        asking = caller(app)
        index = {entry["name"]: entry for entry in asking.post("/v2/repository/index").json}
        assert index["learner"]["state"] == "UNAVAILABLE" and "sigmoid" in index["learner"]["reason"]
        assert index["later"]["state"] == "READY"
        assert {"later"} <= set(asking.get("/Info").json["models"])
        assert not any(name.startswith("learner") for name in asking.get("/Info").json["models"])
        assert "sigmoid" in asking.get("/v2/models/learner").text


@pytest.mark.parametrize(
    "name", ["", ".", "learner.", "flaw", "a" * 65, "l\u0435arner", "\x00", None, 3, [], {}]
)
def test_a_name_that_no_model_can_have(client: FlaskClient, name: Any) -> None:
    for route in ("Evaluate", "InputSizes", "ModelInfo"):
        answer = client.post(f"/{route}", json={"name": name, "input": X[:1].tolist()})
        assert (answer.status_code, answer.json["error"]["type"]) == (400, "ModelNotFound"), answer.text


def slots(app: Flask, name: str) -> list[str]:
    store = app.extensions["deltawire"].models
    return [each.name for each in store.folder_of(store.find("", name).id).slots.iterdir()]


@pytest.mark.parametrize(
    "route, body",
    [
        ("/tesseract/learner/apply", {"inputs": {"x": X.tolist()}}),
        ("/Evaluate", {"name": "learner", "input": X[:1].tolist()}),
        ("/v2/models/learner/infer", {"inputs": [
            {"name": "x", "shape": [2, 4], "datatype": "FP64", "data": X.tolist()}
        ]}),
        ("/tesseract/learner/apply", {"inputs": {"z": 1}}),
    ],
)  # fmt: skip
def test_a_slot_is_held_until_the_answer_is_sent(
    app: Flask, client: FlaskClient, route: str, body: Any
) -> None:
    for _ in range(3):
        step(client, "learner", DATA)
    assert len(slots(app, "learner")) == 2  # they take turns
    reading = client.post(route, json=body)
    for _ in range(3):
        step(client, "learner", DATA)
    assert len(slots(app, "learner")) == 3  # one is read still, and not written
    again = client.post(route, json=body)
    assert again.status_code == reading.status_code
    reading.close(), again.close()
    for _ in range(3):
        step(client, "learner", DATA)
    assert len(slots(app, "learner")) == 3


def test_a_lost_slot_is_computed_again(app: Flask, client: FlaskClient) -> None:
    step(client, "learner", DATA)
    before = received(infer(client, "learner", {"x": X}))["probs"]
    store = app.extensions["deltawire"].models
    for slot in store.folder_of(store.find("", "learner").id).slots.iterdir():
        slot.unlink()
    found, version = tess(client, "apply", inputs={"x": X.tolist()})
    same(found["probs"], before)
    assert version == 1


def test_a_disk_that_fails_has_the_form_of_each_protocol(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise StoreUnavailable("the disk cannot be used")

    monkeypatch.setattr("deltawire_service.protocols.served.open_version", fail)
    kserve = infer(client, "learner", {"x": X})
    tesseract = client.post("/tesseract/learner/apply", json={"inputs": {"x": X.tolist()}})
    umbridge = client.post("/Evaluate", json={"name": "learner", "input": X[:1].tolist()})
    assert [answer.status_code for answer in (kserve, tesseract, umbridge)] == [503] * 3
    assert kserve.json["code"] == tesseract.json["code"] == "store_unavailable"
    assert umbridge.json["error"]["type"] == "InternalError"


def test_nothing_that_is_cached_has_numbers_of_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model has 1 MB of parameters; after many requests the caches have far less."""
    caches = Caches()
    monkeypatch.setattr("deltawire_service.app.Caches", lambda most_bytes: caches)
    wide = {
        "inputs": {"x": {"shape": [4]}, "y": {"shape": [3]}},
        "nodes": [
            {"name": "wide", "kind": "linear", "inputs": ["x"], "config": {"units": 16_384}},
            {"name": "f", "kind": "linear", "config": {"units": 3}},
            {"name": "square", "kind": "squared_error", "inputs": ["f", "y"]},
        ],
    }
    x = {"x": {"shape": [2, 4], "dtype": "float32", "data": {"buffer": X.tolist(), "encoding": "json"}}}
    with model_service(tmp_path) as app:
        client = caller(app)
        create(client, "wide", wide)
        for _ in range(3):
            step(client, "wide", {"x": X, "y": COTANGENT})
            for asked in (x, {"x": X.tolist()}):
                tess(client, "apply", "wide", inputs=asked)
            um(client, "Evaluate", "wide", X[:1].tolist())
            received(infer(client, "wide", {"x": X}))
    assert 0 < caches.bytes < 300_000


def test_the_constants_of_a_model_may_be_left_out(client: FlaskClient) -> None:
    constants = {"mean": np.array([0.5, -1.0]), "var": np.array([4.0, 0.25])}
    entry = {"shape": [2], "shared": True, "constant": True}
    spec = {
        "inputs": {"x": {"shape": [2]}, "mean": entry, "var": entry},
        "nodes": [
            {"name": "normed", "kind": "batch_norm", "inputs": ["x", "mean", "var"]},
            {"name": "scores", "kind": "linear", "config": {"units": 3}},
        ],
    }
    create(client, "normed", spec, data=lists(constants))
    x = X[:1, :2]
    expected = compute(client, "normed", "forward", data=lists({"x": x}), values=["scores"])["values"][
        "scores"
    ]
    sent = compute(client, "normed", "forward", data=lists({"x": x} | constants), values=["scores"])
    same(sent["values"]["scores"], expected)
    same(received(infer(client, "normed", {"x": x}, ["scores"]))["scores"], expected)
    same(tess(client, "apply", "normed", inputs=lists({"x": x}))[0]["scores"], expected)
    same(um(client, "Evaluate", "normed", x.tolist())[0], expected)
    inputs = {each["name"]: each for each in done(client.get("/v2/models/normed/config"))["input"]}
    assert inputs["mean"]["optional"] and not inputs["x"]["optional"]
    moved = {"mean": np.zeros(2)}
    other = compute(client, "normed", "forward", data=lists({"x": x} | moved), values=["scores"])["values"]
    same(received(infer(client, "normed", {"x": x} | moved, ["scores"]))["scores"], other["scores"])

"""All faces give the numbers of /v1, to the last bit; each can be switched off."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from support.clients import FLOW, PARAMS, X, Y, publish_all
from support.kserve import infer, received

from deltawire_service.app import create_app
from deltawire_service.protocols import PROTOCOLS
from deltawire_service.setting_checks import PROTOCOLS as NAMES
from deltawire_service.settings import Settings

FLAT = np.concatenate([array.ravel() for array in PARAMS.values()])
COTANGENT = np.sin(np.arange(6.0)).reshape(2, 3)


def v1(client: FlaskClient, route: str, network: str = "flow", **parts: Any) -> Any:
    """The answer of /v1 for the published network, arrays as lists."""
    request = {"network": {"name": network}} | parts
    answer = client.post(f"/v1/{route}", json=request)
    assert answer.status_code == 200, answer.json
    return answer.json


def um(client: FlaskClient, route: str, name: str, x: Any, **parts: Any) -> Any:
    """The output of UM-Bridge."""
    answer = client.post(f"/umbridge/{route}", json={"name": name, "input": x} | parts)
    assert answer.status_code == 200, answer.text
    return answer.json["output"]


def tess(client: FlaskClient, endpoint: str, network: str = "flow", **asked: Any) -> dict[str, np.ndarray]:
    """The arrays in the answer of Tesseract."""
    answer = client.post(f"/tesseract/{network}/{endpoint}", json=asked)
    assert answer.status_code == 200, answer.text

    def read(leaf: Any) -> Any:
        if "object_type" not in leaf:
            return {key: read(value) for key, value in leaf.items()}
        raw = base64.b64decode(leaf["data"]["buffer"])
        return np.frombuffer(raw, leaf["dtype"]).reshape(leaf["shape"])

    return {path: read(leaf) for path, leaf in answer.json.items()}


def same(found: Any, expected: Any, dtype: str = "float64") -> None:
    found, expected = np.asarray(found, dtype), np.asarray(expected, dtype)
    assert found.shape == expected.shape
    assert found.tobytes() == expected.tobytes()


def test_values(client: FlaskClient) -> None:
    expected = v1(client, "forward", data={"x": X.tolist()})["values"]["probs"]
    same(tess(client, "apply", inputs={"x": X.tolist()})["probs"], expected)
    for binary in (True, False):
        same(received(infer(client, "flow", {"x": X}, binary=binary))["probs"], expected)
    for row, values in zip(X, expected, strict=True):
        alone = v1(client, "forward", data={"x": [row.tolist()]})["values"]["probs"]
        same(um(client, "Evaluate", "flow", [row.tolist()]), alone)
        np.testing.assert_allclose(alone, [values], rtol=1e-14)


def test_values_in_float32(client: FlaskClient) -> None:
    x = X.astype("f4")
    expected = v1(client, "forward", "flow32", data={"x": x.tolist()})["values"]["probs"]
    same(tess(client, "apply", "flow32", inputs={"x": x.tolist()})["probs"], expected, "f4")
    same(received(infer(client, "flow32", {"x": x}))["probs"], expected, "f4")
    alone = v1(client, "forward", "flow32", data={"x": x[:1].tolist()})["values"]["probs"]
    same(um(client, "Evaluate", "flow32", x[:1].tolist()), alone, "f4")


def test_loss_and_gradients(client: FlaskClient) -> None:
    expected = v1(client, "gradients", data=FLOW["data"], wrt={"data": True})
    found = received(infer(client, "flow:gradients", {"x": X, "y": Y}))
    same(found.pop("loss"), [expected["loss"]])
    for place in ("params", "data"):
        for name, gradient in expected["gradients"][place].items():
            same(found.pop(f"gradients/{place}/{name}"), gradient)
    assert not found
    gradient = [np.ravel(expected["gradients"]["params"][name]) for name in PARAMS]
    config = {"data": FLOW["data"]}
    same(um(client, "Evaluate", "flow.loss", [FLAT.tolist()], config=config), [[expected["loss"]]])
    asked = {"outWrt": 0, "inWrt": 0, "sens": [1.0]}
    for model, of in (("flow.loss", config), ("pinned.loss", {})):
        same(um(client, "Gradient", model, [FLAT.tolist()], config=of, **asked), np.concatenate(gradient))
    summed = v1(client, "gradients", "pinned", reduction="sum")
    same(um(client, "Evaluate", "pinned.loglik", [FLAT.tolist()]), [[-summed["loss"]]])


def test_everything_else_a_gradient_request_may_ask_for(client: FlaskClient) -> None:
    parts = {"values": ["probs"], "deltas": ["hidden"], "losses": True}
    expected = v1(client, "gradients", "pinned", **parts)
    found = received(infer(client, "pinned:gradients", {}, ["losses", "values/probs", "deltas/hidden"]))
    same(found["losses"], expected["losses"])
    same(found["values/probs"], expected["values"]["probs"])
    same(found["deltas/hidden"], expected["deltas"]["hidden"])


def test_products(client: FlaskClient) -> None:
    cotangents = {"probs": COTANGENT.tolist()}
    backward = v1(
        client, "vjp", data={"x": X.tolist()}, cotangents=cotangents, wrt={"data": True, "params": True}
    )["products"]
    paths = {"x": backward["data"]["x"]} | {f"params.{n}": backward["params"][n] for n in PARAMS}
    asked = {"vjp_inputs": list(paths), "vjp_outputs": ["probs"], "cotangent_vector": cotangents}
    found = tess(client, "vector_jacobian_product", inputs={"x": X.tolist()}, **asked)
    for path, product in paths.items():
        same(found[path], product)
    alone = {"probs": COTANGENT[:1].tolist()}
    expected = v1(
        client, "vjp", data={"x": X[:1].tolist()}, cotangents=alone, wrt={"data": True, "params": False}
    )
    asked = {"outWrt": 0, "inWrt": 0, "sens": COTANGENT[0].tolist()}
    found = um(client, "Gradient", "flow", X[:1].tolist(), **asked)
    same([found], expected["products"]["data"]["x"])

    tangents = {"x": (X + 1).tolist()}
    forward = v1(client, "jvp", data={"x": X.tolist()}, tangents={"data": tangents}, outputs=["probs"])[
        "tangents"
    ]["probs"]
    asked = {"jvp_inputs": ["x"], "jvp_outputs": ["probs"], "tangent_vector": tangents}
    same(tess(client, "jacobian_vector_product", inputs={"x": X.tolist()}, **asked)["probs"], forward)
    asked = {"outWrt": 0, "inWrt": 0, "vec": (X[0] + 1).tolist()}
    alone = v1(
        client,
        "jvp",
        data={"x": X[:1].tolist()},
        tangents={"data": {"x": tangents["x"][:1]}},
        outputs=["probs"],
    )["tangents"]["probs"]
    same([um(client, "ApplyJacobian", "flow", X[:1].tolist(), **asked)], alone)


def test_the_jacobian(client: FlaskClient) -> None:
    blocks = v1(
        client, "jacobian", data={"x": X.tolist()}, outputs=["probs"], wrt={"data": True, "params": True}
    )["jacobian"]["probs"]
    asked = {"jac_inputs": ["x", "params.scores.weight"], "jac_outputs": ["probs"]}
    found: Any = tess(client, "jacobian", inputs={"x": X.tolist()}, **asked)["probs"]
    same(found["params.scores.weight"], blocks["params"]["scores.weight"])
    for i in range(2):
        same(found["x"][i, :, i, :], blocks["data"]["x"][i])
        same(found["x"][i, :, 1 - i, :], np.zeros((3, 4)))


def test_second_order(client: FlaskClient) -> None:
    vec = np.cos(np.arange(35.0))
    parts, at = {}, 0
    for name, array in PARAMS.items():
        parts[name] = vec[at : at + array.size].reshape(array.shape).tolist()
        at += array.size
    expected = v1(client, "hvp", "pinned", vectors={"params": parts})["products"]["params"]
    asked = {"outWrt": 0, "inWrt1": 0, "inWrt2": 0, "sens": [1.0], "vec": vec.tolist()}
    found = um(client, "ApplyHessian", "pinned.loss", [FLAT.tolist()], **asked)
    same(found, np.concatenate([np.ravel(expected[name]) for name in PARAMS]))


def test_every_answer_tells_whose_parameters_it_comes_from(client: FlaskClient) -> None:
    (params_id,) = {v1(client, "forward", data={"x": X.tolist()})["params_id"]}
    answers = [
        client.post("/Evaluate", json={"name": "flow", "input": X[:1].tolist()}),
        client.post("/tesseract/flow/apply", json={"inputs": {"x": X.tolist()}}),
        infer(client, "flow", {"x": X}),
    ]
    assert {answer.headers["Deltawire-Params-Id"] for answer in answers} == {params_id}
    config = {"data": FLOW["data"]}
    trained = client.post("/Evaluate", json={"name": "flow.loss", "input": [FLAT.tolist()], "config": config})
    bias = {"scores": {"bias": [0.0, 0.0, 0.0]}}
    changed = client.post("/tesseract/flow/apply", json={"inputs": {"x": X.tolist(), "params": bias}})
    for answer in (trained, changed):
        assert answer.status_code == 200 and "Deltawire-Params-Id" not in answer.headers


ROUTES = {"kserve": "/v2/models/flow", "tesseract": "/tesseract/flow/health", "umbridge": "/Info"}


@pytest.mark.parametrize("protocol", NAMES)
def test_each_can_be_switched_off(protocol: str, tmp_path: Path) -> None:
    publish_all(tmp_path)
    others = ",".join(name for name in NAMES if name != protocol)
    settings = Settings(log_level="error", networks_dir=str(tmp_path), protocols=others)
    asking = create_app(settings).test_client()
    for name, route in ROUTES.items():
        answer = asking.get(route)
        assert answer.status_code == (404 if name == protocol else 200), name
    assert not any(f" {ROUTES[protocol][:3]}" in route for route in asking.get("/").json["routes"])


def test_all_can_be_switched_off(tmp_path: Path) -> None:
    assert set(NAMES) == set(PROTOCOLS)
    asking = create_app(Settings(log_level="error", networks_dir=str(tmp_path), protocols="")).test_client()
    assert {asking.get(route).status_code for route in ROUTES.values()} == {404}


@pytest.mark.parametrize("route", ROUTES.values())
def test_keys_are_asked_for_in_every_protocol(route: str, tmp_path: Path) -> None:
    publish_all(tmp_path)
    line = f"{hashlib.sha256(b'secret').hexdigest()} tests requests_per_second=1"
    settings = Settings(log_level="error", networks_dir=str(tmp_path), api_keys=line)
    asking = create_app(settings).test_client()
    refused = asking.get(route)
    assert refused.status_code in (400, 401) and "Basic" in ",".join(
        refused.headers.getlist("WWW-Authenticate")
    )
    assert "API key" in refused.text and "secret" not in refused.text
    assert (
        asking.get(route, auth=("secret", "")).status_code == 200
    )  # as in http://secret@host, for clients of few ways
    assert asking.get(route, headers={"Authorization": "Bearer secret"}).headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    "route",
    [
        "/Evaluate",
        "/umbridge/Evaluate",
        "/tesseract/flow/apply",
        "/v2/models/flow/infer",
        "/v2/repository/index",
    ],
)
@pytest.mark.parametrize(
    "media_type", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]
)
def test_no_web_form_makes_a_protocol_compute(client: FlaskClient, route: str, media_type: str) -> None:
    bodies = {"/v2": '{"inputs": []}'}
    body = bodies.get(route[:3], '{"name": "flow", "input": [[1, 1, 1, 1]], "inputs": {"x": [[1, 1, 1, 1]]}}')
    assert client.post(route, data=body, content_type=media_type).status_code == 415
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    assert client.post(route, data=body, content_type="application/json", headers=headers).status_code == 403
    assert client.post(route, data=body).status_code not in (403, 415)

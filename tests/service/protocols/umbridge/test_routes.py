"""UM-Bridge: each thing its protocol's own suite looks at, in words of ours; and requests that are wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from support.clients import FLOW, PARAMS, X
from support.publishing import publish

from deltawire_service.app import create_app
from deltawire_service.settings import Settings

PREFIXES = ("", "/umbridge")
THETA = [[0.1] * 35]
GRADIENT = {"outWrt": 0, "inWrt": 0, "sens": [1.0]}
JACOBIAN = {"outWrt": 0, "inWrt": 0, "vec": THETA[0]}
HESSIAN = {"outWrt": 0, "inWrt1": 0, "inWrt2": 0, "sens": [1.0], "vec": THETA[0]}
ROUTES: dict[str, dict[str, Any]] = {
    "Evaluate": {}, "Gradient": GRADIENT, "ApplyJacobian": JACOBIAN, "ApplyHessian": HESSIAN,
}  # fmt: skip


def post(client: FlaskClient, route: str, body: Any, prefix: str = "/umbridge") -> Any:
    """As the protocol's suite sends it: without a Content-Type."""
    return client.post(f"{prefix}/{route}", data=body if isinstance(body, bytes) else json.dumps(body))


def refused(answer: Any, kind: str, status: int = 400) -> str:
    """The message of an error, which has a type and a message and nothing else in it."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/json"
    assert answer.json.keys() == {"error"} and answer.json["error"].keys() == {"type", "message"}
    assert answer.json["error"]["type"] == kind
    return str(answer.json["error"]["message"])


@pytest.mark.parametrize("prefix", PREFIXES)
def test_info(client: FlaskClient, prefix: str) -> None:
    info = client.get(f"{prefix}/Info")
    assert info.status_code == 200 and info.json.keys() == {"protocolVersion", "models"}
    assert info.json["protocolVersion"] == 1.0
    assert {"flow", "flow.loss", "flow.loglik", "line.loglik"} <= set(info.json["models"])
    for model in info.json["models"]:
        support = post(client, "ModelInfo", {"name": model}, prefix)
        everything = dict.fromkeys(("Evaluate", "Gradient", "ApplyJacobian", "ApplyHessian"), True)
        assert (support.status_code, support.json) == (200, {"support": everything})


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_model_keeps_its_sizes(client: FlaskClient, prefix: str) -> None:
    for model in client.get(f"{prefix}/Info").json["models"]:
        config = {} if model.startswith(("pinned", "line")) or "." not in model else {"data": FLOW["data"]}
        named = {"name": model, "config": config}
        into = post(client, "InputSizes", named, prefix).json
        out = post(client, "OutputSizes", named, prefix).json
        assert into.keys() == {"inputSizes"} and out.keys() == {"outputSizes"}
        into, out = into["inputSizes"], out["outputSizes"]
        at = named | {"input": [[0.0] * size for size in into]}
        for route, parts, sizes in (
            ("Evaluate", {}, out),
            ("Gradient", {"outWrt": 0, "inWrt": 0, "sens": [0] * out[0]}, into[0]),
            ("ApplyJacobian", {"outWrt": 0, "inWrt": 0, "vec": [0.0] * into[0]}, out[0]),
            ("ApplyHessian", HESSIAN | {"sens": [0] * out[0], "vec": [0] * into[0]}, into[0]),
        ):
            answer = post(client, route, at | parts, prefix)
            assert answer.status_code == 200 and answer.json.keys() == {"output"}, answer.text
            output = answer.json["output"]
            assert (list(map(len, output)) if route == "Evaluate" else len(output)) == sizes


@pytest.mark.parametrize("route", [*ROUTES, "ModelInfo", "InputSizes", "OutputSizes"])
@pytest.mark.parametrize(
    "name", ["wrong_model_name", "flow.", "flow.grad", "..", "", "flow\n", "x" * 10**6, None, 7, ["flow"]]
)
def test_the_name_is_looked_at_first(client: FlaskClient, route: str, name: Any) -> None:
    message = refused(post(client, route, {"name": name}), "ModelNotFound")
    assert message.startswith("there is no model") and len(message) < 600


def test_a_name_is_suggested(client: FlaskClient) -> None:
    assert "did you mean 'pinned.loglik'?" in refused(
        post(client, "ModelInfo", {"name": "pinned.loglk"}), "ModelNotFound"
    )


VALID = {"name": "pinned.loss", "input": THETA}
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("one number too many", {"input": [[0.1] * 36]}, "/input/0: expected a list of 35 numbers, got 36"),
    ("a vector too many", {"input": THETA * 2}, "/input: expected 1 vectors"),
    ("no vectors", {"input": []}, "/input"),
    ("no list", {"input": 0.5}, "/input"),
    ("no input", {"input": None}, "/input"),
    ("lists in a vector", {"input": [[[0.1]] * 35]}, "/input/0"),
    ("a string", {"input": [["0.1"] * 35]}, "/input/0"),
    ("null", {"input": [[None] * 35]}, "/input/0"),
    ("booleans", {"input": [[True] * 35]}, "/input/0"),
    ("an object", {"input": [{"base64": ""}]}, "/input/0"),
    ("another config", {"config": {"level": 1}}, "/config"),
    ("config of lists", {"config": [1]}, "/config"),
    ("data of lists", {"config": {"data": [1]}}, "/config/data"),
    ("half of the data", {"config": {"data": {"x": [[1, 2, 3, 4]]}}}, "/data/y"),
    ("data of no input", {"config": {"data": FLOW["data"] | {"z": [1]}}}, "/data/z"),
    ("a label out of range", {"config": {"data": FLOW["data"] | {"y": [0, 3]}}}, "/data/y/1"),
]  # fmt: skip
INDICES = [1, -1, 2**70, 0.0, True, None, "0", []]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("what, spoilt, message", WRONG, ids=[what for what, _, _ in WRONG])
def test_wrong_input(
    client: FlaskClient, route: str, what: str, spoilt: dict[str, Any], message: str
) -> None:
    told = refused(post(client, route, VALID | ROUTES[route] | spoilt), "InvalidInput")
    assert told.startswith(message), told
    assert post(client, route, VALID | ROUTES[route]).status_code == 200


@pytest.mark.parametrize("index", INDICES, ids=repr)
@pytest.mark.parametrize("route", [route for route in ROUTES if route != "Evaluate"])
def test_wrong_indices(client: FlaskClient, route: str, index: Any) -> None:
    for key in ("outWrt", "inWrt", "inWrt1", "inWrt2"):
        if key in ROUTES[route]:
            refused(post(client, route, VALID | ROUTES[route] | {key: index}), "InvalidInput")


@pytest.mark.parametrize("vector", [[], [0.0] * 2, [[0.0] * 35], ["a"] * 35, 0.5, None, {}])
def test_wrong_vectors(client: FlaskClient, vector: Any) -> None:
    for route, key in (
        ("Gradient", "sens"),
        ("ApplyJacobian", "vec"),
        ("ApplyHessian", "sens"),
        ("ApplyHessian", "vec"),
    ):
        refused(post(client, route, VALID | ROUTES[route] | {key: vector}), "InvalidInput")


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"null", b"7", b'"x"', b"[" * 10**5, b"\xff", b'{"name": NaN}']
)
@pytest.mark.parametrize("route", [*ROUTES, "ModelInfo"])
def test_no_body_to_speak_of(client: FlaskClient, route: str, body: bytes) -> None:
    refused(post(client, route, body), "InvalidInput")


def test_bodies_have_a_length_and_a_limit(tmp_path: Path) -> None:
    publish(tmp_path)
    settings = Settings(log_level="error", networks_dir=str(tmp_path), json_body_bytes=1000)
    asking = create_app(settings).test_client()
    refused(post(asking, "Evaluate", b" " * 1001), "InvalidInput", 413)
    chunked = asking.post(
        "/Evaluate",
        data=b"{}",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"CONTENT_LENGTH": None},
    )
    refused(chunked, "InvalidInput", 411)


def test_what_is_not_finite_is_an_invalid_output(client: FlaskClient) -> None:
    huge = [[1e308 * (-1) ** i for i in range(35)]]
    for route, parts in ROUTES.items():
        refused(post(client, route, VALID | parts | {"input": huge}), "InvalidOutput", 500)


@pytest.mark.parametrize("model", ["line.loss", "line.loglik"])
def test_products_that_overflow_are_invalid_outputs(client: FlaskClient, model: str) -> None:
    at = {"name": model, "input": [[100.0, 100.0]]}
    for route, key, fits, overflows in (
        ("Gradient", "sens", [1e300], [1e308]),
        ("ApplyJacobian", "vec", [1e300] * 2, [1e308] * 2),
        ("ApplyHessian", "sens", [1e300], [1e308]),
    ):
        parts = at | ROUTES[route] | ({} if route == "Gradient" else {"vec": [1.0, 1.0]})
        found = post(client, route, parts | {key: fits})
        assert found.status_code == 200 and np.isfinite(found.json["output"]).all()
        message = refused(post(client, route, parts | {key: overflows}), "InvalidOutput", 500)
        assert message == "the product is too large for float64: send a smaller vector"


def test_vectors_have_the_limits_of_the_service(tmp_path: Path) -> None:
    publish(tmp_path, "pinned", network=FLOW["network"], params=PARAMS, data=FLOW["data"])
    for elements in (35, 34):
        settings = Settings(log_level="error", networks_dir=str(tmp_path), elements=elements)
        asking = create_app(settings).test_client()
        for route in ROUTES:
            answer = post(asking, route, VALID | ROUTES[route])
            if elements == 35:
                assert answer.status_code == 200, answer.text
            else:
                assert refused(answer, "InvalidInput").startswith(("/input/0", "/vec"))


def test_a_network_that_bounds_it_takes_integers_from_the_config(tmp_path: Path) -> None:
    publish(tmp_path, values=["loss"])
    asking = create_app(Settings(log_level="error", networks_dir=str(tmp_path))).test_client()
    at = {"name": "good", "input": [[1.0, 2.0]]}
    assert "/data/y" in refused(post(asking, "Evaluate", at), "InvalidInput")
    assert post(asking, "Evaluate", at | {"config": {"data": {"y": [2]}}}).status_code == 200


def test_networks_without_parameters_or_inputs_of_floats_have_fewer_models(tmp_path: Path) -> None:
    circuit = json.loads((Path(__file__).parents[4] / "examples" / "circuit.json").read_text())["network"]
    publish(tmp_path, "circuit", network=circuit, params={})
    words = {
        "inputs": {"i": {"shape": [], "dtype": "int64"}},
        "nodes": [{"name": "e", "kind": "embedding", "config": {"rows": 2, "width": 1}}],
    }
    publish(tmp_path, "words", network=words, params={"e.weight": [[1.0], [2.0]]})
    asking = create_app(Settings(log_level="error", networks_dir=str(tmp_path))).test_client()
    assert asking.get("/Info").json["models"] == ["circuit"]
    x = [[-2.0], [5.0], [-4.0]]
    assert post(asking, "Evaluate", {"name": "circuit", "input": x}).json == {"output": [[-12.0]]}
    found = [
        post(asking, "Gradient", {"name": "circuit", "input": x, "outWrt": 0, "inWrt": i, "sens": [1]}).json[
            "output"
        ]
        for i in range(3)
    ]
    assert found == [[-4.0], [-4.0], [3.0]]
    mixed = {"outWrt": 0, "inWrt1": 0, "inWrt2": 2, "sens": [1], "vec": [1]}
    assert post(asking, "ApplyHessian", {"name": "circuit", "input": x} | mixed).json == {"output": [1.0]}


def test_a_config_of_null_is_none(client: FlaskClient) -> None:
    for route, parts in ROUTES.items():
        nothing = post(client, route, VALID | parts)
        assert post(client, route, VALID | parts | {"config": None}).data == nothing.data


def test_the_likelihood_leaves_the_regularization_out(tmp_path: Path) -> None:
    spec = FLOW["network"] | {"regularization": {"l2": 0.5}}
    publish(tmp_path, "heavy", network=spec, params=PARAMS, data=FLOW["data"])
    publish(tmp_path, "light", network=FLOW["network"], params=PARAMS, data=FLOW["data"])
    asking = create_app(Settings(log_level="error", networks_dir=str(tmp_path))).test_client()

    def of(model: str, route: str = "Evaluate") -> Any:
        return post(asking, route, {"name": model, "input": THETA} | ROUTES[route]).json["output"]

    for route in ROUTES:
        assert of("heavy.loglik", route) == of("light.loglik", route)
        assert of("heavy.loss", route) != of("light.loss", route)
    assert len(X) == 2 and of("light.loglik") == [[-2 * of("light.loss")[0][0]]]

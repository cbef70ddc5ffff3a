"""Tesseract: what its clients look up, arrays in every form, and requests that are wrong."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from support.clients import FLOW, PARAMS, X, Y
from support.publishing import publish

from deltawire_service.app import create_app
from deltawire_service.settings import Settings

VJP = {"vjp_inputs": ["x"], "vjp_outputs": ["probs"], "cotangent_vector": {"probs": np.ones((2, 3)).tolist()}}
JVP = {"jvp_inputs": ["x"], "jvp_outputs": ["probs"], "tangent_vector": {"x": X.tolist()}}
JAC = {"jac_inputs": ["x"], "jac_outputs": ["probs"]}
ENDPOINTS: dict[str, dict[str, Any]] = {
    "apply": {}, "vector_jacobian_product": VJP, "jacobian_vector_product": JVP, "jacobian": JAC,
}  # fmt: skip


def post(client: FlaskClient, endpoint: str, body: Any, network: str = "flow", **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body)
    return client.post(f"/tesseract/{network}/{endpoint}", data=data, headers=headers)


def encoded(array: np.ndarray, **parts: Any) -> dict[str, Any]:
    """An array as the SDK sends it: without `object_type`."""
    data = {"buffer": base64.b64encode(array.tobytes()).decode(), "encoding": "base64"}
    return {"shape": list(array.shape), "dtype": array.dtype.name, "data": data} | parts


def decoded(leaf: dict[str, Any]) -> np.ndarray:
    assert leaf["object_type"] == "array"  # or the client keeps a dictionary, and says nothing
    assert leaf["data"]["encoding"] == "base64"
    raw = base64.b64decode(leaf["data"]["buffer"])
    return np.frombuffer(raw, leaf["dtype"]).reshape(leaf["shape"])


def refused(answer: Any, words: str = "") -> list[dict[str, Any]]:
    """Errors are a list: a string would break the client."""
    assert answer.status_code == 422, answer.text
    assert answer.json.keys() == {"detail"}
    for error in answer.json["detail"]:
        assert error.keys() == {"type", "loc", "msg", "input"} and isinstance(error["loc"], list)
    assert words in answer.json["detail"][0]["msg"], answer.json
    return list(answer.json["detail"])


def test_what_clients_look_up(client: FlaskClient) -> None:
    described = client.get("/tesseract/flow/openapi.json").json
    assert set(described["paths"]) == {
        "/abstract_eval",
        "/health",
        *(f"/{endpoint}" for endpoint in ENDPOINTS),
    }
    schemas = described["components"]["schemas"]
    assert schemas["Apply_InputSchema"]["properties"].keys() == {"x", "params"}
    assert schemas["Apply_OutputSchema"]["properties"] == {"probs": {"array_flags": ["DIFFERENTIABLE"]}}
    arrays = schemas["ApplyInputSchema"]["differentiable_arrays"]
    assert arrays["x"] == {"shape": [None, 4], "dtype": "float64"}
    assert arrays["params.hidden.weight"] == {"shape": [4, 4], "dtype": "float64"}
    assert schemas["ApplyOutputSchema"]["differentiable_arrays"] == {
        "probs": {"shape": [None, 3], "dtype": "float64"}
    }
    assert client.get("/tesseract/flow/health").json == {"status": "ok"}


def test_arrays_come_in_every_form(client: FlaskClient) -> None:
    forms = (
        X.tolist(), encoded(X), encoded(X, object_type="array"),
        {"shape": [2, 4], "dtype": "float64", "data": {"buffer": X.tolist(), "encoding": "json"}},
        {"shape": [2, 4], "dtype": "float64", "data": {"buffer": X.tolist(), "encoding": "raw"}},
    )  # fmt: skip
    found = [decoded(post(client, "apply", {"inputs": {"x": form}}).json["probs"]) for form in forms]
    assert len({array.tobytes() for array in found}) == 1 and found[0].shape == (2, 3)


def test_the_answer_has_the_form_asked_for(client: FlaskClient) -> None:
    asked = {"inputs": {"x": X.tolist()}}
    for accept in (
        "application/*; gpu_transport=none",
        "*/*",
        "application/json+base64",
        "application/json+base64, application/json",
    ):
        decoded(post(client, "apply", asked, Accept=accept).json["probs"])
    listed = post(client, "apply", asked, Accept="application/json; gpu_transport=none").json["probs"]
    assert listed["data"]["encoding"] == "json" and np.shape(listed["data"]["buffer"]) == (2, 3)


def test_dtypes_follow_the_inputs(client: FlaskClient) -> None:
    for network in ("flow", "flow32"):
        for dtype in ("float32", "float64"):
            x = encoded(X.astype(dtype))
            answer = post(client, "apply", {"inputs": {"x": x}}, network)
            assert decoded(answer.json["probs"]).dtype == dtype
            asked = VJP | {"cotangent_vector": {"probs": encoded(np.ones((2, 3), dtype))}}
            answer = post(client, "vector_jacobian_product", {"inputs": {"x": x}} | asked, network)
            assert decoded(answer.json["x"]).dtype == dtype
            abstract = {"inputs": {"x": {"shape": [5, 4], "dtype": dtype}}}
            shapes = post(client, "abstract_eval", abstract, network).json
            assert shapes == {"probs": {"shape": [5, 3], "dtype": dtype}}
            own = answer.headers.get("Deltawire-Params-Id")
            assert (own is not None) == (dtype == ("float64" if network == "flow" else "float32"))


def test_integers_may_be_smaller(tmp_path: Path) -> None:
    publish(tmp_path, "loss", network=FLOW["network"], params=PARAMS, values=["loss", "probs"])
    asking = create_app(Settings(log_level="error", networks_dir=str(tmp_path))).test_client()
    x = encoded(X)
    found = [
        decoded(
            post(asking, "apply", {"inputs": {"x": x, "y": encoded(Y.astype(dtype))}}, "loss").json["loss"]
        )
        for dtype in ("int64", "int32", "int16", "int8", "uint8")
    ]
    assert len({array.tobytes() for array in found}) == 1
    for dtype in ("uint64", "bool", "float64"):
        refused(post(asking, "apply", {"inputs": {"x": x, "y": encoded(Y.astype(dtype))}}, "loss"))
    errors = refused(
        post(asking, "apply", {"inputs": {"x": x, "y": encoded(Y + 1)}}, "loss"), "from 0 to 2, got 3"
    )
    assert errors[0]["loc"] == ["inputs", "y", "0"]
    asked = VJP | {"vjp_inputs": ["x", "y"]}
    refused(
        post(asking, "vector_jacobian_product", {"inputs": {"x": x, "y": Y.tolist()}} | asked, "loss"),
        "'y' holds integers",
    )
    properties = asking.get("/tesseract/loss/openapi.json").json["components"]["schemas"][
        "Apply_InputSchema"
    ]["properties"]
    assert properties["y"] == {} and properties["x"]


def test_a_learned_input_is_given_and_differentiated(tmp_path: Path) -> None:
    spec = {
        "inputs": {"x": {"shape": [3]}, "w": {"shape": [3], "parameter": {"normal": 0.1}}},
        "nodes": [{"name": "f", "kind": "multiply", "inputs": ["x", "w"]}, {"kind": "sum"}],
    }
    publish(tmp_path, "line", network=spec, params={"w": np.ones(3)}, values=["f"])
    client = create_app(Settings(networks_dir=str(tmp_path), log_level="error")).test_client()
    arrays = client.get("/tesseract/line/openapi.json").json["components"]["schemas"]["ApplyInputSchema"]
    assert arrays["differentiable_arrays"]["params.w"] == {"shape": [3], "dtype": "float64"}

    x, w, tangent = np.arange(6.0).reshape(2, 3), np.array([2.0, 3.0, 5.0]), np.array([1.0, 0.0, -1.0])
    inputs = {"x": encoded(x), "params": {"w": encoded(w)}}

    def computed(endpoint: str, **more: Any) -> Any:
        answer = post(client, endpoint, {"inputs": inputs} | more, "line")
        assert answer.status_code == 200, answer.text
        return answer.json

    assert np.array_equal(decoded(computed("apply")["f"]), x * w)
    assert computed("abstract_eval")["f"] == {"shape": [2, 3], "dtype": "float64"}
    vjp = computed(
        "vector_jacobian_product",
        vjp_inputs=["params.w"], vjp_outputs=["f"], cotangent_vector={"f": np.ones((2, 3)).tolist()},
    )  # fmt: skip
    assert np.array_equal(decoded(vjp["params.w"]), x.sum(axis=0))
    jvp = computed(
        "jacobian_vector_product",
        jvp_inputs=["params.{w}"], jvp_outputs=["f"], tangent_vector={"params.{w}": tangent.tolist()},
    )  # fmt: skip
    assert np.array_equal(decoded(jvp["f"]), x * tangent)
    jacobian = computed("jacobian", jac_inputs=["params.w"], jac_outputs=["f"])["f"]["params.w"]
    assert np.array_equal(decoded(jacobian), x[:, :, None] * np.eye(3))


def test_what_is_not_finite_survives_as_bytes(client: FlaskClient) -> None:
    spoilt = X.copy()
    spoilt[0] = [np.nan, np.inf, -np.inf, -0.0]
    found = decoded(post(client, "apply", {"inputs": {"x": encoded(spoilt)}}).json["probs"])
    assert np.isnan(found[0]).all() and np.isfinite(found[1]).all()
    refused(
        post(client, "apply", {"inputs": {"x": encoded(spoilt)}}, Accept="application/json"), "not finite"
    )


def test_paths_may_be_fields_or_keys(client: FlaskClient) -> None:
    asked = VJP | {"vjp_inputs": ["params.scores.bias", "params.{scores}.{bias}"]}
    found = post(client, "vector_jacobian_product", {"inputs": {"x": X.tolist()}} | asked).json
    first, second = (decoded(found[path]) for path in asked["vjp_inputs"])
    assert first.tobytes() == second.tobytes()


SPOILT: list[tuple[str, Any, str]] = [
    ("no object", [1], "expected an object"),
    ("nothing", None, "expected an object"),
    ("an unknown input", {"z": X.tolist()}, "there is no input 'z'"),
    ("no input", {}, "'x' is missing"),
    ("another shape", {"x": [[1.0, 2.0]]}, "expected"),
    ("an array of one axis", {"x": [1.0, 2.0, 3.0, 4.0]}, "expected"),
    ("an empty batch", {"x": encoded(np.ones((0, 4)))}, "at least one example"),
    ("rows of different lengths", {"x": [[1.0], [1.0, 2.0]]}, "expected a list of 1"),
    ("strings", {"x": [["a"] * 4]}, "expected a number"),
    ("another dtype", {"x": encoded(X.astype("f2"))}, "float16"),
    ("integers", {"x": encoded(X.astype("i8"))}, "int64"),
    ("complex numbers", {"x": encoded(X.astype("c16"))}, "complex128"),
    ("a dtype of no string", {"x": encoded(X, dtype=["float64"])}, "expected one of"),
    ("a negative size", {"x": encoded(X, shape=[-2, -4])}, "whole number"),
    ("a huge shape", {"x": encoded(X, shape=[2**32, 2**32])}, "more than"),
    ("fewer bytes", {"x": encoded(X, shape=[3, 4])}, "expected 96 bytes"),
    ("no base64", {"x": encoded(X, data={"buffer": "?", "encoding": "base64"})}, "not base64"),
    ("a buffer of no string", {"x": encoded(X, data={"buffer": 7, "encoding": "base64"})}, "not base64"),
    (
        "a reference to a file",
        {"x": encoded(X, data={"buffer": "/etc/passwd:0", "encoding": "binref"})},
        "encoding",
    ),
    ("an unknown encoding", {"x": encoded(X, data={"buffer": "", "encoding": ["base64"]})}, "encoding"),
    ("no data", {"x": {"shape": [2, 4], "dtype": "float64"}}, "expected an encoded array"),
    ("more keys", {"x": encoded(X, path="/etc/passwd")}, "expected an encoded array"),
    ("parameters of a list", {"x": X.tolist(), "params": [1]}, "by node and name"),
    ("parameters not nested", {"x": X.tolist(), "params": {"scores.bias": [0.0] * 3}}, "by node and name"),
    (
        "an unknown parameter",
        {"x": X.tolist(), "params": {"scores": {"bais": [0.0] * 3}}},
        "did you mean 'params.scores.bias'",
    ),
    (
        "a parameter of another shape",
        {"x": X.tolist(), "params": {"scores": {"bias": [0.0]}}},
        "expected shape [3]",
    ),
    (
        "mixed dtypes",
        {"x": encoded(X), "params": {"scores": {"bias": encoded(np.zeros(3, "f4"))}}},
        "float32",
    ),
]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("what, inputs, words", SPOILT, ids=[row[0] for row in SPOILT])
def test_wrong_inputs(client: FlaskClient, endpoint: str, what: str, inputs: Any, words: str) -> None:
    errors = refused(post(client, endpoint, {"inputs": inputs} | ENDPOINTS[endpoint]))
    assert any(words in error["msg"] for error in errors), errors
    assert post(client, endpoint, {"inputs": {"x": X.tolist()}} | ENDPOINTS[endpoint]).status_code == 200


@pytest.mark.parametrize(
    "paths", [None, [], "x", ["z"], ["params"], ["params.hidden"], [7], [["x"]], ["x" * 10**5], ["../x"]]
)
@pytest.mark.parametrize(
    "endpoint, key",
    [("vector_jacobian_product", "vjp"), ("jacobian_vector_product", "jvp"), ("jacobian", "jac")],
)
def test_wrong_paths(client: FlaskClient, endpoint: str, key: str, paths: Any) -> None:
    for of in ("inputs", "outputs"):
        asked = {"inputs": {"x": X.tolist()}} | ENDPOINTS[endpoint] | {f"{key}_{of}": paths}
        (error, *_) = refused(post(client, endpoint, asked))
        assert len(error["msg"]) < 700


@pytest.mark.parametrize(
    "vectors",
    [None, [], {}, {"z": [1.0]}, {"probs": [1.0], "x": [1.0]}, {"probs": None}, {"probs": [[1.0] * 3]}],
)
def test_wrong_vectors(client: FlaskClient, vectors: Any) -> None:
    refused(
        post(
            client,
            "vector_jacobian_product",
            {"inputs": {"x": X.tolist()}} | VJP | {"cotangent_vector": vectors},
        )
    )
    swapped = {"x": vectors["probs"]} if isinstance(vectors, dict) and set(vectors) == {"probs"} else vectors
    refused(
        post(
            client,
            "jacobian_vector_product",
            {"inputs": {"x": X.tolist()}} | JVP | {"tangent_vector": swapped},
        )
    )


@pytest.mark.parametrize(
    "leaf",
    [
        {},
        {"shape": [2, 4]},
        {"shape": [-1, 4], "dtype": "float64"},
        {"shape": [2**62, 4], "dtype": "float64"},
        {"shape": [2, 3], "dtype": "float64"},
        {"shape": [2, 4], "dtype": ["float64"]},
        None,
        "x",
        [[1.0]],
    ],
)
def test_wrong_abstract_inputs(client: FlaskClient, leaf: Any) -> None:
    refused(post(client, "abstract_eval", {"inputs": {"x": leaf}}))


def test_an_abstract_input_takes_no_memory(client: FlaskClient) -> None:
    asked = {"inputs": {"x": {"shape": [2**24, 4], "dtype": "float64"}}}
    assert post(client, "abstract_eval", asked).json["probs"]["shape"] == [2**24, 3]


@pytest.mark.parametrize("rows", [1, 2])
def test_there_is_one_vector_at_a_time(client: FlaskClient, rows: int) -> None:
    x = X[:rows]
    for endpoint, key, path, shape in (
        ("vector_jacobian_product", "cotangent_vector", "probs", (rows, 3)),
        ("jacobian_vector_product", "tangent_vector", "x", (rows, 4)),
    ):
        asked = {"inputs": {"x": encoded(x)}} | ENDPOINTS[endpoint]
        assert post(client, endpoint, asked | {key: {path: encoded(np.ones(shape))}}).status_code == 200
        for other in ((2, *shape), (1, *shape), (rows + 1, *shape[1:]), shape[1:]):
            spoilt = {key: {path: encoded(np.ones(other))}}
            (error,) = refused(post(client, endpoint, asked | spoilt), f"expected shape {list(shape)}")
            assert (error["type"], error["loc"]) == ("shape_mismatch", [key, path])


def test_a_key_has_its_memory_for_whole_jacobians(tmp_path: Path) -> None:
    """Of every example's outputs by every example's data: most of it is zeros, and all of it is written."""
    publish(tmp_path, "flow", network=FLOW["network"], params=PARAMS, values=["probs"])
    keys = f"{sha256(b'secret').hexdigest()} laptop planned_bytes=1000000"
    settings = Settings(log_level="error", networks_dir=str(tmp_path), api_keys=keys)
    asking, key = create_app(settings).test_client(), {"Authorization": "Bearer secret"}
    few, many = ({"inputs": {"x": encoded(np.ones((count, 4)))}} | JAC for count in (10, 100))
    assert post(asking, "jacobian", few, **key).status_code == 200
    assert post(asking, "apply", many, **key).status_code == 200
    assert 8 * 100 * 3 * 100 * 4 < 1_000_000 < (16 + 25) * 100 * 3 * 100 * 4
    refused(post(asking, "jacobian", many, **key), "this key allows 1000000")


def test_a_jacobian_that_is_too_large_is_refused(client: FlaskClient) -> None:
    many = np.ones((5000, 4))
    refused(
        post(client, "jacobian", {"inputs": {"x": encoded(many)}} | JAC), "the Jacobian has 300000000 numbers"
    )


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"[" * 10**5, b"\xff", b'{"inputs": {"x": NaN}}'])
@pytest.mark.parametrize("endpoint", [*ENDPOINTS, "abstract_eval"])
def test_no_body_to_speak_of(client: FlaskClient, endpoint: str, body: bytes) -> None:
    refused(post(client, endpoint, body))


@pytest.mark.parametrize("name", ["flaw", "%2e%2e", "a%00b", "a%0aINFO", "x" * 65, "fl%D0%BEw"])
def test_wrong_names(client: FlaskClient, name: str) -> None:
    answers = [client.get(f"/tesseract/{name}/{route}") for route in ("openapi.json", "health", "anything")]
    for answer in [*answers, post(client, "apply", {}, name)]:
        assert (answer.status_code, answer.json["code"]) == (404, "network_not_found")


def test_what_there_is_not(client: FlaskClient) -> None:
    for answer in (client.get("/tesseract/flow/docs"), client.post("/tesseract/flow/check_gradients")):
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_what_is_wrong_has_its_place_in_the_request(client: FlaskClient) -> None:
    weight = {"params": {"hidden": {"weight": [[1.0]]}}}
    for inputs, place in (
        ({}, ["inputs", "x"]),
        ({"x": X[:, :2].tolist()}, ["inputs", "x"]),
        ({"x": X.tolist()} | weight, ["inputs", "params", "hidden", "weight"]),
        (7, ["inputs"]),
    ):
        assert refused(post(client, "apply", {"inputs": inputs}))[0]["loc"] == place
    assert refused(post(client, "apply", b"7"))[0]["loc"] == []

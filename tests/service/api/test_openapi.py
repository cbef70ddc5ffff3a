"""The OpenAPI document is valid, complete, and true of what really comes and goes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import validate
from support.posting import GONE, changed, good, pointwise
from support.publishing import publish

from deltawire import wire
from deltawire_layers import load_layers
from deltawire_service.api.examples import REQUEST
from deltawire_service.app import create_app
from deltawire_service.http.problem_codes import PROBLEMS
from deltawire_service.settings import Settings

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """Of a service that has published the good request; protocols of others are described by others."""
    folder = tmp_path_factory.mktemp("networks")
    publish(folder)
    publish(folder, "pinned", data=good()["data"])
    publish(folder, "float32", dtype="float32")
    settings = Settings(
        log_level="error",
        networks_dir=str(folder),
        data_dir=str(tmp_path_factory.mktemp("data")),
        protocols="",
    )
    return create_app(settings).test_client()


@pytest.fixture(scope="module")
def document(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json)


def check(document: dict[str, Any], schema: dict[str, Any], instance: Any) -> None:
    """Raises jsonschema.ValidationError unless the instance fits a schema of the document."""
    jsonschema.Draft202012Validator({"$defs": {}, **document, **schema}).validate(instance)


def request_schema(document: dict[str, Any], path: str) -> dict[str, Any]:
    return dict(document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"])


def answer_schema(document: dict[str, Any], path: str) -> dict[str, Any]:
    return dict(document["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]["schema"])


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, op) for path, item in document["paths"].items() for method, op in item.items()]


def test_it_is_valid(document: dict[str, Any]) -> None:
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_every_route_is_in_it(client: FlaskClient, document: dict[str, Any]) -> None:
    routes = {
        route.partition(" ")[2].replace("<path:", "{").replace("<", "{").replace(">", "}")
        for route in client.get("/").json["routes"]
    }
    assert set(document["paths"]) == routes


def test_every_error_code_is_in_it(document: dict[str, Any]) -> None:
    told = json.dumps(document["paths"])
    for code in PROBLEMS:
        assert f"`{code}`" in told, code


def test_every_layer_is_in_it(document: dict[str, Any]) -> None:
    kinds = set(load_layers())
    assert set(document["components"]["schemas"]["Node"]["properties"]["kind"]["enum"]) == kinds
    assert {name[7:] for name in document["components"]["schemas"] if name.startswith("config.")} == kinds


REQUESTS: list[tuple[str, dict[str, Any]]] = [
    (
        "/v1/gradients",
        good() | {"losses": True, "values": ["scores"], "deltas": ["scores"], "wrt": {"data": True}},
    ),
    ("/v1/gradients", good() | {"tensors": "base64", "dtype": "float32"}),
    ("/v1/forward", good() | {"values": ["scores"]}),
    ("/v1/check", good() | {"samples": 2}),
    ("/v1/gradients", good() | {"per_example": True}),
    ("/v1/vjp", good() | {"cotangents": {"scores": [[1, 0, 0]] * 3}, "values": ["scores"]}),
    ("/v1/jvp", good() | {"tangents": {"data": {"x": [[1, 0]] * 3}}, "outputs": ["scores"]}),
    ("/v1/jacobian", good() | {"outputs": ["loss"], "mode": "forward"}),
    (
        "/v1/hvp",
        good() | {"vectors": {"params": {"scores.bias": [1, 0, 0]}}, "quadratic": True, "diagonal": {}},
    ),
    ("/v1/plan", {"network": good()["network"], "batch": 7}),
    ("/v1/init", {"network": good()["network"], "seed": 3}),
    ("/v1/gradients", {"network": {"name": "good"}, "data": good()["data"]}),
]


@pytest.mark.parametrize("path, request_body", REQUESTS)
def test_requests_and_answers_fit_their_schemas(
    client: FlaskClient, document: dict[str, Any], path: str, request_body: dict[str, Any]
) -> None:
    check(document, request_schema(document, path), request_body)
    answer = client.post(path, json=request_body)
    assert answer.status_code == 200, answer.text
    check(document, answer_schema(document, path), answer.json)


@pytest.mark.parametrize("network", [good()["network"], {"name": "pinned"}], ids=["spec", "published"])
@pytest.mark.parametrize("path, request_body", REQUESTS)
def test_a_field_is_required_where_the_service_requires_it(
    client: FlaskClient,
    document: dict[str, Any],
    path: str,
    request_body: dict[str, Any],
    network: dict[str, Any],
) -> None:
    """Every field is left out once. A published network with pinned data needs fewer than a spec does."""
    whole = request_body | {"network": network, "dtype": "float64"}
    for name in whole.keys() - {"params"}:
        body = {key: value for key, value in whole.items() if key != name}
        answer = client.post(path, json=body)
        if answer.status_code != 200 and answer.json["code"] == "field_missing":
            with pytest.raises(jsonschema.ValidationError):
                check(document, request_schema(document, path), body)
        else:
            check(document, request_schema(document, path), body)


@pytest.mark.parametrize("path, request_body", REQUESTS)
def test_a_default_that_is_sent_changes_nothing(
    client: FlaskClient, document: dict[str, Any], path: str, request_body: dict[str, Any]
) -> None:
    """Generated clients send every default, also for a published network of another dtype."""
    name = request_schema(document, path)["$ref"].rpartition("/")[2]
    fields = document["components"]["schemas"][name]["properties"]
    defaults = {key: field["default"] for key, field in fields.items() if "default" in field}
    for network in (good()["network"], {"name": "float32"}):
        request = {key: value for key, value in request_body.items() if key not in ("params", "dtype")}
        request |= {"network": network}
        if network == good()["network"] and "params" in fields:
            request |= {"params": good()["params"]}
        answer = client.post(path, json=request)
        assert answer.status_code == 200, answer.text
        assert client.post(path, json=defaults | request).json == answer.json


def test_no_schema_refers_to_itself(document: dict[str, Any]) -> None:
    """Generators of clients drop every route whose bodies have such a schema."""
    schemas = document["components"]["schemas"].items()
    references = {
        name: set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(schema)))
        for name, schema in schemas
    }
    for _ in references:
        references = {
            name: reached.union(*(references[each] for each in reached))
            for name, reached in references.items()
        }
    assert not [name for name, reached in references.items() if name in reached]


@pytest.mark.parametrize(
    "path, options",
    [
        ("/v1/gradients", {"losses": True, "values": ["f"], "deltas": ["f"], "trace": True}),
        ("/v1/forward", {"values": ["f"]}),
        ("/v1/vjp", {"cotangents": {"f": [1]}}),
        ("/v1/hvp", {"vectors": {"data": {"x": [1]}}, "quadratic": True, "diagonal": {}}),
    ],
)
def test_answers_that_are_not_finite_fit_their_schemas(
    client: FlaskClient, document: dict[str, Any], path: str, options: dict[str, Any]
) -> None:
    request = pointwise("log", 0.0) | {"non_finite": "return"} | options
    if path == "/v1/forward":
        del request["wrt"]
    answer = client.post(path, json=request)
    assert "Infinity" in answer.text
    check(document, answer_schema(document, path), answer.json)


def test_a_check_that_is_not_finite_fits_its_schema(client: FlaskClient, document: dict[str, Any]) -> None:
    """A central difference at 0 leaves the domain of a square root."""
    request = pointwise("sqrt", 0.0)
    request["network"]["nodes"] = [{"kind": "power", "config": {"exponent": 1.5}}]
    answer = client.post("/v1/check", json=request)
    assert "NaN" in answer.text
    check(document, answer_schema(document, "/v1/check"), answer.json)


def test_the_example_of_every_request_can_be_sent(client: FlaskClient, document: dict[str, Any]) -> None:
    """Those with a model in their path are sent to a fresh one."""
    model = {name: REQUEST[name] for name in ("network", "params", "optimizer")} | {"name": "subject"}
    points = wire.encode({"x": np.ones((4, 2))}, wire.SAFETENSORS, part="batch")
    client.put("/v1/datasets/points", data=points, content_type=wire.SAFETENSORS)
    sent = list[str]()
    for path, method, operation in operations(document):
        if "requestBody" not in operation or path == "/v1/datasets/{name}":  # which names a file of a machine
            continue
        client.post("/v1/models", json=model)
        body = operation["requestBody"]["content"]["application/json"]
        check(document, body["schema"], body["example"])
        answer = client.open(path.replace("{name}", "subject"), method=method, json=body["example"])
        (status,) = {"200", "201", "202"} & operation["responses"].keys()
        assert answer.status_code == int(status), f"{path}: {answer.text}"
        schema = operation["responses"][status]["content"]["application/json"]["schema"]
        check(document, schema, answer.json)
        if path.endswith("/runs"):
            client.post(f"/v1/runs/{answer.json['id']}/cancel")
        assert client.delete("/v1/models/subject").status_code == 200
        sent.append(path)
    assert len(sent) == 9 + 8 + 6


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/v1/layers", "/v1/limits", "/v1/networks"])
def test_answers_fit_their_schemas(client: FlaskClient, document: dict[str, Any], path: str) -> None:
    schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    check(document, schema, client.get(path).json)


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_examples_fit_the_schema(document: dict[str, Any], example: Path) -> None:
    check(document, {"$ref": "#/components/schemas/GradientsRequest"}, json.loads(example.read_text()))


@pytest.mark.parametrize(
    "wrong",
    [
        changed(("/network/nodes/0/kind", "sigmod")),
        changed(("/network/nodes/0/config", {"unit": 3})),
        changed(("/network/nodes/1/config", {"units": 3})),  # of another kind
        changed(("/network/nodes", GONE)),
        changed(("/params/scores.bias", "0, 0, 0")),
        changed(("/data/x", {"dtype": "float16", "shape": [1], "base64": ""})),
        good() | {"lossess": True},
    ],
)
def test_wrong_requests_do_not_fit_the_schema(document: dict[str, Any], wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        check(document, {"$ref": "#/components/schemas/GradientsRequest"}, wrong)


def test_problems_fit_their_schema(client: FlaskClient, document: dict[str, Any]) -> None:
    operation = document["paths"]["/v1/gradients"]["post"]
    answer = client.post("/v1/gradients", json=changed(("/network/nodes/0/kind", "sigmod")))
    assert answer.status_code == 422
    response = operation["responses"]["422"]
    assert f"`{answer.json['code']}`" in response["description"]
    check(document, response["content"]["application/problem+json"]["schema"], answer.json)


def test_first_parameters_have_the_type_that_requests_take(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    answered = schemas["InitResponse"]["properties"]["params"]["additionalProperties"]
    request = request_schema(document, "/v1/gradients")
    taken = schemas[request["$ref"].rpartition("/")[2]]["properties"]["params"]["additionalProperties"]
    assert answered == taken == {"$ref": "#/components/schemas/Tensor"}

"""Models over HTTP, in Flask's client, every answer of which is held to the description of its route."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
from flask.testing import FlaskClient
from support.engine import LAYERS
from support.models import ADAM, SPEC, batch
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.test import TestResponse

from deltawire import wire
from deltawire_layers import Registry
from deltawire_service.app import create_app
from deltawire_service.http.problem_codes import ANYWHERE
from deltawire_service.settings import Settings

__all__ = [
    *("ADAM", "DATA", "SPEC", "DescribedClient", "as_lists", "code", "in_binary", "make_client"),
    *("make_model", "read", "step", "versions"),
]


class DescribedClient(FlaskClient):
    """Raises AssertionError for an answer that the OpenAPI document does not describe."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        answer = super().open(*args, **kwargs)
        environ = answer.request.environ
        try:
            rule, _ = self.application.url_map.bind("").match(
                environ["PATH_INFO"], environ["REQUEST_METHOD"], return_rule=True
            )
        except (NotFound, MethodNotAllowed):
            return answer
        path, method = re.sub(r"<(\w+)>", r"{\1}", rule.rule), environ["REQUEST_METHOD"].lower()
        if path.startswith("/v1/") and method in ("get", "post", "put", "patch", "delete"):
            self._check(path, method, answer)
        return answer

    def _check(self, path: str, method: str, answer: TestResponse) -> None:
        responses = description()["paths"][path][method]["responses"]
        if answer.status_code >= 400:
            found = answer.json["code"]
            listed = responses.get(str(answer.status_code), {}).get("description", "")
            assert f"`{found}`" in listed or found in ANYWHERE, f"{method} {path} does not list {found}"
        else:
            content = responses[str(answer.status_code)]["content"]
            assert answer.content_type in content, f"{method} {path} does not list {answer.content_type}"
            if answer.content_type == wire.JSON:
                validator(path, method, answer.status_code).validate(answer.json)


@cache
def description() -> dict[str, Any]:
    """The OpenAPI document of every service without other protocols."""
    app = create_app(Settings(log_level="error", protocols=""), LAYERS)
    return dict(app.test_client().get("/openapi.json").json)


@cache
def validator(path: str, method: str, status: int) -> jsonschema.Draft202012Validator:
    """Of the JSON of an answer, with no more of the document than it refers to: else it is slow."""
    document = description()
    schema = document["paths"][path][method]["responses"][str(status)]["content"][wire.JSON]["schema"]
    components, todo = dict[str, Any](), {"": schema}
    while todo:
        components |= todo
        referred = re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(todo))
        todo = {name: document["components"]["schemas"][name] for name in {*referred} - components.keys()}
    return jsonschema.Draft202012Validator({**schema, "components": {"schemas": components}})


def make_client(folder: Path, layers: Registry = LAYERS, **settings: Any) -> DescribedClient:
    """Of a service that keeps models in a folder."""
    given = {"log_level": "error", "data_dir": str(folder / "models"), "protocols": ""} | settings
    app = create_app(Settings(**given), layers)
    return DescribedClient(app, app.response_class)


def as_lists(arrays: dict[str, Any]) -> dict[str, Any]:
    """Arrays as a JSON body has them, their names without `data/`."""
    return {name.removeprefix("data/"): np.asarray(array).tolist() for name, array in arrays.items()}


DATA = as_lists(batch(0))
"""A batch for `SPEC`."""


def make_model(client: FlaskClient, name: str = "model", **parts: Any) -> dict[str, Any]:
    """Make a model, and return the answer."""
    document = {"name": name, "network": SPEC, "optimizer": ADAM} | parts
    answer = client.post("/v1/models", json=document)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def step(client: FlaskClient, seed: int = 0, name: str = "model", key: str = "", **parts: Any) -> Any:
    """Send a step with the batch of a seed."""
    headers = {"Idempotency-Key": key} if key else {}
    document = {"data": as_lists(batch(seed))} | parts
    return client.post(f"/v1/models/{name}/steps", json=document, headers=headers)


def in_binary(document: Any) -> dict[str, Any]:
    """What sends a document in a binary body."""
    return {"data": wire.encode(document, wire.SAFETENSORS), "content_type": wire.SAFETENSORS}


def read(answer: TestResponse) -> Any:
    """The document of an answer, with arrays in it where it is binary."""
    return wire.decode(answer.data, answer.content_type, part="response")


def code(answer: TestResponse, pointer: str | None = None) -> str:
    """The code of a problem, whose place is checked where it is given."""
    assert answer.status_code >= 400, answer.text
    first = answer.json["errors"][0]
    assert pointer is None or first["pointer"] == pointer, answer.text
    return str(answer.json["code"])


def versions(client: FlaskClient, name: str = "model") -> list[str]:
    """The kinds of the entries of a ledger, in order."""
    return [entry["kind"] for entry in client.get(f"/v1/models/{name}/ledger?limit=1000").json["entries"]]

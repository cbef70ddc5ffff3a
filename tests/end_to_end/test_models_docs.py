"""docs/models.md: its calls run as printed and get the answers shown; its tables have every field."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from support.console import run
from support.http_models import ADAM, DATA, make_client, make_model
from support.service import running_service

from deltawire_service.schemas.model_requests import (
    ChangeModelRequest,
    CreateModelRequest,
    ForkRequest,
    RestoreRequest,
    StepsRequest,
)
from deltawire_service.schemas.queries import LedgerQuery, ModelsQuery, VersionQuery
from deltawire_service.schemas.requests import schema_of

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
CALLS = re.findall(r"^```sh\n(curl .*?)```\n(?:\n```json\n(.*?)```)?", PAGE, re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(text: str, header: str) -> list[list[str]]:
    """The cells of the table that begins with this header."""
    lines = text[text.index(f"| {header} |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_calls_shown_get_the_answers_shown(tmp_path: Path) -> None:
    assert len(CALLS) == 8
    made = dict[str, str]()
    folder = str(tmp_path / "data")
    with running_service("-w", "1", data_dir=folder, protocols="") as address:
        for call, shown in CALLS:
            command = call.replace("http://127.0.0.1:8000", address)
            done = subprocess.run(
                command, shell=True, capture_output=True, text=True, check=True, timeout=30, cwd=tmp_path
            )
            if shown:
                answer = json.loads(done.stdout)
                assert answer == json.loads(shown), call
                made[answer.get("name", "")] = answer.get("params_id", "")
    published = run("publish", str(tmp_path / "second.safetensors"), "--into", str(tmp_path), "--json")
    assert json.loads(published.stdout)["params_id"] == made["second"]


@pytest.mark.parametrize(
    "route, request_",
    [
        ("POST /v1/models", CreateModelRequest),
        ("PATCH /v1/models/<name>", ChangeModelRequest),
        ("POST /v1/models/<name>/steps", StepsRequest),
        ("POST /v1/models/<name>/restore", RestoreRequest),
        ("POST /v1/models/<name>/fork", ForkRequest),
    ],
)
def test_request_fields_and_their_defaults(route: str, request_: Any) -> None:
    schema = schema_of(request_)()
    documented = {named(row[0])[0]: row[1] for row in rows(section(route), "field | default | what it is")}
    assert sorted(documented) == sorted(schema.fields)
    for name, field in schema.fields.items():
        if field.required:
            assert documented[name] == "required"
        elif name != "wrt":
            default = field.load_default() if callable(field.load_default) else field.load_default
            assert documented[name] == f"`{default if isinstance(default, str) else json.dumps(default)}`"


@pytest.mark.parametrize(
    "route, query",
    [
        ("GET /v1/models", ModelsQuery),
        ("GET /v1/models/<name>/ledger", LedgerQuery),
        ("GET /v1/models/<name>/params", VersionQuery),
    ],
)
def test_queries_and_their_defaults(route: str, query: Any) -> None:
    documented = {named(row[0])[0]: row[1] for row in rows(section(route), "query | default | what it is")}
    assert sorted(documented) == sorted(query().fields)
    for name in query().fields.keys() - {"version"}:
        assert documented[name].strip("`") == str(query().load({})[name])


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    return make_client(tmp_path)


def test_answer_fields(client: FlaskClient) -> None:
    made = make_model(client)
    arrays = {"wrt": {"params": True}, "values": ["scores"], "deltas": ["scores"], "losses": True}
    step = client.post("/v1/models/model/steps", json={"data": DATA} | arrays).json
    models, ledger = client.get("/v1/models").json, client.get("/v1/models/model/ledger").json
    optimizers = client.get("/v1/optimizers").json
    described = client.get("/v1/models/model").json
    answers = {
        "POST /v1/models": made,
        "GET /v1/models": models | models["models"][0],
        "GET /v1/models/<name>": {
            key: described[key] for key in described.keys() - models["models"][0].keys()
        },
        "PATCH /v1/models/<name>": client.patch("/v1/models/model", json={"optimizer": ADAM}).json,
        "POST /v1/models/<name>/steps": step,
        "GET /v1/models/<name>/ledger": {
            "entries": ...,
            "next": ...,
            **{key: ... for key in ("version", "step", "kind") if key in ledger["entries"][0]},
        },
        # `data` only where the network has constants
        "GET /v1/models/<name>/params": client.get("/v1/models/model/params").json | {"data": ...},
        "GET /v1/models/<name>/optimizer": client.get("/v1/models/model/optimizer").json,
        "POST /v1/models/<name>/restore": client.post("/v1/models/model/restore", json={"version": 0}).json,
        "GET /v1/optimizers": optimizers | optimizers["optimizers"][0],
        "DELETE /v1/models/<name>": client.delete("/v1/models/model").json,
    }
    for route, answer in answers.items():
        documented = [name for row in rows(section(route), "answer | what it is") for name in named(row[0])]
        assert sorted(documented) == sorted(answer), route

"""The pages describe exactly what the code has: routes, fields, codes, settings. Their snippets run."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from marshmallow import missing
from support.posting import good
from support.publishing import publish
from support.service import Service, running_service

from deltawire_layers import load_layers
from deltawire_service.app import create_app
from deltawire_service.engine import compile_network
from deltawire_service.engine.compile.spec import InputSchema, NetworkSchema, NodeSchema, RegularizationSchema
from deltawire_service.environment import PREFIX
from deltawire_service.http.problem_codes import PROBLEMS
from deltawire_service.schemas.requests import (
    CheckRequest,
    ForwardRequest,
    GradientsRequest,
    HvpRequest,
    InitRequest,
    JacobianRequest,
    JvpRequest,
    PlanRequest,
    VjpRequest,
    schema_of,
)
from deltawire_service.setting_checks import PROTOCOLS
from deltawire_service.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
API = (DOCS / "api.md").read_text()
MODELS = (DOCS / "models.md").read_text()
DATASETS = (DOCS / "datasets.md").read_text()
RUNS = (DOCS / "runs.md").read_text()
PAGES = (API, MODELS, DATASETS, RUNS)
"""The pages with a section for each route."""
SETTINGS = (DOCS / "settings.md").read_text()
SPEC = (DOCS / "spec.md").read_text()
README = (DOCS.parent / "README.md").read_text()
GENERATED = {"layers.md", "optimizers.md"}


def section(title: str, page: str = API) -> str:
    """The text below a heading of a page, up to the next one."""
    return page.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(text: str, header: str) -> list[list[str]]:
    """The cells of the table that begins with this header, its first cells without backticks."""
    lines = iter(text[text.index(f"| {header} |") :].splitlines()[2:])
    cells = []
    for line in lines:
        if not line.startswith("|"):
            break
        cells.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return cells


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def blocks(text: str) -> list[Any]:
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    """Of a service that has published the good request."""
    publish(tmp_path)
    return create_app(Settings(log_level="error", networks_dir=str(tmp_path))).test_client()


def routes(**settings: Any) -> list[str]:
    return create_app(Settings(log_level="error", **settings)).test_client().get("/").json["routes"]


def test_routes() -> None:
    documented = [named(row[0])[0] for row in rows(API, "route | does")]
    assert sorted(documented) == routes(protocols="")
    computing = {named(row[0])[0] for row in rows(MODELS, "route | the same as")}
    for route in set(documented) - computing:
        assert not route.partition(" ")[2].startswith("/v1") or f"\n## {route}\n" in "".join(PAGES)
    in_readme = [route for row in rows(README, "route | does") for route in named(row[0])]
    assert sorted(in_readme) == sorted(documented)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_routes_of_a_protocol_are_on_its_page(protocol: str) -> None:
    page = (DOCS / f"{protocol}.md").read_text()
    documented = [route for row in rows(page, "route | does") for route in named(row[0])]
    assert sorted(documented) == sorted(set(routes(protocols=protocol)) - set(routes(protocols="")))
    assert f"({protocol}.md)" in API and f"(docs/{protocol}.md)" in README


@pytest.mark.parametrize(
    "route, request_",
    [
        ("POST /v1/gradients", GradientsRequest),
        ("POST /v1/forward", ForwardRequest),
        ("POST /v1/vjp", VjpRequest),
        ("POST /v1/jvp", JvpRequest),
        ("POST /v1/jacobian", JacobianRequest),
        ("POST /v1/hvp", HvpRequest),
        ("POST /v1/plan", PlanRequest),
        ("POST /v1/check", CheckRequest),
        ("POST /v1/init", InitRequest),
    ],
)
def test_request_fields_and_their_defaults(route: str, request_: Any) -> None:
    schema = schema_of(request_)()
    documented = {named(row[0])[0]: row[1] for row in rows(section(route), "field | default | what it is")}
    assert sorted(documented) == sorted(schema.fields)
    for name, field in schema.fields.items():
        if field.required:
            assert documented[name] == "required"
        elif name != "wrt" and documented[name] != "outputs":
            default = field.load_default() if callable(field.load_default) else field.load_default
            told = default if isinstance(default, str) else json.dumps(default)
            assert documented[name] == f"`{told}`"


def test_answer_fields(client: FlaskClient) -> None:
    by_name = {"network": {"name": "good"}, "data": good()["data"]}
    everything = by_name | {"losses": True, "values": ["scores"], "deltas": ["scores"], "trace": True}
    cotangents = {"cotangents": {"loss": [1, 1, 1]}, "values": ["scores"]}
    along = {"params": {"scores.bias": [1, 0, 0]}}
    hvp = {"vectors": along, "quadratic": True, "diagonal": {}}
    for route, answer in (
        ("POST /v1/vjp", client.post("/v1/vjp", json=by_name | cotangents).json),
        (
            "POST /v1/jvp",
            client.post("/v1/jvp", json=by_name | {"tangents": along, "outputs": ["loss"]}).json,
        ),
        ("POST /v1/jacobian", client.post("/v1/jacobian", json=by_name | {"outputs": ["loss"]}).json),
        ("POST /v1/hvp", client.post("/v1/hvp", json=by_name | hvp).json),
        ("POST /v1/gradients", client.post("/v1/gradients", json=everything).json),
        ("POST /v1/forward", client.post("/v1/forward", json=by_name | {"values": ["scores"]}).json),
        ("POST /v1/plan", client.post("/v1/plan", json={"network": good()["network"]}).json),
        ("POST /v1/check", client.post("/v1/check", json=by_name).json),
        ("POST /v1/init", client.post("/v1/init", json={"network": good()["network"]}).json),
        ("GET /v1/limits", client.get("/v1/limits").json),
        (
            "GET /v1/networks",
            client.get("/v1/networks").json | client.get("/v1/networks").json["networks"][0],
        ),
        ("GET /v1/networks/<name>", {"parameters": ..., "network": ...}),
        (
            "GET /v1/layers",
            client.get("/v1/layers?lang=ko").json | client.get("/v1/layers?lang=ko").json["layers"][0],
        ),
    ):
        documented = [name for row in rows(section(route), "answer | what it is") for name in named(row[0])]
        assert sorted(documented) == sorted(answer)


def test_error_codes_and_their_statuses() -> None:
    documented = rows(API, "code | status | meaning")
    statuses = [(named(code)[0], int(status)) for code, status, _ in documented]
    assert sorted(statuses) == sorted((code, problem.status) for code, problem in PROBLEMS.items())
    assert all(meaning for _, _, meaning in documented)


def test_settings_and_their_defaults() -> None:
    documented = [
        (named(row[0])[0], row[1], re.sub(r"\[(.*?)\]\(.*?\)", r"\1", row[2]).replace("`", ""))
        for row in rows(SETTINGS, "variable | default | what it is")
    ]
    assert documented == [
        (PREFIX + setting.name.upper(), str(setting.default), setting.metadata["words"])
        for setting in fields(Settings)
    ]
    mentioned = set(re.findall(rf"{PREFIX}[A-Z_]+", API))
    assert mentioned <= {name for name, _, _ in documented}


def test_the_spec_and_the_tensor_shown_are_right(client: FlaskClient) -> None:
    (spec,) = blocks(section("Networks"))
    assert client.post("/v1/init", json={"network": spec}).status_code == 200
    (tensor,) = blocks(section("Tensors"))
    spec = {"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "identity", "name": "x1"}]}
    request = {"network": spec, "data": {"x": tensor}, "values": ["x1"]}
    assert client.post("/v1/gradients", json=request).json["values"]["x1"] == [1.0, 2.0]


@pytest.mark.parametrize("route", ["gradients", "vjp", "jvp", "jacobian", "hvp"])
def test_the_call_shown_gets_the_answer_shown(client: FlaskClient, route: str) -> None:
    request, answer = blocks(section(f"POST /v1/{route}"))
    assert client.post(f"/v1/{route}", json=request).json == answer


def test_the_problem_shown_is_the_one_that_comes(client: FlaskClient) -> None:
    (problem,) = blocks(section("Errors"))
    request, _ = blocks(section("POST /v1/gradients"))
    request["network"]["nodes"][1]["inputs"][0] = "p"
    headers = {"X-Request-Id": problem["request_id"]}
    assert client.post("/v1/gradients", json=request, headers=headers).json == problem


def test_the_checkpoint_shown_can_be_posted_as_shown(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = section("Binary bodies")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(code, "docs/api.md", "exec"), {})
    (call,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    route, headers, file = (
        call.split()[2],
        re.findall(r"-H '([^']+): ([^']+)'", call),
        call.split("@")[1].strip(),
    )
    path = route.removeprefix("http://127.0.0.1:8000")
    answer = client.post(path, data=Path(file).read_bytes(), headers=dict(headers))
    assert answer.status_code == 200, answer.text
    assert answer.json == blocks(text)[-1]


@pytest.mark.parametrize("spec", blocks(SPEC))
def test_the_specs_shown_are_networks(spec: dict[str, Any]) -> None:
    compile_network(spec, load_layers())


def test_the_examples_of_a_spec_show_what_the_text_says() -> None:
    first, *_ = blocks(SPEC)
    assert first == blocks(section("Networks"))[0]
    short, full = (compile_network(spec, load_layers()) for spec in blocks(section("Defaults", SPEC)))
    assert short.id == full.id
    assert short.spec == full.spec == blocks(section("Defaults", SPEC))[1] | {"loss": {"sum1": 1.0}}
    tied, turned = (compile_network(spec, load_layers()) for spec in blocks(section("Tied parameters", SPEC)))
    assert list(tied.parameters) == ["left.weight"]
    assert list(turned.parameters) == ["encoder.weight", "encoder.bias", "decoder.bias"]
    (regularized,) = (
        compile_network(spec, load_layers()) for spec in blocks(section("Regularization", SPEC))
    )
    assert regularized.regularization.parameters == ("hidden.weight", "hidden.bias")
    words, _, normed, learned, noisy = (
        compile_network(spec, load_layers()) for spec in blocks(section("Inputs", SPEC))
    )
    assert words.inputs["words"].ranges == (range(10),)
    assert normed.constants == ["mean", "var"]
    assert list(learned.parameters) == ["positions"]
    assert list(noisy.noise) == ["keep"]


@pytest.mark.parametrize(
    "text, schema",
    [
        (SPEC.partition("\n## ")[0], NetworkSchema()),
        (section("Inputs", SPEC), InputSchema()),
        (section("Nodes", SPEC), NodeSchema()),
        (section("Regularization", SPEC), RegularizationSchema()),
    ],
)
def test_keys_of_a_spec_and_their_defaults(text: str, schema: Any) -> None:
    documented = {named(row[0])[0]: row[1] for row in rows(text, "key | default | what it is")}
    assert sorted(documented) == sorted(schema.fields)
    for name, field in schema.fields.items():
        default = field.load_default() if callable(field.load_default) else field.load_default
        assert (documented[name] == "required") == field.required
        if documented[name].startswith("`"):
            assert json.loads(documented[name].strip("`")) == default
        else:
            assert field.required or default is missing


def test_limits_of_a_spec() -> None:
    defaults = {PREFIX + setting.name.upper(): str(setting.default) for setting in fields(Settings)}
    for _, default, setting in rows(SPEC, "limit | default | setting"):
        assert default == defaults[named(setting)[0]]


def test_codes_told_beside_the_rules_exist() -> None:
    told = re.findall(r"\(`(\w+)`", SPEC)
    assert len(told) > 10 and set(told) <= set(PROBLEMS)


# How a page begins: with a snippet that runs.


def first_snippet(page: str) -> str:
    return re.findall(r"^```sh\n(.*?)^```$", (DOCS.parent / page).read_text(), re.MULTILINE | re.DOTALL)[0]


@pytest.mark.parametrize(
    "page", [path.name for path in sorted(DOCS.glob("*.md")) if path.name not in GENERATED]
)
def test_a_page_shows_a_snippet_before_its_reference(page: str) -> None:
    opening = re.split(r"^\|", (DOCS / page).read_text(), maxsplit=1, flags=re.MULTILINE)[0]
    assert "\n```" in opening


@pytest.fixture(scope="module")
def served() -> Iterator[Service]:
    with running_service("-w", "1", compute_threads="2") as address:
        yield address


@pytest.mark.parametrize(
    "page, shown",
    [
        ("docs/api.md", '"loss":-12.0'),
        ("docs/clients.md", '"loss":-12.0'),
        ("docs/operations.md", "deltawire_requests_total"),
        ("docs/tuning.md", '"compute":2'),
        ("SECURITY.md", '"limits"'),
    ],
)
def test_the_first_call_of_a_page_runs(page: str, shown: str, served: Service) -> None:
    (call,) = (line for line in first_snippet(page).splitlines() if line.startswith("curl "))
    command = call.replace("http://127.0.0.1:8000", served)
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, check=True, timeout=30, cwd=DOCS.parent
    )
    assert shown in done.stdout


@pytest.mark.parametrize("page", ["docs/settings.md", "docs/tuning.md"])
def test_the_settings_of_the_first_snippet_are_read(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = (line for line in first_snippet(page).splitlines() if line.endswith(" deltawire serve"))
    given = dict(word.split("=") for word in line.split()[:-2])
    for variable, value in given.items():
        assert variable not in os.environ
        monkeypatch.setenv(variable, value)
    read = Settings.from_environment()
    for variable, value in given.items():
        assert getattr(read, variable.removeprefix(PREFIX).lower()) == float(value)


def test_the_programs_of_the_reliability_page_exist() -> None:
    page = (DOCS / "reliability.md").read_text()
    programs = {named(row[-1])[0] for row in rows(page, "| test | target | measured | program") if row[-1]}
    programs |= set(re.findall(r"-m torture\.(\w+)", page))
    assert len(programs) > 5
    assert not [name for name in programs if not (DOCS.parent / "tests" / "torture" / f"{name}.py").exists()]


def test_the_commands_of_contributing_exist() -> None:
    text = (DOCS.parent / "CONTRIBUTING.md").read_text()
    makefile = (DOCS.parent / "Makefile").read_text()
    for target in re.findall(r"\bmake (\w+)", text):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for script in re.findall(r"\.ci/(\w+)", text):
        assert (DOCS.parent / ".ci" / script).exists(), script

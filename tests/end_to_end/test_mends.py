"""A mend names something that the caller's own call takes: over HTTP, in Python and on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.console import run

from deltawire import Client, Refused
from deltawire.transport import WSGITransport
from deltawire_service.app import create_app
from deltawire_service.settings import Settings

SPEC = {"inputs": {"x": {"shape": []}}, "nodes": [{"name": "f", "kind": "reciprocal", "inputs": ["x"]}]}
REQUEST = {"network": SPEC, "data": {"x": [1.0, 0.0]}, "wrt": {"data": True}}
X = {"x": np.array([1.0, np.nan])}
DATA = {"data": True}

SDK: dict[str, Callable[[Client], Any]] = {
    "gradients": lambda client: client.gradients(SPEC, {}, X),
    "forward": lambda client: client.forward(SPEC, {}, X, ["f"]),
    "vjp": lambda client: client.vjp(SPEC, {}, X, {"f": np.ones(2)}, wrt=DATA),
    "jvp": lambda client: client.jvp(SPEC, {}, X, {"x": np.ones(2)}, ["f"]),
    "jacobian": lambda client: client.jacobian(SPEC, {}, X, ["f"], wrt=DATA),
    "hvp": lambda client: client.hvp(SPEC, {}, X, {"x": np.ones(2)}),
    "quadratic_form": lambda client: client.quadratic_form(SPEC, {}, X, {"x": np.ones(2)}),
    "hessian_diagonal": lambda client: client.hessian_diagonal(SPEC, {}, X, wrt=DATA),
    "per_example_gradients": lambda client: client.per_example_gradients(SPEC, {}, X, wrt=DATA),
    "value_and_grad": lambda client: client.value_and_grad(SPEC, {}, X, wrt=DATA),
    "check": lambda client: client.check(SPEC, {}, X),
}
WITHOUT = {"value_and_grad", "check"}


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


@pytest.mark.parametrize("method", SDK)
def test_python_names_an_argument_that_the_method_takes(method: str, client: Client) -> None:
    with pytest.raises(
        Refused, match="/data/x: 'x' holds a number that is not finite: nan in example 1"
    ) as caught:
        SDK[method](client)
    assert caught.value.code == "non_finite"
    named = 'non_finite="return" returns it' in str(caught.value)
    assert named is (method not in WITHOUT)
    assert named or "non_finite" not in str(caught.value)


@pytest.mark.parametrize(
    "route, options, named",
    [
        ("gradients", {}, True),
        ("forward", {"values": ["f"]}, True),
        ("vjp", {"cotangents": {"f": [1, 1]}, "wrt": DATA}, True),
        ("check", {}, False),
    ],
)
def test_http_names_a_field_that_the_route_takes(route: str, options: dict[str, Any], named: bool) -> None:
    request = {key: value for key, value in REQUEST.items() if key != "wrt"} | options
    problem = create_app(Settings(log_level="error")).test_client().post(f"/v1/{route}", json=request).json
    assert problem["code"] == "non_finite"
    mend = '"non_finite": "return" in the request returns it'
    assert problem["errors"][0].get("mend") == (mend if named else None)
    assert problem["detail"] == problem["errors"][0]["detail"] + (f": {mend}" if named else "")


@pytest.mark.parametrize("command, named", [("gradients", True), ("check", False)])
def test_a_command_names_a_line_of_its_file(
    command: str, named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("request.json").write_text(json.dumps(REQUEST))
    result = run(command, "request.json", columns=400)
    assert "in example 1, where 'x' is 0.0" in result.stderr
    assert ('"non_finite": "return" in FILE returns it' in result.stderr) is named
    assert 'non_finite="return"' not in result.stderr


def test_the_option_of_a_command_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("request.json").write_text(json.dumps(REQUEST | {"non_finite": "return"}))
    assert run("gradients", "request.json").exit_code == 0


def test_python_says_where_a_key_goes() -> None:
    keyed = create_app(Settings(log_level="error", api_keys=f"{'ab' * 32} laptop"))
    with pytest.raises(Refused, match=r"pass the key as Client\(…, api_key=…\)"):
        Client(transport=WSGITransport(keyed)).layers()

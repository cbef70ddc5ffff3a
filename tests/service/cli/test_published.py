"""Commands on a published network: FILE may name one, as a request to the service may."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.console import run
from support.posting import good
from support.publishing import as_arrays, publish

from deltawire_service.app import create_app
from deltawire_service.cli.outcome import Exit
from deltawire_service.settings import Settings

NAMED: dict[str, Any] = {"network": {"name": "good"}}
DATA = good()["data"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder; what is published lies in one of its folders."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "networks").mkdir()
    monkeypatch.setenv("DELTAWIRE_NETWORKS_DIR", str(tmp_path / "networks"))
    return tmp_path


def file(here: Path, **request: Any) -> Path:
    path = here / "request.json"
    path.write_text(json.dumps(NAMED | request))
    return path


def document(*arguments: str | Path, code: int = Exit.DONE) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def answered(here: Path, route: str, **request: Any) -> Any:
    settings = Settings(log_level="error", networks_dir=str(here / "networks"))
    answer = create_app(settings).test_client().post(route, json=NAMED | request)
    assert answer.status_code == 200, answer.text
    return answer.json


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_its_own_parameters_are_computed_with(here: Path, dtype: str) -> None:
    publish(here / "networks", dtype=dtype)
    expected = answered(here, "/v1/gradients", data=DATA)
    assert document("gradients", file(here, data=DATA)) == expected
    assert expected["params_id"]
    np.savez(here / "batch.npz", **as_arrays(DATA))  # labels are integers there, and stay so
    assert document("gradients", file(here), "--data", "batch.npz") == expected
    assert document("check", file(here, data=DATA)) == answered(here, "/v1/check", data=DATA)
    planned = document("plan", file(here, data=DATA))
    assert planned["given_bytes"] == document("plan", file(here), "--batch", "3")["given_bytes"]


def test_parameters_that_come_along_take_their_place(here: Path) -> None:
    publish(here / "networks")
    bias = {"scores.bias": [9.0, 9.0, -9.0]}
    assert document("gradients", file(here, data=DATA, params=bias)) == answered(
        here, "/v1/gradients", data=DATA, params=bias
    )
    np.savez(here / "bias.npz", **as_arrays(bias))
    ours = document("gradients", file(here, data=DATA), "--params", "bias.npz")
    assert ours == document("gradients", file(here, data=DATA, params=bias))
    drawn = document("gradients", file(here, data=DATA), "--seed", "1")
    assert "params_id" not in drawn and drawn["loss"] != answered(here, "/v1/gradients", data=DATA)["loss"]


def test_pinned_data_stands_in(here: Path) -> None:
    publish(here / "networks", data=DATA)
    for command in ("gradients", "check", "plan"):
        assert run(command, file(here)).exit_code == Exit.DONE
    assert document("gradients", file(here)) == answered(here, "/v1/gradients")


def test_data_that_is_not_pinned_is_asked_for(here: Path) -> None:
    publish(here / "networks")
    result = run("gradients", file(here))
    assert result.exit_code == Exit.USAGE
    assert "arrays for x (batch, 2), y (batch,) of integers" in " ".join(result.output.split())


@pytest.mark.parametrize("command", ["gradients", "check", "plan"])
def test_a_name_that_is_not_published(here: Path, command: str) -> None:
    publish(here / "networks")
    result = document(command, file(here, network={"name": "god"}, data=DATA), code=Exit.REFUSED)
    assert (result["code"], result["errors"][0]["pointer"]) == ("network_not_found", "/network/name")


def test_another_dtype_is_refused_unless_all_parameters_come_along(here: Path) -> None:
    publish(here / "networks", dtype="float32")
    for request, *options in ({"dtype": "float64"},), ({}, "--dtype", "float64"):
        result = document("gradients", file(here, data=DATA, **request), *options, code=Exit.REFUSED)
        assert (result["code"], result["errors"][0]["pointer"]) == ("dtype_mismatch", "/dtype")
        assert "network 'good' is float32, not float64" in result["errors"][0]["detail"]
    assert document("gradients", file(here, data=DATA), "--dtype", "float64", "--seed", "1")["loss"]


def test_a_key_or_a_url_that_cannot_be_one_is_a_matter_of_the_command_line(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run("layers", "--url", "127.0.0.1:8000")
    assert result.exit_code == Exit.USAGE and "with its scheme" in result.output
    monkeypatch.setenv("DELTAWIRE_API_KEY", "a key")
    result = run("layers", "--url", "http://127.0.0.1:8000")
    assert result.exit_code == Exit.USAGE and "api_key" in result.output

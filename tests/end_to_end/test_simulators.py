"""Networks that contain a simulator: a program, and a model of another server, behind a real socket."""

from __future__ import annotations

import json
import logging
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from threading import Thread
from typing import Any

import mpmath
import numpy as np
import pytest
from flask.testing import FlaskClient
from support.console import ROOT, run
from werkzeug.serving import make_server

from deltawire_layers import load_layers
from deltawire_layers.registry import LAYERS, installed
from deltawire_service.app import create_app
from deltawire_service.settings import Settings

FOLDERS = [ROOT / "examples" / f"deltawire-{name}" for name in ("pendulum", "umbridge")]


def declared(folder: Path) -> list[EntryPoint]:
    groups = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["entry-points"]
    return [EntryPoint(kind, value, LAYERS.name) for kind, value in groups[LAYERS.name].items()]


@pytest.fixture(scope="module")
def client() -> Iterator[FlaskClient]:
    """The service of a machine that has both packages."""
    points = [point for folder in FOLDERS for point in declared(folder)]
    assert [point.name for point in points] == ["pendulum", "remote_model"]
    with pytest.MonkeyPatch.context() as patch:
        for folder in FOLDERS:
            patch.syspath_prepend(folder)
        layers = load_layers([*installed("deltawire"), *points])
        yield create_app(Settings(log_level="critical"), layers).test_client()


def answered(client: FlaskClient, route: str, **request: Any) -> dict[str, Any]:
    answer = client.post(f"/v1/{route}", json=request)
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def test_both_are_in_the_catalogue(client: FlaskClient) -> None:
    for kind in ("pendulum", "remote_model"):
        assert client.get(f"/v1/layers/{kind}").json["orders"] == 1


# A program.

PENDULUM = {
    "inputs": {"start": {"shape": [2]}, "seen": {"shape": [2]}},
    "nodes": [
        {"name": "pushed", "kind": "shift", "inputs": ["start"]},
        {"name": "later", "kind": "pendulum", "config": {"seconds": 1.5}},
        {"name": "loss", "kind": "squared_error", "inputs": ["later", "seen"]},
    ],
}
SHIFT = [0.1, -0.2]
STARTS, SEEN = [[0.4, 0.3], [-1.9, 1.2]], [[0.0, 0.5], [1.0, -1.0]]


def pendulum_loss(*shift: Any) -> Any:
    """The loss by mpmath's solver, whose method is Taylor's."""
    total = mpmath.mpf(0)
    for start, seen in zip(STARTS, SEEN, strict=True):
        first = [mpmath.mpf(number) + by for number, by in zip(start, shift, strict=True)]
        later = mpmath.odefun(lambda t, y: [y[1], -mpmath.sin(y[0])], 0, first)(mpmath.mpf(1.5))
        total += sum((y - s) ** 2 for y, s in zip(later, seen, strict=True)) / len(STARTS)
    return total


def test_gradients_go_through_a_program(client: FlaskClient) -> None:
    (name,) = answered(client, "init", network=PENDULUM)["params"]
    data = {"start": STARTS, "seen": SEEN}
    found = answered(client, "gradients", network=PENDULUM, params={name: SHIFT}, data=data)
    with mpmath.workdps(25):
        assert found["loss"] == pytest.approx(float(pendulum_loss(*SHIFT)), rel=1e-7)
        for place in range(2):
            h = mpmath.mpf("1e-8")
            up, down = ([s + sign * h * (i == place) for i, s in enumerate(SHIFT)] for sign in (1, -1))
            right = (pendulum_loss(*up) - pendulum_loss(*down)) / (2 * h)
            assert found["gradients"]["params"][name][place] == pytest.approx(float(right), rel=1e-6)
    checked = answered(client, "check", network=PENDULUM, params={name: SHIFT}, data=data)
    assert checked["passed"]


def test_more_than_a_gradient_of_a_program_is_refused(client: FlaskClient) -> None:
    (name,) = answered(client, "init", network=PENDULUM)["params"]
    data = {"start": STARTS, "seen": SEEN}
    request = {"network": PENDULUM, "params": {name: SHIFT}, "data": data}
    answer = client.post("/v1/hvp", json=request | {"vectors": {"params": {name: [1, 0]}}})
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (422, "first_order_only")


# A server: another deltawire, whose published network is a model of UM-Bridge.

REMOTE = {
    "inputs": {"x": {"shape": [3]}},
    "nodes": [
        {"name": "h", "kind": "linear", "config": {"units": 2}},
        {"name": "out", "kind": "tanh"},
    ],
}


@pytest.fixture(scope="module")
def weights(client: FlaskClient) -> dict[str, Any]:
    return dict(answered(client, "init", network=REMOTE, seed=3)["params"])


@pytest.fixture(scope="module")
def remote(weights: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a service that has published the network."""
    folder = tmp_path_factory.mktemp("remote")
    (folder / "out.json").write_text(json.dumps({"network": REMOTE, "params": weights}))
    (folder / "networks").mkdir()
    published = run("publish", folder / "out.json", "--name", "far", "--into", folder / "networks")
    assert published.exit_code == 0, published.stderr
    app = create_app(Settings(log_level="critical", networks_dir=str(folder / "networks")))
    logging.getLogger("werkzeug").disabled = True
    with make_server("127.0.0.1", 0, app, threaded=True) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            logging.getLogger("werkzeug").disabled = False


def around(far: list[dict[str, Any]]) -> dict[str, Any]:
    """A network of which a part is computed here or elsewhere."""
    nodes = [{"name": "first", "kind": "linear", "inputs": ["x"], "config": {"units": 3}}]
    last = {"name": "loss", "kind": "squared_error", "inputs": ["out", "y"]}
    return {
        "inputs": {"x": {"shape": [4]}, "y": {"shape": [2]}},
        "nodes": [*nodes, *far, last],
    }


def test_gradients_go_through_another_server(
    client: FlaskClient, remote: str, weights: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DELTAWIRE_UMBRIDGE_URL", remote)
    call = {"name": "out", "kind": "remote_model", "config": {"model": "far", "outputs": 2}}
    rng = np.random.default_rng(0)
    data = {"x": rng.standard_normal((5, 4)).tolist(), "y": rng.standard_normal((5, 2)).tolist()}
    params = answered(client, "init", network=around([call]), seed=1)["params"]
    assert set(params) == {"first.weight", "first.bias"}
    wrt = {"params": list(params), "data": True}
    there = answered(client, "gradients", network=around([call]), params=params, data=data, wrt=wrt)
    here = answered(
        client, "gradients", network=around(REMOTE["nodes"]), params={**params, **weights}, data=data, wrt=wrt
    )  # type: ignore[arg-type]
    assert there["loss"] == pytest.approx(here["loss"], rel=1e-14)
    for part in ("params", "data"):
        for name, gradient in here["gradients"][part].items():
            np.testing.assert_allclose(there["gradients"][part][name], gradient, rtol=1e-12)
    checked = answered(client, "check", network=around([call]), params=params, data=data, samples=3)
    assert checked["passed"]


def test_a_server_that_is_gone_is_the_layers_failure(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DELTAWIRE_UMBRIDGE_URL", "http://127.0.0.1:9")
    network = {
        "inputs": {"x": {"shape": [3]}},
        "nodes": [{"name": "far", "kind": "remote_model", "config": {"model": "far", "outputs": 2}}],
    }
    answer = client.post("/v1/forward", json={"network": network, "data": {"x": [[1, 2, 3]]}})
    problem = answer.get_json(force=True)
    assert (answer.status_code, problem["code"]) == (500, "plugin_error") and "'far'" in problem["detail"]

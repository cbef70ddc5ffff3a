"""A network that contains a model of umbridge's own server: the layer of examples/deltawire-umbridge."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
import requests
from autograd import grad
from support.console import ROOT
from support.service import free_port

from deltawire_layers import load_layers
from deltawire_layers.registry import LAYERS, installed
from deltawire_service.app import create_app
from deltawire_service.settings import Settings

pytestmark = pytest.mark.clients
PACKAGE = ROOT / "examples" / "deltawire-umbridge"
TIMES = 0.5 * np.arange(1, 9)
SPEC = {
    "inputs": {"x": {"shape": [2]}, "seen": {"shape": [8]}},
    "nodes": [
        {"name": "constants", "kind": "exp", "inputs": ["x"]},
        {"name": "path", "kind": "remote_model", "config": {"model": "spring", "outputs": 8}},
        {"name": "loss", "kind": "squared_error", "inputs": ["path", "seen"]},
    ],
}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen([sys.executable, str(PACKAGE / "spring_server.py"), str(port)])
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + 60
    try:
        while True:
            try:
                assert requests.get(f"{url}/Info", timeout=1).ok
                break
            except requests.ConnectionError:
                assert process.poll() is None and time.monotonic() < end, "the server does not start"
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_gradients_go_through_the_server(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(PACKAGE)
    monkeypatch.setenv("DELTAWIRE_UMBRIDGE_URL", server)
    point = EntryPoint("remote_model", "deltawire_umbridge:RemoteModel", LAYERS.name)
    app = create_app(Settings(log_level="error"), load_layers([*installed("deltawire"), point]))
    rng = np.random.default_rng(2)
    x, seen = rng.uniform(-1, 0.5, (3, 2)), rng.standard_normal((3, 8))

    def loss(at: Any) -> Any:
        damping, stiffness = anp.exp(at[:, :1]), anp.exp(at[:, 1:])
        path = anp.exp(-damping * TIMES) * anp.cos(anp.sqrt(stiffness) * TIMES)
        return ((path - seen) ** 2).sum() / len(at)

    request = {"network": SPEC, "data": {"x": x.tolist(), "seen": seen.tolist()}, "wrt": {"data": ["x"]}}
    found = app.test_client().post("/v1/gradients", json=request).json
    assert found["loss"] == pytest.approx(loss(x), rel=1e-13)
    np.testing.assert_allclose(found["gradients"]["data"]["x"], grad(loss)(x), rtol=1e-11)

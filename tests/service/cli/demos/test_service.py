"""The service of a demo: it trains, keeps a folder or removes its own, and says when it does not start."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import requests

from deltawire import Client, Network, ServiceFailed, optim
from deltawire_service.cli.demos.service import running_service


def learn(client: Client) -> None:
    net = Network()
    net.loss = net.layer("sum", net.layer("linear", net.input("x", (3,)), units=1))
    model = client.create_model(net, name="line", optimizer=optim.sgd(0.1), seed=0)
    run = model.fit({"x": np.ones((4, 3))}, epochs=2, progress=False)
    assert run.state == "finished" and model.version == 2


def test_it_trains_and_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Settings of another service, with a key, without a trainer: they are not those of the demo's.
    for name, value in {"TRAINER": "false", "API_KEYS": f"{'0' * 64} other", "PLANNED_BYTES": "1"}.items():
        monkeypatch.setenv(f"DELTAWIRE_{name}", value)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with running_service(None) as address:
        (folder,) = tmp_path.glob("deltawire-demo-*")
        with Client(address) as client:
            learn(client)
        assert requests.get(f"{address}/models", timeout=10).ok and any(folder.iterdir())
    assert not any(tmp_path.iterdir())
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=10)


def test_a_folder_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with running_service(Path("data")) as address, Client(address) as client:
        learn(client)
    with Client(data_dir="data") as client:
        assert client.model("line").version == 2


def test_a_service_that_does_not_start_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServiceFailed, match="did not start"), running_service(tmp_path / "file"):
        pytest.fail("it started")
    assert os.listdir(tmp_path) == ["file"]

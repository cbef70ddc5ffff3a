"""deltawire serve --reload: a real service that starts again after an edit, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from support.console import run
from support.distributions import install
from support.service import free_port

from deltawire_service.cli.outcome import Exit

LAYER = '''"""The layer `acme`."""

from deltawire_layers import Activation, Layer


class Acme(Layer):
    """y = FACTOR x, for x (...)."""

    def output_shape(self, x):
        return x

    def forward(self, params, x):
        return Activation(FACTOR * x, deltas=(lambda delta: FACTOR * delta,))
'''
NETWORK = {"inputs": {"x": {"shape": []}}, "nodes": [{"name": "y", "kind": "acme"}]}


class Reloading:
    """The command in a process, and the plugin that it watches."""

    def __init__(self, folder: Path):
        self.source, site = folder / "source", folder / "site"
        for each in (self.source, site):
            each.mkdir()
        install(site, "acme 1.0", acme="acme:Acme")
        origin = {"url": self.source.as_uri(), "dir_info": {"editable": True}}
        (site / "acme-1.0.dist-info" / "direct_url.json").write_text(json.dumps(origin))
        self.write(2)
        self.port = free_port()
        self.errors = folder / "stderr"
        variables = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{self.source}"}
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from deltawire_service.cli import main; main()", "serve"]
                + ["--reload", "--port", str(self.port), "--workers", "1"],
                env=variables, stdout=subprocess.DEVNULL, stderr=errors, cwd=folder,
            )  # fmt: skip

    def write(self, factor: object) -> None:
        (self.source / "acme.py").write_text(LAYER.replace("FACTOR x, for", "factor · x, for").replace(
            "FACTOR", str(factor)
        ))  # fmt: skip

    def value(self) -> float | None:
        """What the layer makes of 1; None while nothing answers."""
        try:
            url = f"http://127.0.0.1:{self.port}/v1/forward"
            answer = requests.post(url, json={"network": NETWORK, "data": {"x": [1.0]}}, timeout=30)
        except requests.ConnectionError:
            return None
        return float(answer.json()["values"]["y"][0]) if answer.ok else None

    def wait_for(self, what: Any, seconds: float = 90) -> None:
        """Wait until the service answers this number, or the terminal says this text."""
        end = time.monotonic() + seconds
        while (what not in self.said()) if isinstance(what, str) else (self.value() != what):
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < end, self.said()
            time.sleep(0.1)

    def said(self) -> str:
        return self.errors.read_text()


@pytest.fixture
def reloading(tmp_path: Path) -> Iterator[Reloading]:
    service = Reloading(tmp_path)
    try:
        yield service
    finally:
        service.process.terminate()
        service.process.wait(60)


@pytest.mark.servers
def test_an_edit_is_served_and_a_broken_one_is_not(reloading: Reloading) -> None:
    reloading.wait_for(2.0)
    assert str(reloading.source) in reloading.said()
    reloading.write(3)
    reloading.wait_for(3.0)
    assert "source/acme.py has changed: starting again" in reloading.said()
    reloading.write("(")
    reloading.wait_for("not serving: waiting for the next edit")
    assert "layer kind 'acme' of distribution acme 1.0" in reloading.said()
    assert "SyntaxError" in reloading.said() and reloading.value() is None
    reloading.write(5)
    reloading.wait_for(5.0)
    reloading.process.send_signal(signal.SIGINT)
    assert reloading.process.wait(60) == 0
    assert reloading.value() is None


@pytest.mark.servers
def test_a_service_that_ends_by_itself_is_told(reloading: Reloading) -> None:
    reloading.wait_for(2.0)
    (master,) = (
        int(path.name)
        for path in Path("/proc").iterdir()
        if path.name.isdigit() and parent(path) == reloading.process.pid
    )
    os.kill(master, signal.SIGTERM)
    reloading.wait_for("the service ended with code 0: waiting for the next edit")
    reloading.write(4)
    reloading.wait_for(4.0)


def parent(process: Path) -> int | None:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def test_it_refuses_what_others_may_use(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deltawire_service.cli.serving.serve.ReloadingService", None)

    def refusal(*options: str) -> str:
        result = run("serve", "--reload", "--port", free_port(), *options)
        assert result.exit_code == Exit.USAGE
        return result.stderr

    assert "0.0.0.0 is not: leave out --host" in refusal("--host", "0.0.0.0")
    monkeypatch.setenv("DELTAWIRE_INSECURE_PUBLIC", "0")  # and what the option sets, for this test only
    assert "leave out --insecure-public" in refusal("--insecure-public")
    monkeypatch.setenv("DELTAWIRE_INSECURE_PUBLIC", "0")
    monkeypatch.setattr("deltawire_service.cli.serving.serve.editable_folders", list)
    assert "run 'pip install -e .' in its folder" in refusal()
    key = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad laptop"
    monkeypatch.setenv("DELTAWIRE_API_KEYS", key)
    assert "does not run with API keys" in refusal()
    monkeypatch.delenv("DELTAWIRE_API_KEYS")
    (here / "keys").write_text(key)
    monkeypatch.setenv("DELTAWIRE_API_KEYS_FILE", str(here / "keys"))
    assert "does not run with API keys" in refusal()

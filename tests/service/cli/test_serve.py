"""deltawire serve: becomes gunicorn, or says why it cannot."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from flask import Flask
from support.commands import answered
from support.console import run
from support.service import free_port
from werkzeug.serving import make_server

from deltawire_service.cli.outcome import Exit


def test_serve_becomes_gunicorn_and_prints_a_call_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[str] = []
    monkeypatch.setattr(os, "execv", lambda program, arguments: became.extend(arguments))
    port = str(free_port())
    result = run("serve", "--port", port, "--workers", "3")
    assert result.exit_code == 0
    assert became[:3] == [sys.executable, "-m", "gunicorn"]
    assert f"-b 127.0.0.1:{port} -w 3 deltawire_service.app:create_app()" in " ".join(became)
    assert f"curl -s http://127.0.0.1:{port}/v1/gradients" in result.stdout
    body = json.loads(result.stdout.partition("-d '")[2].partition("'")[0])
    assert answered("POST", "/v1/gradients", body)["gradients"]["data"] == {"x": [-4], "y": [-4], "z": [3]}
    assert "everyone who reaches" not in result.stdout
    monkeypatch.setenv("DELTAWIRE_INSECURE_PUBLIC", "0")  # and what is set below, for this test only
    refused = run("serve", "--host", "0.0.0.0", "--port", port)
    assert refused.exit_code == Exit.USAGE and "DELTAWIRE_API_KEYS_FILE" in refused.stderr
    everywhere = run("serve", "--host", "0.0.0.0", "--port", port, "--insecure-public")
    assert f"http://127.0.0.1:{port}" in everywhere.stdout and "everyone who reaches" in everywhere.stdout
    assert "-w" not in became[became.index(f"0.0.0.0:{port}") :]


def test_serve_publishes_a_folder(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = []
    monkeypatch.setattr(os, "execv", lambda *_: published.append(os.environ["DELTAWIRE_NETWORKS_DIR"]))
    monkeypatch.setenv("DELTAWIRE_NETWORKS_DIR", "elsewhere")
    assert run("serve", "--port", free_port(), "--networks", here).exit_code == 0
    assert published == [str(here)]
    assert run("serve", "--networks", here / "none").exit_code == Exit.USAGE


def test_serve_says_why_it_cannot(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "execv", lambda *_: pytest.fail("started"))
    with make_server("127.0.0.1", 0, Flask("busy")) as busy:
        result = run("serve", "--port", str(busy.server_port))
    assert result.exit_code == Exit.USAGE and "Address already in use" in result.stderr
    (here / "file").touch()
    monkeypatch.setenv("DELTAWIRE_DATA_DIR", str(here / "file"))
    result = run("serve")
    assert result.exit_code == Exit.USAGE
    assert f"models cannot be kept in {here / 'file'}: [Errno 20] Not a directory" in result.stderr
    monkeypatch.setenv("DELTAWIRE_NODES", "many")
    result = run("serve")
    assert result.exit_code == Exit.USAGE and "DELTAWIRE_NODES" in result.stderr


def test_serve_serves_until_it_is_told_to_stop() -> None:
    port = free_port()
    service = subprocess.Popen(
        [sys.executable, "-c", "from deltawire_service.cli import main; main()", "serve"]
        + ["--port", str(port), "--workers", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        end = time.monotonic() + 30
        while True:
            try:
                assert requests.get(f"http://127.0.0.1:{port}/readyz", timeout=1).ok
                break
            except requests.ConnectionError:
                assert service.poll() is None and time.monotonic() < end, "the service does not start"
                time.sleep(0.05)
    finally:
        service.send_signal(signal.SIGTERM)
        printed, _ = service.communicate(timeout=30)
    assert service.returncode == 0
    assert printed.startswith(f"starting on http://127.0.0.1:{port} ")

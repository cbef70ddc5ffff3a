"""How commands end: every fault with its place, and the exit code."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from support.commands import REQUEST, SPEC, document
from support.console import run
from support.layers import failing, registry
from support.service import free_port
from werkzeug.serving import make_server

from deltawire import Fault, Retries, TimedOut
from deltawire.transport import EmbeddedTransport, Request, Response
from deltawire_layers import RegistryError
from deltawire_service.cli.outcome import Exit


@pytest.mark.parametrize(
    "arguments",
    [
        ["gradients", "{spec}"],
        ["gradients", "-"],
        ["plan", "{spec}"],
        ["check", "{spec}"],
        ["layers", "linera"],
    ],
)
def test_what_is_wrong_is_json_too(arguments: list[str], here: Path) -> None:
    (here / "wrong.json").write_text(json.dumps(REQUEST | {"network": SPEC | {"loss": "losss"}}))
    result = run(*(a.format(spec="wrong.json") for a in arguments), "--json", given="{")
    assert result.exit_code == Exit.REFUSED
    result = json.loads(result.stdout)
    assert result.keys() == {"code", "status", "request_id", "errors"}
    assert result["errors"][0].keys() == {"pointer", "code", "detail"}
    assert result["code"] == result["errors"][0]["code"]


@pytest.mark.parametrize(
    "change, pointer, detail",
    [
        ({"vales": []}, "/vales", "did you mean 'values'?"),
        ({"params": []}, "/params", "expected an object of tensors"),
        ({"network": []}, "/network", "expected an object"),
        ({"data": {"x": [[1, 2, 3, None]] * 2, "y": [0, 0]}}, "/data/x/0/3", "expected a number, got null"),
        (
            {"data": {"x": [[1, 2, 3, 4]] * 2, "y": [0, 3]}},
            "/data/y/1",
            "expected integers from 0 to 2, got 3",
        ),
        (
            {"network": SPEC | {"nodes": [{"kind": "linera"}]}},
            "/network/nodes/0/kind",
            "did you mean 'linear'?",
        ),
        ({"reduction": "man"}, "/reduction", "expected 'mean' or 'sum'"),
    ],
)
def test_faults_are_shown_with_their_place(change: Any, pointer: str, detail: str, here: Path) -> None:
    (here / "wrong.json").write_text(json.dumps(REQUEST | change))
    result = run("gradients", "wrong.json", columns=300)
    assert result.exit_code == Exit.REFUSED
    assert f"at {pointer}\n" in result.stderr and detail in result.stderr
    assert not result.stdout
    assert document("gradients", "wrong.json", code=Exit.REFUSED)["errors"][0]["pointer"] == pointer


def test_every_fault_is_shown(here: Path) -> None:
    (here / "wrong.json").write_text(json.dumps(REQUEST | {"reduction": "man", "losses": 1}))
    result = run("gradients", "wrong.json")
    assert "/reduction" in result.stderr and "/losses" in result.stderr


def test_text_in_brackets_is_shown_as_it_is(here: Path) -> None:
    (here / "wrong.json").write_text(json.dumps(REQUEST | {"[bold]:smile:": []}))
    assert "/[bold]:smile:" in run("gradients", "wrong.json").stderr


def test_no_service(spec: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    result = run("gradients", spec, "--url", url)
    assert result.exit_code == Exit.UNREACHABLE and result.stderr.startswith("no service: unreachable")
    assert document("layers", "--url", url, code=Exit.UNREACHABLE)["code"] == "unreachable"


def test_something_that_is_no_deltawire_service() -> None:
    with make_server("127.0.0.1", 0, Flask("other"), threaded=True) as other:
        thread = Thread(target=other.serve_forever)
        thread.start()
        result = run("layers", "--url", f"http://127.0.0.1:{other.server_port}")
        other.shutdown()
        thread.join()
    assert result.exit_code == Exit.FAILED and "not as a deltawire service" in " ".join(result.stderr.split())


def test_a_layer_that_fails(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(x: Any) -> Any:
        raise RuntimeError("the secret")

    layers = registry(crashing=failing("forward", crash))
    monkeypatch.setattr("deltawire_service.app.load_layers", lambda: layers)
    network = {"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "crashing", "name": "culprit"}]}
    (here / "crash.json").write_text(json.dumps({"network": network, "data": {"x": [1]}}))
    result = run("gradients", "crash.json")
    assert result.exit_code == Exit.FAILED
    assert "failed: plugin_error" in result.stderr and "'culprit'" in result.stderr
    assert "under the request id" in " ".join(result.stderr.split())
    assert document("gradients", "crash.json", code=Exit.FAILED)["code"] == "plugin_error"


def test_a_plugin_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> Any:
        raise RegistryError("two distributions register the layer kind 'relu'")

    for where in ("app", "cli.serving.serve", "cli.new_layer", "cli.conformance"):
        monkeypatch.setattr(f"deltawire_service.{where}.load_layers", load)
    monkeypatch.setattr(os, "execv", lambda *_: pytest.fail("started"))
    for command in (["layers"], ["serve"], ["new-layer", "mine"], ["check-layer", "relu"]):
        result = run(*command)
        assert result.exit_code == Exit.FAILED
        assert result.stderr == "the service cannot start: two distributions register the layer kind 'relu'\n"


def test_a_setting_that_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DELTAWIRE_RANK", "-1")
    result = run("layers")
    assert result.exit_code == Exit.USAGE and "DELTAWIRE_RANK" in result.stderr


@pytest.mark.parametrize(
    "key, shown", [(None, "[0-9a-f]{32}"), ("mine", "mine"), ("a$b'c", re.escape("""'a$b'"'"'c'"""))]
)
def test_a_change_that_may_have_been_made_names_the_key_of_the_command_that_finds_out(
    key: str | None, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: list[str] = []

    def lose(transport: EmbeddedTransport, request: Request) -> Response:
        keys.append(request.headers["Idempotency-Key"])
        raise TimedOut([Fault("", "timed_out", "too slow")])

    monkeypatch.setenv("DELTAWIRE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(EmbeddedTransport, "send", lose)
    monkeypatch.setattr(Retries, "send", lambda self, attempt, **_: attempt())
    command = ["models", "delete", "a", "--yes", *(() if key is None else ("--key", key))]
    result = run(*command, columns=300)
    mend = rf"too slow: the change may have been made; the same command with --key {shown} finds out"
    assert result.exit_code == Exit.UNREACHABLE and re.search(mend, result.stderr), result.stderr
    assert shlex.quote(keys[0]) in result.stderr
    (error,) = document(*command, code=Exit.UNREACHABLE)["errors"]
    assert error["mend"].endswith(f"with --key {shlex.quote(keys[-1])} finds out")


def test_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(transport: EmbeddedTransport, request: Request) -> Response:
        raise KeyboardInterrupt

    monkeypatch.setattr(EmbeddedTransport, "send", interrupted)
    assert run("layers").exit_code == Exit.INTERRUPTED

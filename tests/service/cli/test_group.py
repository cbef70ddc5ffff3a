"""All commands: wrong command lines, help, and the answers of the service."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.commands import FLOW, REQUEST, answered, document, without
from support.console import ROOT, run
from support.service import running_service

from deltawire import wire
from deltawire_service.cli import main
from deltawire_service.cli.group import COMMANDS
from deltawire_service.cli.outcome import Exit


def test_json_is_what_the_service_answers() -> None:
    assert document("layers") == answered("GET", "/v1/layers")
    assert document("layers", "linear") == answered("GET", "/v1/layers/linear")
    assert document("gradients", FLOW) == answered("POST", "/v1/gradients", REQUEST)
    checked = without(REQUEST, "losses", "values")
    assert document("check", FLOW, "--samples", "3") == answered(
        "POST", "/v1/check", checked | {"samples": 3}
    )
    asked = without(REQUEST, "params", "data", "losses") | {"batch": 2, "media_type": wire.SAFETENSORS}
    assert document("plan", FLOW) == answered("POST", "/v1/plan", asked)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "Usage: deltawire"),
        (["gradiens", "x.json"], "No such command"),
        (["gradients"], "Missing argument 'FILE'"),
        (["gradients", "nowhere.json"], "No such file"),
        (["gradients", str(FLOW), "--data", "nowhere.npz"], "No such file"),
        (["gradients", str(FLOW), "--data", "one.npy"], "not an .npz file"),
        (["gradients", str(FLOW), "--data", "objects.npz"], "not an .npz file"),
        (["gradients", str(FLOW), "--params", "list.json"], 'nor JSON such as {"x": [[1.0, 2.0]]}'),
        (["gradients", str(FLOW), "--dtype", "float16"], "float16"),
        (["plan", str(FLOW), "--batch", "0"], "0 is not in the range"),
        (["serve", "--port", "0"], "0 is not in the range"),
    ],
)
def test_a_wrong_command_line(arguments: list[str], message: str, here: Path) -> None:
    np.save("one.npy", np.ones(3))
    np.savez("objects.npz", x=np.array([{}], dtype=object))
    Path("list.json").write_text("[[1, 2]]")
    result = run(*arguments)
    assert result.exit_code == Exit.USAGE and message in result.stderr


def test_without_the_extra_the_command_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "deltawire_service.cli.group")
    monkeypatch.setitem(sys.modules, "click", None)
    with pytest.raises(SystemExit) as exited:
        main()
    assert exited.value.code == Exit.USAGE
    assert "pip install 'deltawire[service]'" in capsys.readouterr().err


def test_a_command_is_imported_when_it_is_called() -> None:
    program = (
        "import sys, deltawire_service.cli.group; print({'numpy', 'flask', 'deltawire'} & sys.modules.keys())"
    )
    started = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (started.returncode, started.stdout) == (0, "set()\n"), started.stderr


@pytest.mark.parametrize(
    "program, status",
    [
        ("from deltawire_service.cli import main; main()", Exit.USAGE),
        ("import deltawire_service.gunicorn_conf", 1),
    ],
)
def test_a_wrong_blas_stops_the_start_in_a_line(program: str, status: int) -> None:
    environment = {**os.environ, "DELTAWIRE_BLAS": "openblas"}
    command = [sys.executable, "-c", program, "serve"]
    failed = subprocess.run(command, env=environment, capture_output=True, text=True)
    message = "deltawire cannot start: DELTAWIRE_BLAS: expected auto, numpy or mkl, got 'openblas'\n"
    assert (failed.returncode, failed.stderr) == (status, message)


@pytest.mark.parametrize("columns", [80, 120])
def test_nothing_is_wider_than_the_terminal(columns: int, spec: Path) -> None:
    longest = ("conv2d", "cosine_distance", "embedding", "gru", "lstm", "multi_head_attention")
    commands: list[list[Any]] = [["layers"], *(["layers", kind] for kind in longest)]
    for example in sorted((ROOT / "examples").glob("*.json")):
        commands += [["plan", example], ["gradients", example]]
    for command in commands:
        result = run(*command, columns=columns)
        assert result.exit_code == 0, result.output
        marks = "\N{COMBINING CIRCUMFLEX ACCENT}\N{COMBINING MACRON}"
        width = max(len(line) - sum(map(line.count, marks)) for line in result.stdout.splitlines())
        assert width <= columns, command


def test_help_of_every_command_fits_and_begins_with_a_sentence() -> None:
    for name in ["", *COMMANDS]:
        result = run(*filter(None, [name]), "-h")
        assert result.exit_code == 0
        assert max(map(len, result.stdout.splitlines())) <= 80
    lines = run("-h").stdout.splitlines()
    for name in COMMANDS:
        assert next(line for line in lines if line.startswith(f"  {name} ")).endswith("."), name


def test_a_service_answers_as_the_embedded_one(
    spec: Path, batch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[Any]] = [
        ["layers"],
        ["layers", "linear"],
        ["plan", FLOW],
        ["gradients", FLOW],
        ["gradients", spec, "--data", batch, "--seed", "3"],
        ["check", FLOW],
    ]
    with running_service("-w", "1") as url:
        for command in commands:
            assert document(*command, "--url", url) == document(*command)
        refused = document(
            "gradients", spec, "--data", batch, "--seed", "-1", "--url", url, code=Exit.REFUSED
        )
        assert refused["errors"][0]["pointer"] == "/seed" and refused["status"] == 422
        assert run("layers", "gru", "--url", url).stdout.startswith("gru(x, …)")

"""deltawire demo: from the command line to the report, with a service of its own and with a running one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest
from support.console import run
from support.service import running_service

from deltawire import Client
from deltawire_service.cli.outcome import Exit

MARK = "DEMO_OF_THIS_TEST"
"""A variable by which every process that a demo starts is known."""


def test_without_scikit_learn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    result = run("demo")
    assert result.exit_code == Exit.USAGE and "pip install 'deltawire[demo]'" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("faces",), "'faces' is not one of 'digits', 'text'"),
        (("text", "--epochs", "0"), "0 is not in the range"),
        (
            ("text", "--url", "http://127.0.0.1:9", "--data-dir", "data"),
            "--data-dir is for the demo's own service",
        ),
        (("text", "--url", "nowhere"), "expected one with its scheme"),
    ],
)
def test_a_wrong_command_line(arguments: tuple[str, ...], text: str) -> None:
    result = run("demo", *arguments)
    assert result.exit_code == Exit.USAGE and text in result.stderr


def test_no_service_at_the_address() -> None:
    result = run("demo", "text", "--url", "http://127.0.0.1:9")
    assert result.exit_code == Exit.UNREACHABLE


def test_the_digits_are_learned_and_kept(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    result = run("demo", "--data-dir", tmp_path / "data", "--epochs", "15", "--seed", "3")
    assert result.exit_code == 0, result.output
    shown = result.stdout
    assert "570 of 570 steps" in shown and "read right" in shown and "∂f/∂z 3.00" in shown
    assert max(map(len, shown.split("how to go on")[0].splitlines())) <= 80
    (found,) = re.findall(r"models#curves=run:([0-9a-f]{32})$", shown.split("how to go on")[0], re.MULTILINE)
    with Client(data_dir=tmp_path / "data") as client:
        described = client.run(found).describe()
        assert described["state"] == "finished" and described["recipe"]["seed"] == 3
        assert described["best_loss"] < 0.2


def test_a_text_is_learned_at_a_running_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deltawire_service.cli.demos.text.SHORT", 40)
    monkeypatch.setattr("deltawire_service.cli.demos.text.LONG", 80)
    with running_service("-w", "1", data_dir=str(tmp_path / "data"), trainer="true") as url:
        result = run("demo", "text", "--url", url, "--epochs", "1")
        assert result.exit_code == 0, result.output
        with Client(url) as client:
            (described,) = client.runs()
            losses = [each.loss for each in client.run(described["id"]).metrics() if each.loss is not None]
    assert described["state"] == "finished" and f"{url}/models#curves=run:{described['id']}" in result.stdout
    assert losses[0] > 7 and described["best_loss"] < 4.5
    before, after = (
        share_of_common_words(result.stdout.split(f"what the model writes {when}:")[1].split("\n\n")[0])
        for when in ("before it learns", "at the end")
    )
    assert after > 0.1 > before


def share_of_common_words(text: str) -> float:
    """The share of words that are the most common ones in English: about a quarter of any text."""
    words = text.split()
    return sum(word in ("the", "a", "an", "of", "is", "to", "in", "and") for word in words) / len(words)


@contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The demo of text as a process that is far from its end; temporary files are in a folder."""
    process = subprocess.Popen(
        [sys.executable, "-m", "deltawire", "demo", "text", "--epochs", "1000", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"TMPDIR": str(folder), MARK: str(folder), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_page(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert any("models#curves=run:" in line for line in process.stdout), "the run is not started"


def processes_of(folder: Path) -> list[str]:
    """The processes that have the mark of a demo in their environment."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={folder}".encode() in (place / "environ").read_bytes().split(b"\0"):
                found.append(place.name)
        except OSError:
            continue  # it has ended, or is another user's
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    with demo(tmp_path) as process:
        wait_for_page(process)
        assert len(processes_of(tmp_path)) >= 3, "the demo, the service and its worker"
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == Exit.INTERRUPTED and "the run is cancelled" in output and not errors
    end = monotonic() + 5
    while processes_of(tmp_path) and monotonic() < end:
        sleep(0.1)
    assert not processes_of(tmp_path) and not any(tmp_path.iterdir())


def test_ctrl_c_cancels_the_run_of_a_running_service(tmp_path: Path) -> None:
    with running_service("-w", "1", data_dir=str(tmp_path / "data"), trainer="true") as url:
        with demo(tmp_path, "--url", url) as process:
            wait_for_page(process)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        assert process.returncode == Exit.INTERRUPTED
        with Client(url) as client:
            assert [described["state"] for described in client.runs()] == ["cancelled"]

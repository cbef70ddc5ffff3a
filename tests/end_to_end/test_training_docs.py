"""docs/training-on-the-server.md: its recipes give one params_id, and its snippets print what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.console import ROOT, blocks
from support.service import Service, running_service

PAGE = ROOT / "docs" / "training-on-the-server.md"
START, *BLOCKS = blocks(PAGE)
ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service with a folder for its models, and a current folder with the files that the page shows."""
    assert START.text == "DELTAWIRE_DATA_DIR=data deltawire serve\n"
    monkeypatch.chdir(tmp_path)
    for block in BLOCKS:
        if block.file:
            Path(block.file).write_text(block.text)
    with running_service("-w", "2", data_dir=str(tmp_path / "data")) as url:
        yield url


def shell(text: str) -> str:
    """What commands print; `deltawire` is that of this environment."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", text], capture_output=True, text=True, timeout=300, env={**os.environ, "PATH": path}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_recipes_give_one_params_id(url: Service, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}  # one program, told in pieces
    printed, ids = "", []
    for language, _, text in BLOCKS:
        here = text.replace(ADDRESS, url)
        if language == "python":
            exec(compile(here, str(PAGE), "exec"), names)
            printed = capsys.readouterr().out
        elif language == "sh":
            ids.append(shell(here))
        elif language == "text":
            assert printed == text
    command, curl = ids
    (found,) = {line.split()[1] for line in command.splitlines() if line.startswith("params_id ")}
    assert found in curl

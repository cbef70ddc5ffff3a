"""Large parameters are sent from where they are, and received where they stay: at most one copy here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.service import TESTS, running_service

MIB = 2**20
SIZE = 96
"""MiB of the parameters: more than any other request may have."""


def grown(url: str, task: str) -> int:
    """The bytes by which a process grows that does a task with the model."""
    program = TESTS / "support" / "large_model.py"
    command = [sys.executable, program, url, task, str(SIZE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_the_client_keeps_one_copy_of_large_parameters(tmp_path: Path) -> None:
    with running_service("-w", "1", data_dir=str(tmp_path), deadline_seconds="300") as url:
        assert grown(url, "create") < 0.25 * SIZE * MIB  # nothing beside the caller's own arrays
        assert grown(url, "params") < 1.25 * SIZE * MIB
        assert grown(url, "save") < 1.25 * SIZE * MIB

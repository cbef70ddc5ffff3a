"""The watchdog ends a process that hangs, also one that holds Python's lock, and no other."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, time
from deltawire_service.training.watchdog import Watchdog
with Watchdog({seconds}).watching():
    {work}
time.sleep(0.3)
print("done")
"""


def run(work: str, seconds: str = "0.2") -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(seconds=seconds, work=work)
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("work", ["time.sleep(50)", "ctypes.PyDLL(None).sleep(50)"])
def test_a_process_that_hangs_ends_and_says_where(work: str) -> None:
    ended = run(work)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert 'File "<string>", line 5' in ended.stderr


@pytest.mark.parametrize("seconds", ["0.2", "float('inf')"])
def test_a_process_that_does_not_hang_goes_on(seconds: str) -> None:
    ended = run("pass", seconds)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")

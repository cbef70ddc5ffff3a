"""The watchdog ends a process that hangs, also one that holds Python's lock, and no other."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deltawire_service.training.watchdog import Watchdog

PROGRAM = """
import ctypes, time
from deltawire_service.training.watchdog import Watchdog
with Watchdog({seconds}).watching():
    {work}
time.sleep(0.3)
print("done")
"""


def run(work: str, seconds: str = "0.2", before: str = "") -> subprocess.CompletedProcess[str]:
    program = before + PROGRAM.format(seconds=seconds, work=work)
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("work", ["time.sleep(50)", "ctypes.PyDLL(None).sleep(50)"])
def test_a_process_that_hangs_ends_and_says_where(work: str) -> None:
    ended = run(work)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert 'File "<string>", line 5' in ended.stderr


@pytest.mark.parametrize(
    "work", ["while True: pass", "ctypes.PyDLL(None).qsort(bytes(2**24), 2**24, 1, LESS)"]
)
def test_a_process_that_computes_for_too_long_ends_and_says_where(work: str) -> None:
    less = "import ctypes\nLESS = ctypes.PyDLL(None).strncmp"
    ended = run(work, "60, 0.2", less)
    assert (ended.returncode, ended.stdout) == (-signal.SIGPROF, "")
    assert 'File "<string>", line' in ended.stderr


def test_a_process_that_others_leave_no_time_goes_on() -> None:
    ended = run("time.sleep(1)", "60, 0.2")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


@pytest.mark.parametrize("seconds", ["0.2", "float('inf')"])
def test_a_process_that_does_not_hang_goes_on(seconds: str) -> None:
    ended = run("pass", seconds)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


def test_progress_counts_the_time_anew() -> None:
    work = (
        "end = time.monotonic() + 1.0; dog = watchdog\n    while time.monotonic() < end: dog.note_progress()"
    )
    program = PROGRAM.replace("with Watchdog({seconds})", "watchdog = Watchdog({seconds})\nwith watchdog")
    program = "import deltawire_service.training.watchdog as w; w.REARMED_SECONDS = 0.01\n" + program
    command = [sys.executable, "-c", program.format(seconds="0.3", work=work)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


REPORTING = """
import sys, time
from pathlib import Path
from deltawire_service.training.watchdog import Watchdog
watchdog = Watchdog(0.2, path=Path(sys.argv[1]))
for run in ("first", "second"):
    watchdog.begin(run)
with watchdog.watching():
    {work}
"""


@pytest.mark.parametrize("work", ["time.sleep(50)", "sys.exit(1)"])
def test_the_next_process_reads_where_one_hung(tmp_path: Path, work: str) -> None:
    path = tmp_path / "report"
    command = [sys.executable, "-c", REPORTING.format(work=work), str(path)]
    assert subprocess.run(command, timeout=60, check=False).returncode == 1
    watchdog = Watchdog(path=path)
    report = watchdog.read_report()
    if "exit" in work:
        assert report is None
    else:
        assert report and report.run == "second"
        assert 'File "<string>", line 9' in report.threads
        watchdog.clear_report()
        assert watchdog.read_report() is None


def test_there_is_no_report_without_a_file() -> None:
    watchdog = Watchdog()
    watchdog.begin("run")
    assert watchdog.read_report() is None

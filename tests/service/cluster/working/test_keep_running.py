"""A command that is run again whenever it ends, until a signal."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

CODE = """
import sys
from deltawire_service.cluster.working.keep_running import keep_running
keep_running([sys.executable, "-c", sys.argv[1]], pause=0.01)
"""


def test_it_is_run_again_and_ends_with_its_command(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = (
        "import pathlib, time\n"
        f"log = pathlib.Path({str(log)!r})\n"
        "log.write_text('.' + (log.read_text() if log.exists() else ''))\n"
        "time.sleep(60 * (len(log.read_text()) > 2))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", CODE, command])
    end = monotonic() + 30
    while not (log.exists() and len(log.read_text()) == 3):
        assert monotonic() < end
        sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert len(log.read_text()) == 3


STUCK = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def test_a_command_that_does_not_end_is_killed_with_its_children() -> None:
    code = CODE.replace("pause=0.01", "pause=0.01, grace=0.5")
    with subprocess.Popen([sys.executable, "-c", code, STUCK], stdout=subprocess.PIPE) as process:
        assert process.stdout
        child = int(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    end = monotonic() + 10
    while Path(f"/proc/{child}/stat").exists() and " Z " not in Path(f"/proc/{child}/stat").read_text():
        assert monotonic() < end
        sleep(0.05)

"""docs/several-machines.md: its first part runs as printed, with the numbers it shows."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest
import requests
from support.service import free_port

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "several-machines.md").read_text()
FIRST = PAGE.split("\n## Three processes on one machine\n")[1].split("\n## ")[0]
CALLS = re.findall(r"^```sh\n(.*?)```\n(?:\n```text\n(.*?)```)?", FIRST, re.MULTILINE | re.DOTALL)
LISTENS = ("dask scheduler", "deltawire serve", "deltawire worker")
SECONDS = 120.0
"""Seconds in which all processes have to be there, also on a busy machine."""

COMES = ("cluster status", "/metrics")
"""Calls whose answer comes after a moment: workers join, and processes share their counts."""

pytestmark = pytest.mark.cluster


class Terminal:
    """Runs commands of the page in a folder, with free ports in place of its own."""

    def __init__(self, folder: Path):
        self._folder = folder
        ports = {port: str(free_port()) for port in ("8000", "8786", "8787")}
        self.address = f"http://127.0.0.1:{ports['8000']}"
        self._changes = {f":{port}": f":{free}" for port, free in ports.items()} | {
            "dask scheduler": f"dask scheduler --port {ports['8786']}",
            "deltawire serve": f"deltawire serve --port {ports['8000']}",
            "several_machines.py": f"several_machines.py {self.address}",
            ".venv/bin/": f"{Path(sys.executable).parent}/",
            " examples/": f" {ROOT}/examples/",
        }

    @contextmanager
    def start(self, command: str) -> Iterator[None]:
        """Run a command in the background until the block ends."""
        shell = f"exec env {self._changed(command).removesuffix('&')}"
        process = subprocess.Popen(shell, shell=True, cwd=self._folder)
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=60)

    def run(self, command: str) -> str:
        """Run a command to its end, and return what it prints."""
        done = subprocess.run(
            self._changed(command),
            shell=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=SECONDS,
            cwd=self._folder,
        )
        return done.stdout

    def _changed(self, command: str) -> str:
        for before, after in self._changes.items():
            command = command.replace(before, after)
        return command


def wait_for(address: str) -> None:
    end = monotonic() + SECONDS
    while True:
        try:
            requests.get(f"{address}/readyz", timeout=5).raise_for_status()
            return
        except requests.RequestException:
            assert monotonic() < end
            sleep(0.2)


def comparable(text: str) -> list[str]:
    """The lines of a text without what depends on the machine: times, digests, versions, order, widths."""
    text = re.sub(r"[0-9.]+ s\b", "SECONDS", text)
    text = re.sub(r"[0-9a-f]{12,}", "DIGEST", text)
    text = re.sub(r"deltawire [0-9.]+, \S+( [0-9]\S*)?|─+", "", text)
    return sorted(" ".join(line.split()) for line in text.splitlines())


def test_the_first_part_runs_as_shown(tmp_path: Path) -> None:
    terminal, answers = Terminal(tmp_path), list[str]()
    with ExitStack() as running:
        for call, shown in CALLS:
            if any(each in call for each in LISTENS):
                for line in call.splitlines():
                    running.enter_context(terminal.start(line))
                if "deltawire serve" in call:
                    wait_for(terminal.address)
                continue
            end = monotonic() + SECONDS
            while comparable(found := terminal.run(call)) != comparable(shown):
                assert any(each in call for each in COMES) and monotonic() < end, found
            answers += re.findall("sha256 (.*)", found)
    assert len(answers) == 2 and answers[0] == answers[1]

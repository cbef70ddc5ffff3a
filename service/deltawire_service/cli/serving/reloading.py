"""Serve for authors: start the service again whenever a file of an editable plugin changes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from deltawire_service.cli.serving.editable_files import Stamps, changed_path, editable_folders, stamps

POLL_SECONDS = 0.3
"""How often files are looked at. An edit has ended when they have not changed between two looks."""

STOP_SECONDS = 5.0
"""How long the service may take to end, until it is ended less gently."""

CHECK = """
from deltawire_layers import RegistryError, load_layers
from deltawire_optimizers.registry import load_optimizers
try:
    load_layers(), load_optimizers()
except RegistryError as error:
    raise SystemExit(str(error))
"""
"""A program that fails when a plugin cannot be used, and says which."""


class ReloadingService:
    """A service in a process of its own, and the files that it was started with.

    Args:
        command: the command that serves.
    """

    def __init__(self, command: Sequence[str]):
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._folders: list[Path] = []
        self._files: Stamps = {}
        self._leaving = False

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; SIGHUP reaches the service. Returns after the service has ended."""
        handlers = {signal.SIGTERM: self._leave, signal.SIGINT: self._leave, signal.SIGHUP: self._pass_on}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            self._start()
            while (path := self._wait_for_edit()) is not None:
                _say(f"{os.path.relpath(path)} has changed: starting again")
                self._stop()
                self._start()
        finally:
            self._stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start(self) -> None:
        """Start the service, unless a plugin cannot be used."""
        self._folders = editable_folders()
        self._files = stamps(self._folders)  # before they are read: a later edit is seen
        check = subprocess.run([sys.executable, "-c", CHECK], stderr=subprocess.PIPE, text=True)
        if self._leaving:
            return
        if check.returncode:
            _say(f"{check.stderr.strip()}\nnot serving: waiting for the next edit")
            return
        self._process = subprocess.Popen(self._command, start_new_session=True)

    def _wait_for_edit(self) -> str | None:
        """Wait until files have changed, and change no more; return the path of one; None to leave."""
        latest = self._files
        while not self._leaving:
            time.sleep(POLL_SECONDS)
            self._notice_end()
            now = stamps(self._folders)
            path = changed_path(self._files, now)
            if path is not None and now == latest:
                return path
            latest = now
        return None

    def _notice_end(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            code, self._process = self._process.returncode, None
            _say(f"the service ended with code {code}: waiting for the next edit")

    def _stop(self) -> None:
        """End the service, a layer that hangs included."""
        process, self._process = self._process, None
        if process is None:
            return
        for number in (signal.SIGTERM, signal.SIGQUIT):
            with suppress(ProcessLookupError):
                process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
                return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its session's, workers included
        process.wait()

    def _leave(self, number: int, frame: Any) -> None:
        self._leaving = True

    def _pass_on(self, number: int, frame: Any) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)


def _say(text: str) -> None:
    with suppress(OSError):  # a standard error that is full or closed stops nothing
        click.echo(text, err=True)

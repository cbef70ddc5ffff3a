"""Debian's firefox-esr for tests, driven by Marionette, the protocol that Firefox itself speaks.

Each message is its length in bytes, a colon, and a JSON list: [0, id, command, parameters] goes there, and
[1, id, error, result] comes back.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

START = 60
"""Seconds for the browser to listen, on a busy machine."""
WAIT = 60
"""Seconds for what a test waits for."""
PREFERENCES = {
    "network.proxy.type": 1,  # names of other hosts are not resolved: what goes there fails
    "network.proxy.socks": "127.0.0.1",
    "network.proxy.socks_port": 9,
    "network.proxy.socks_remote_dns": True,
    "network.proxy.allow_hijacking_localhost": False,
    "network.proxy.no_proxies_on": "127.0.0.1",
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
}


class Firefox:
    """A session of a running Firefox."""

    def __init__(self, connection: socket.socket):
        self._connection = connection
        self._received = b""
        self._count = 0
        self._read()  # the greeting
        self.call("WebDriver:NewSession", {})

    def call(self, command: str, parameters: dict[str, Any]) -> Any:
        """Return the result of a command; fail with what Firefox says is wrong."""
        self._count += 1
        message = json.dumps([0, self._count, command, parameters]).encode()
        self._connection.sendall(b"%d:%s" % (len(message), message))
        _, number, error, result = self._read()
        assert number == self._count
        assert error is None, f"{command}: {error}"
        return result

    def open(self, address: str) -> None:
        self.call("WebDriver:Navigate", {"url": address})

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript in the page."""
        script = {"script": f"return ({expression});", "args": [], "sandbox": None}
        return self.call("WebDriver:ExecuteScript", script)["value"]

    def wait_for(self, expression: str) -> Any:
        """Return the value of an expression as soon as it is true."""
        end = time.monotonic() + WAIT
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < end, f"not true in {WAIT} s: {expression}"
            time.sleep(0.1)
        return value

    def click(self, selector: str) -> None:
        """Click an element as a visitor does: it must be in view and not covered."""
        found = self.call("WebDriver:FindElement", {"using": "css selector", "value": selector})["value"]
        self.call("WebDriver:ElementClick", {"id": next(iter(found.values()))})

    def press(self, key: str) -> None:
        """Press a key, given as its character or as WebDriver's code for it."""
        actions = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        keys = {"type": "key", "id": "keys", "actions": actions}
        self.call("WebDriver:PerformActions", {"actions": [keys]})

    def screenshot(self) -> str:
        """Return the visible page as PNG in base64."""
        return str(self.call("WebDriver:TakeScreenshot", {"full": False})["value"])

    def _read(self) -> Any:
        while b":" not in self._received:
            self._receive()
        length, _, rest = self._received.partition(b":")
        self._received = rest
        while len(self._received) < int(length):
            self._receive()
        message, self._received = self._received[: int(length)], self._received[int(length) :]
        return json.loads(message)

    def _receive(self) -> None:
        data = self._connection.recv(1 << 16)
        assert data, "Firefox has closed the connection"
        self._received += data


@contextmanager
def firefox(folder: Path) -> Iterator[Firefox]:
    """Start the installed firefox-esr without a window, and end it afterwards.

    Args:
        folder: an empty folder for its profile.
    """
    program = shutil.which("firefox-esr")
    assert program, "the test needs firefox-esr: on Debian, 'apt-get install firefox-esr' brings it"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    preferences = PREFERENCES | {"marionette.port": port}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in preferences.items()]
    (folder / "user.js").write_text("\n".join(lines))
    command = [program, "--headless", "--no-remote", "--profile", str(folder), "--marionette"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            with _connect(process, port, folder / "log") as connection:
                yield Firefox(connection)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _connect(process: subprocess.Popen[bytes], port: int, log: Path) -> socket.socket:
    """Return a connection to Firefox as soon as it listens."""
    end = time.monotonic() + START
    while True:
        assert process.poll() is None, f"Firefox has ended: {log.read_text()}"
        try:
            connection = socket.create_connection(("127.0.0.1", port), timeout=WAIT)
        except ConnectionRefusedError:
            assert time.monotonic() < end, f"Firefox does not listen: {log.read_text()}"
            time.sleep(0.2)
        else:
            return connection

"""A service for a demo alone: started on a free port of this machine, and stopped at the end."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from deltawire.errors import Fault, ServiceFailed
from deltawire_service.cli.demos.interrupts import without_interrupts
from deltawire_service.cli.serving.gunicorn import gunicorn_command

ADDRESS = re.compile(r"serves at (http://\S+)")
"""In the line that the service prints when it is ready."""

STOP_SECONDS = 40.0
"""How long the service may take to stop: as long as a request may take that it still answers."""


@contextmanager
def running_service(data_dir: Path | None) -> Iterator[str]:
    """Serve with gunicorn and a trainer until the block ends, and return the address.

    Args:
        data_dir: The folder that keeps models; None for a temporary one, which is removed at the end.

    Raises:
        ServiceFailed: The service does not start; it says why on standard error.
    """
    stack = ExitStack()
    try:
        with without_interrupts():
            folder = data_dir or Path(stack.enter_context(TemporaryDirectory(prefix="deltawire-demo-")))
            service = _start(folder)
            stack.callback(_stop, service)
        yield _read_address(service)
    finally:
        with without_interrupts():
            stack.close()


def _start(data_dir: Path) -> subprocess.Popen[str]:
    """Start gunicorn in a session of its own: the demo alone hears Ctrl-C, and stops it."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("DELTAWIRE_")}
    own = {"DELTAWIRE_DATA_DIR": str(data_dir.absolute()), "DELTAWIRE_LOG_LEVEL": "error"}
    return subprocess.Popen(
        gunicorn_command("127.0.0.1:0", workers=1),
        env=others | own, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def _read_address(service: subprocess.Popen[str]) -> str:
    assert service.stdout is not None
    for line in service.stdout:
        if found := ADDRESS.search(line):
            return found[1]
    raise ServiceFailed([Fault("", "not_started", "the demo's service did not start: see above")])


def _stop(service: subprocess.Popen[str]) -> None:
    service.terminate()
    try:
        service.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        service.kill()
        service.communicate()

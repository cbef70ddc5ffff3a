"""The command line of gunicorn, with the configuration shipped with deltawire."""

from __future__ import annotations

import sys


def gunicorn_command(bind: str, workers: int | None = None) -> list[str]:
    """Return the command that serves.

    Args:
        bind: Address and port to listen on; port 0 stands for a free one.
        workers: Processes; by default the number of cores.
    """
    command = [sys.executable, "-m", "gunicorn", "-c", "python:deltawire_service.gunicorn_conf", "-b", bind]
    command += [] if workers is None else ["-w", str(workers)]
    return [*command, "deltawire_service.app:create_app()"]

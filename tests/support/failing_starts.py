"""The service, where the system has no process (`fork`) or no descriptors (`pipe`) while a file says so."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask

from deltawire_service import app

FOLDER = "FAILING_STARTS"
"""The variable that names the folder of the files `fork` and `pipe`."""


def failing(name: str, error: int) -> Callable[[], Any]:
    real = getattr(os, name)

    def call() -> Any:
        if Path(os.environ[FOLDER], name).exists():
            raise OSError(error, os.strerror(error))
        return real()

    return call


def create_app() -> Flask:
    for name, error in (("fork", errno.EAGAIN), ("pipe", errno.EMFILE)):
        setattr(os, name, failing(name, error))
    return app.create_app()

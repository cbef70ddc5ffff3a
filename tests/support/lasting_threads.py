"""The service beside a plugin whose threads never end, in the master and in every worker."""

from __future__ import annotations

import os
from threading import Event, Thread
from typing import Any

from flask import Flask

from deltawire_service.app import create_app


def app() -> Flask:
    last()
    service = create_app()
    os.register_at_fork(after_in_child=last)
    return service


def last(*given: Any) -> None:
    Thread(target=Event().wait, name="lasts").start()

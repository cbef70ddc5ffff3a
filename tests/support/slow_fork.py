"""An application whose workers need a while after they are forked."""

from __future__ import annotations

import os
from time import sleep
from typing import Any

from deltawire_service.app import create_app

SECONDS = 2.0


def app() -> Any:
    """Make the application, in gunicorn's master."""
    os.register_at_fork(after_in_child=lambda: sleep(SECONDS))
    return create_app()

"""Readiness: the reason why this process should get no requests, which `/readyz` returns."""

from __future__ import annotations

from collections.abc import Callable


class Readiness:
    """Ready, until the process stops. `stopping`: returns whether it does; the server sets it."""

    def __init__(self) -> None:
        self.stopping: Callable[[], bool] = lambda: False

    def reason(self) -> str | None:
        """Return why no requests should come, or None."""
        return "draining" if self.stopping() else None

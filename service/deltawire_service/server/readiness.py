"""Readiness: the reason why this process should get no requests, which `/readyz` returns."""

from __future__ import annotations

from collections.abc import Callable


class Readiness:
    """Ready, once the models are recovered and until the process stops.

    `recovering` and `stopping` return whether these are going on; the server sets them.
    """

    def __init__(self) -> None:
        self.recovering: Callable[[], bool] = lambda: False
        self.stopping: Callable[[], bool] = lambda: False

    def reason(self) -> str | None:
        """Return why no requests should come, or None."""
        if self.stopping():
            return "draining"
        return "recovering" if self.recovering() else None

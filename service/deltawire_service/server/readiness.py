"""Whether this process should get requests, and why not: what `/readyz` says."""

from __future__ import annotations

from collections.abc import Callable


class Readiness:
    """Ready until one of its reasons speaks. `stopping`: set when this worker takes no more connections."""

    def __init__(self) -> None:
        self.stopping: Callable[[], bool] = lambda: False

    def reason(self) -> str | None:
        """Why no requests should come, or None."""
        return "draining" if self.stopping() else None

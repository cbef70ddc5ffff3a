"""Forward passes that are kept: for whom, and how `Server-Timing` says that one was reused."""

from __future__ import annotations

from deltawire_service.http.request_context import current_request

PHASE = "reused"


class PassObserver:
    """Keeps passes for the owner of the current request, and notes the time in which one was found."""

    def owner(self) -> str | None:
        """Return who sent the request; None where its numbers may change after it."""
        context = current_request(None)
        return context.owner if context and context.numbers_stay else None

    def on_reuse(self, seconds: float) -> None:
        """Note that a pass was found. seconds: how long that took."""
        if context := current_request(None):
            context.phase_seconds[PHASE] = context.phase_seconds.get(PHASE, 0.0) + seconds

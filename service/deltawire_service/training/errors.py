"""The errors of runs, beside those of models."""

from __future__ import annotations

from deltawire_service.faults import ServiceError


class RunNotFound(ServiceError):
    """The caller has no such run."""

    code = "run_not_found"


class RunEnded(ServiceError):
    """The run has ended: nothing was changed."""

    code = "run_ended"


class PartFailed(Exception):
    """A part of a run cannot be computed; its cause says why.

    Args:
        part: the step or the validation, in words.
    """

    def __init__(self, part: str):
        super().__init__(part)
        self.part = part


class RunStopped(Exception):
    """The run was paused, cancelled or deleted while it was computed: nothing more of it is kept."""

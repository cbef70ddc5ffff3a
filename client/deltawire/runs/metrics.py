"""The metrics of a run, read as they come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deltawire.connection import Connection

PAGE = 1000
"""Steps in a page, at most."""


@dataclass(frozen=True)
class RunMetrics:
    """A step of a run, or a validation.

    Attributes:
        version: The version of the model that the step made, or that was validated.
        step: How many optimizer steps lead to it.
        loss: The reduced loss before the step; None for a validation.
        gradient_norm: The norm of all gradients together, before they were clipped; None for a validation.
        learning_rate: That of the step; None for a validation.
        validation_loss: The mean loss of the rows that the run does not learn from; None for a step.
    """

    version: int
    step: int
    loss: float | None = None
    gradient_norm: float | None = None
    learning_rate: float | None = None
    validation_loss: float | None = None


def read_metrics(connection: Connection, path: str, since: int) -> tuple[list[RunMetrics], int]:
    """Return the metrics after a version in order, and the version that the next ones follow.

    Args:
        connection: To the service.
        path: Of the run.
        since: The version that the metrics follow; −1 for all.
    """
    found: list[RunMetrics] = []
    while True:
        page = connection.get(f"{path}/metrics?since={since}&limit={PAGE}", dict)
        found += _in_order(page)
        if page["next"] == since:
            return found, since
        since = page["next"]


def _in_order(page: dict[str, Any]) -> list[RunMetrics]:
    """Return the metrics of a page: each validation after the step that made its version."""
    steps = [RunMetrics(**step) for step in page["steps"]]
    validations = [
        RunMetrics(each["version"], each["step"], validation_loss=each["loss"])
        for each in page["validations"]
    ]
    return sorted([*steps, *validations], key=lambda metrics: metrics.version)

"""Reports of the workers: how many there are, and what they computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Membership(NamedTuple):
    """How many workers there are."""

    connected: bool
    equal: int
    """Workers that compute the same bits as this process."""
    other: int
    """Workers that get no tasks: their fingerprint is another, or they have none."""


@dataclass
class Report:
    """Where the segments of a computation were computed.

    Attributes:
        workers: segments that workers computed.
        here: those that this process computed in their place.
        recomputed: those that were lost with a worker, counted each time.
        sent_bytes: bytes of the tasks.
        received_bytes: bytes of the results.
        seconds: how long the computation waited for workers.
    """

    workers: int = 0
    here: int = 0
    recomputed: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    seconds: float = 0.0

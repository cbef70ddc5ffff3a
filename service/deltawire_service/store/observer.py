"""The observer of a store: it is told what the store does, and counts it where the service counts."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal, Protocol

Part = Literal["lock", "replay", "snapshot", "compute", "update", "batch", "writer", "commit"]
"""The parts of a change that take time, in their order.

lock: waiting for others who change the model. replay: computing a version again. snapshot: writing a file.
compute: the gradients of a step. update: the parameters after it. batch: waiting until what the step has
computed with is stored. writer: waiting for others who write to the database. commit: ending a transaction.
"""

Kind = str
"""The kind of a change: that of its entry in the ledger, or `deleted`."""


class Observer(Protocol):
    """Is told what a store does, in the thread that does it. It must not fail."""

    def timing(self, part: Part) -> AbstractContextManager[None]:
        """Return a context that lasts as long as a part of a change."""

    def on_change(self, kind: Kind) -> None:
        """Count a change that is committed."""

    def on_dataset(self, kind: Literal["created", "deleted"]) -> None:
        """Count a change of the datasets that is committed."""

    def on_run_steps(self, count: int) -> None:
        """Count steps of a run that are committed together."""

    def on_replayed_answer(self) -> None:
        """Note that the current request gets the answer that its key got before."""


class Unobserved:
    """Observes nothing."""

    def timing(self, part: Part) -> AbstractContextManager[None]:
        """Return a context that does nothing."""
        return nullcontext()

    def on_change(self, kind: Kind) -> None:
        """Do nothing."""

    def on_dataset(self, kind: Literal["created", "deleted"]) -> None:
        """Do nothing."""

    def on_run_steps(self, count: int) -> None:
        """Do nothing."""

    def on_replayed_answer(self) -> None:
        """Do nothing."""


UNOBSERVED = Unobserved()

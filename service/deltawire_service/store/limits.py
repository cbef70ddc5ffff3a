"""The limits of a store: how much it may keep, for each owner and each model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StoreLimits:
    """Bounds on what the store keeps.

    Attributes:
        history_bytes: snapshots and batches that a model keeps, so that earlier versions can be computed.
            The newest snapshot and the batches after it are kept however large they are.
        ledger_entries: entries that a model's ledger keeps; those of versions that can be computed stay.
    """

    history_bytes: int = 2**30
    ledger_entries: int = 1_000_000

    @property
    def unsaved_bytes(self) -> int:
        """Batches after the newest snapshot from which on another one is due."""
        return self.history_bytes // 4

"""The limits of a store: how much it may keep, for each owner and each model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StoreLimits:
    """Bounds on what the store keeps.

    Attributes:
        models_per_owner: models that an owner may have.
        bytes_per_owner: bytes that an owner may have: datasets, and slots, snapshots and batches of models.
        free_bytes: bytes that stay free on the disk. Below that, nothing is made and no step is taken.
        keys_per_owner: Idempotency-Keys of an owner that are answered, the latest ones.
        key_seconds: for how long a key is answered, in seconds that the service was up.
        history_bytes: snapshots and batches that a model keeps, so that earlier versions can be computed.
            The newest snapshot and the batches after it are kept however large they are.
        ledger_entries: entries that a model's ledger keeps; those after the newest snapshot stay.
        datasets_per_owner: datasets that an owner may have.
        runs_per_owner: runs of an owner that have not ended.
    """

    models_per_owner: int = 1000
    bytes_per_owner: int = 64 * 2**30
    free_bytes: int = 2**28
    keys_per_owner: int = 250_000
    key_seconds: float = 24 * 3600.0
    history_bytes: int = 2**30
    ledger_entries: int = 1_000_000
    datasets_per_owner: int = 1000
    runs_per_owner: int = 16

    @property
    def unsaved_bytes(self) -> int:
        """Batches after the newest snapshot from which on another one is due."""
        return self.history_bytes // 4

"""Quotas of owners, and the room that stays free on the disk: both are checked before anything is written."""

from __future__ import annotations

import os
from pathlib import Path
from sqlite3 import Connection

from deltawire_service.store.errors import QuotaExceeded, StoreFull, disk_errors
from deltawire_service.store.limits import StoreLimits
from deltawire_service.store.tables import datasets, models


def check_quota(
    database: Connection,
    owner: str,
    limits: StoreLimits,
    more_bytes: int,
    more_models: int = 0,
    more_datasets: int = 0,
) -> None:
    """Check that an owner may have more.

    Args:
        database: a transaction.
        owner: the owner.
        limits: how much an owner may have.
        more_bytes: bytes that a change adds.
        more_models: models that it adds.
        more_datasets: datasets that it adds.

    Raises:
        QuotaExceeded: that would be too much.
    """
    size = 0
    for kind, table, more, most in (
        ("models", models, more_models, limits.models_per_owner),
        ("datasets", datasets, more_datasets, limits.datasets_per_owner),
    ):
        number, taken = table.usage(database, owner)
        if more and number + more > most:
            raise QuotaExceeded(f"you have {number} {kind}, and may have {most}: delete one")
        size += taken
    if size + more_bytes > limits.bytes_per_owner:
        raise QuotaExceeded(
            f"your models and datasets have {size} bytes, {more_bytes} more would exceed "
            f"{limits.bytes_per_owner}: delete one"
        )


def check_disk(path: Path, limits: StoreLimits, more_bytes: int) -> None:
    """Check that enough of the disk stays free.

    Args:
        path: a folder on the disk.
        limits: how much stays free.
        more_bytes: bytes that are to be written.

    Raises:
        StoreFull: less would stay free.
        StoreUnavailable: the disk cannot be used.
    """
    with disk_errors():
        disk = os.statvfs(path)
    free = disk.f_bavail * disk.f_frsize
    if free - more_bytes < limits.free_bytes:
        raise StoreFull(
            f"the disk that data is kept on has {free} bytes free, and {limits.free_bytes} must stay free "
            f"after {more_bytes} more; nothing was changed"
        )

"""Owners have quotas, and some of the disk stays free."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from deltawire_service.store.database import Database
from deltawire_service.store.errors import QuotaExceeded, StoreFull, StoreUnavailable
from deltawire_service.store.limits import StoreLimits
from deltawire_service.store.quotas import check_disk, check_quota
from deltawire_service.store.tables import models
from deltawire_service.store.tables.models import ModelRow

LIMITS = StoreLimits(models_per_owner=2, bytes_per_owner=1000)


def test_an_owner_has_so_many_models_and_bytes(database: Database) -> None:
    row = ModelRow("1a", "anna", "a", "{}", "float32", "2b", 0, "slot", b"", bytes=400)
    with database.writing() as transaction:
        check_quota(transaction, "anna", LIMITS, 1000, 2)
        models.insert(transaction, row)
        models.insert(transaction, replace(row, id="2b", name="b"))
        models.insert(transaction, replace(row, id="3c", owner="ben", bytes=10**9))
        check_quota(transaction, "anna", LIMITS, 200)
        with pytest.raises(QuotaExceeded, match="800 bytes, 201 more would exceed 1000"):
            check_quota(transaction, "anna", LIMITS, 201)
        with pytest.raises(QuotaExceeded, match="you have 2 models"):
            check_quota(transaction, "anna", LIMITS, 0, 1)
        check_quota(transaction, "carl", LIMITS, 1000, 2)
        plan = transaction.execute("EXPLAIN QUERY PLAN SELECT sum(bytes) FROM models WHERE owner = 'anna'")
        assert "COVERING INDEX" in plan.fetchone()["detail"]  # it is looked at before each step


def test_some_of_the_disk_stays_free(tmp_path: Path) -> None:
    disk = os.statvfs(tmp_path)
    free = disk.f_bavail * disk.f_frsize
    check_disk(tmp_path, StoreLimits(free_bytes=free // 2), free // 4)
    with pytest.raises(StoreFull, match="must stay free"):
        check_disk(tmp_path, StoreLimits(free_bytes=free // 2), free)
    with pytest.raises(StoreUnavailable):
        check_disk(tmp_path / "gone", StoreLimits(), 0)

"""Snapshots are safetensors files, whole or not there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from deltawire_service.store import snapshots
from deltawire_service.store.errors import StoreFull, StoreUnavailable
from deltawire_service.store.snapshots import load_snapshot, read_snapshot, write_snapshot

ARRAYS = {
    "params/w": np.arange(12.0, dtype=np.float32).reshape(3, 4),
    "params/b": np.array(-0.0, np.float32),
    "state/w.exp_avg": np.full((3, 4), 5e-324).astype(np.float32),
}


def test_a_snapshot_has_the_same_bits_for_us_and_for_the_library(tmp_path: Path) -> None:
    path = tmp_path / write_snapshot(tmp_path, ARRAYS)[0]
    for read in (read_snapshot(path), load_file(path)):
        assert read.keys() == ARRAYS.keys()
        assert all(read[name].tobytes() == array.tobytes() for name, array in ARRAYS.items())


def test_a_snapshot_is_copied_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "PIECE", 5)
    path = tmp_path / write_snapshot(tmp_path, ARRAYS)[0]
    copies = {name: np.zeros_like(array) for name, array in ARRAYS.items()}
    load_snapshot(path, copies)
    assert all(copies[name].tobytes() == array.tobytes() for name, array in ARRAYS.items())


@pytest.mark.parametrize("call", ["posix_fallocate", "pwrite", "fsync"])
def test_a_disk_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(StoreFull):
        write_snapshot(tmp_path, ARRAYS)
    monkeypatch.undo()
    assert not os.listdir(tmp_path)


def test_a_snapshot_that_is_gone_is_said(tmp_path: Path) -> None:
    for read in (read_snapshot, lambda path: load_snapshot(path, {})):
        with pytest.raises(StoreUnavailable):
            read(tmp_path / "none.safetensors")

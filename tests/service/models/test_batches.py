"""Batches: in the entry or in a segment, with the same bits."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from deltawire_service.models import batches
from deltawire_service.store.folders import StoreFolder
from deltawire_service.store.segments import Stretch

ARRAYS = {"data/x": np.arange(24.0).reshape(4, 6)[:, ::2], "data/y": np.array([1, 2, 3, 4])}


@pytest.mark.parametrize("inline, place", [(2**20, bytes), (10, Stretch)])
def test_arrays_are_read_as_they_were_and_nothing_writes_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inline: int, place: type
) -> None:
    monkeypatch.setattr(batches, "INLINE_BYTES", inline)
    store = StoreFolder(tmp_path / "store")
    store.prepare()
    folder = store.make_model("1a")
    batch = batches.store(folder, lambda: None, ARRAYS)
    assert isinstance(batch, place)
    read = batches.read(folder, batch)
    assert {name: array.tobytes() for name, array in read.items()} == {
        name: array.tobytes() for name, array in ARRAYS.items()
    }
    assert not any(array.flags.writeable for array in read.values())


def test_large_arrays_are_not_copied_as_they_are_stored_and_held_once_as_they_are_read(
    tmp_path: Path,
) -> None:
    store = StoreFolder(tmp_path / "store")
    store.prepare()
    folder, arrays = store.make_model("1a"), {"a": np.ones(2**21), "b": np.ones(2**21)}
    tracemalloc.start()
    try:
        batch = batches.store(folder, lambda: None, arrays)
        assert isinstance(batch, Stretch) and tracemalloc.get_traced_memory()[1] < 2**20
        read = batches.read(folder, batch)
        assert tracemalloc.get_traced_memory()[1] < batch.size + 2**20
    finally:
        tracemalloc.stop()
    assert all((read[name] == 1).all() and read[name].flags.aligned for name in arrays)

"""Batches: in the entry or in a segment, with the same bits."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from deltawire.wire import Array
from deltawire_service.models import batches
from deltawire_service.models.batches import Batch
from deltawire_service.store.errors import StoreUnavailable
from deltawire_service.store.folders import ModelFolder, StoreFolder
from deltawire_service.store.segments import Stretch

ARRAYS = {"data/x": np.arange(24.0).reshape(4, 6)[:, ::2], "data/y": np.array([1, 2, 3, 4])}


@pytest.fixture
def writers() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
def folder(tmp_path: Path) -> ModelFolder:
    store = StoreFolder(tmp_path / "store")
    store.prepare()
    return store.make_model("1a")


def stored(
    writers: Executor,
    folder: ModelFolder,
    arrays: Mapping[str, Array],
    last: Stretch | None = None,
    durable: bool = True,
) -> Batch:
    with batches.storing(writers, folder, lambda: last, arrays, durable) as result:
        return result()


@pytest.mark.parametrize("inline, place", [(2**20, bytes), (10, Stretch)])
def test_arrays_are_read_as_they_were_and_nothing_writes_to_them(
    writers: Executor, folder: ModelFolder, monkeypatch: pytest.MonkeyPatch, inline: int, place: type
) -> None:
    monkeypatch.setattr(batches, "INLINE_BYTES", inline)
    batch = stored(writers, folder, ARRAYS)
    assert isinstance(batch, place)
    read = batches.read(folder, batch)
    assert {name: array.tobytes() for name, array in read.items()} == {
        name: array.tobytes() for name, array in ARRAYS.items()
    }
    assert not any(array.flags.writeable for array in read.values())


def test_large_arrays_are_not_copied_as_they_are_stored_and_held_once_as_they_are_read(
    writers: Executor, folder: ModelFolder
) -> None:
    arrays = {"a": np.ones(2**21), "b": np.ones(2**21)}
    tracemalloc.start()
    try:
        batch = stored(writers, folder, arrays)
        assert isinstance(batch, Stretch) and tracemalloc.get_traced_memory()[1] < 2**20
        read = batches.read(folder, batch)
        assert tracemalloc.get_traced_memory()[1] < batch.size + 2**20
    finally:
        tracemalloc.stop()
    assert all((read[name] == 1).all() and read[name].flags.aligned for name in arrays)


def bytes_of_segments(folder: ModelFolder) -> int:
    return sum(path.stat().st_size for path in folder.segments.iterdir())


def test_what_cannot_be_computed_is_not_stored(writers: Executor, folder: ModelFolder) -> None:
    large = {"x": np.ones(2**14)}
    with pytest.raises(ZeroDivisionError), batches.storing(writers, folder, lambda: None, large):
        raise ZeroDivisionError
    assert bytes_of_segments(folder) == 0
    first = stored(writers, folder, large)
    assert isinstance(first, Stretch)
    with pytest.raises(ZeroDivisionError), batches.storing(writers, folder, lambda: first, large):
        raise ZeroDivisionError
    assert bytes_of_segments(folder) == first.size
    second = stored(writers, folder, large, first)
    assert isinstance(second, Stretch) and (second.segment, second.begin) == (first.segment, first.end)


def test_what_a_row_may_name_stays_stored(writers: Executor, folder: ModelFolder) -> None:
    large = {"x": np.ones(2**14)}
    with (
        pytest.raises(ZeroDivisionError),
        batches.storing(writers, folder, lambda: None, large) as result,
    ):
        batch = result()
        raise ZeroDivisionError  # a commit that seems to fail
    assert isinstance(batch, Stretch)
    assert batches.read(folder, batch)["x"].tobytes() == large["x"].tobytes()


def test_a_disk_that_fails_is_told_where_the_batch_is_asked_for(
    writers: Executor, folder: ModelFolder
) -> None:
    folder.segments.rmdir()
    large = {"x": np.ones(2**14)}
    with batches.storing(writers, folder, lambda: None, large) as result, pytest.raises(StoreUnavailable):
        result()
    with pytest.raises(ZeroDivisionError), batches.storing(writers, folder, lambda: None, large):
        raise ZeroDivisionError  # it is what ended the step


@pytest.mark.parametrize(
    ("bytes_", "durable", "kept"),
    [
        (2**15, True, bytes),
        (2**17, True, Stretch),
        (2**17, False, bytes),
        (2**21, True, Stretch),
        (2**21, False, type(None)),
    ],
)
def test_where_a_batch_is_kept_follows_from_its_size(
    writers: Executor, folder: ModelFolder, bytes_: int, durable: bool, kept: type
) -> None:
    assert type(stored(writers, folder, {"x": np.ones(bytes_ // 8)}, durable=durable)) is kept

"""Segments: large batches one after the other, each synced once."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from deltawire_service.store import segments
from deltawire_service.store.errors import StoreFull, StoreUnavailable
from deltawire_service.store.segments import Stretch, append, read


def test_batches_lie_one_after_the_other_and_begin_a_new_segment_when_one_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 1000)
    batches = [bytes([n]) * 400 for n in range(5)] + [b"large" * 1000]
    last, stretches = None, []
    for batch in batches:
        last = append(tmp_path, last, [batch])
        stretches.append(last)
    assert [read(tmp_path, stretch) for stretch in stretches] == batches
    assert [stretch.begin for stretch in stretches] == [0, 400, 0, 400, 0, 0]
    assert len(os.listdir(tmp_path)) == 4


def test_a_batch_that_no_row_names_is_never_written_over(tmp_path: Path) -> None:
    """The commit that names it may come to light after a crash."""
    first = append(tmp_path, None, [b"first"])
    doubtful = append(tmp_path, first, [b"doubtful"])
    later = append(tmp_path, first, [b"later"])
    assert later.begin == doubtful.end
    assert [read(tmp_path, each) for each in (first, doubtful, later)] == [b"first", b"doubtful", b"later"]


def test_a_batch_that_cannot_be_written_takes_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, write = append(tmp_path, None, [b"first"]), os.pwrite

    def write_half(descriptor: int, data: bytes, offset: int) -> int:
        if offset > first.end:
            raise OSError(errno.ENOSPC, "made for a test")
        return write(descriptor, data[:3], offset)

    monkeypatch.setattr(os, "pwrite", write_half)
    with pytest.raises(StoreFull):
        append(tmp_path, first, [b"second"])
    monkeypatch.undo()
    assert (tmp_path / first.segment).stat().st_size == first.end


def test_storing_a_batch_is_one_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs = list[str]()
    first = append(tmp_path, None, [b"first"])
    for call in ("fsync", "fdatasync"):
        original = getattr(os, call)
        monkeypatch.setattr(
            os, call, lambda fd, call=call, original=original: [syncs.append(call), original(fd)]
        )
    append(tmp_path, first, [b"second"])
    assert syncs == ["fdatasync"]


def test_a_segment_that_is_gone_or_cut_is_said(tmp_path: Path) -> None:
    stretch = append(tmp_path, None, [b"batch"])
    os.truncate(tmp_path / stretch.segment, 2)
    for wrong in (stretch, Stretch("none", 0, 1)):
        with pytest.raises(StoreUnavailable):
            read(tmp_path, wrong)

"""A file is replaced by a whole one, or stays as it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deltawire.replacement import replacing


def test_the_draft_takes_the_place_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for text in ("old", "new"):
        with replacing(path) as draft:
            draft.write_text(text)
            assert path.exists() is (text == "new")
        assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("fails", ["write", "fsync", "replace"])
def test_the_file_stays_when_the_draft_fails(
    fails: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if fails == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    if fails == "replace":
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"), replacing(path) as draft:
        draft.write_text("new")
        if fails == "write":
            full()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_draft_is_on_the_disk_before_it_takes_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced = tmp_path / "file", list[bool]()
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(path.exists()))
    with replacing(path) as draft:
        draft.write_text("new")
    assert synced == [False] and path.exists()

"""Files are copied into memory as a whole, and never while they change."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest

from deltawire.errors import Refused
from deltawire_service.networks.files import FileVersion, read_file


def version(path: Path) -> FileVersion:
    return FileVersion.from_stat(path.stat())


def test_a_copy_outlives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"numbers")
    copy = read_file(path)
    assert copy == (b"numbers", version(path))
    os.truncate(path, 0)
    assert copy.body == b"numbers"


@pytest.mark.parametrize("how", ["longer", "shorter", "of the same length", "by rename"])
def test_every_change_makes_another_version(how: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"numbers")
    before = path.stat()
    if how == "by rename":
        (tmp_path / "draft").write_bytes(b"numbers")
        (tmp_path / "draft").replace(path)
    else:
        path.write_bytes({"longer": b"numbers+", "shorter": b"number"}.get(how, b"figures"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))  # clocks of files are coarse
    assert version(path) != FileVersion.from_stat(before)


@pytest.mark.parametrize("during", [b"numbers and more", b"num", b"figures"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    during: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"numbers")
    opened = Path.open

    class Disturbed(io.FileIO):
        def readall(self) -> bytes:
            body = super().readall()
            with opened(path, "wb") as other:
                other.write(during)
            os.utime(path, ns=(0, 1))
            return body

    def disturbed(self: Path, *_: Any, **__: Any) -> Disturbed:
        return Disturbed(self)

    monkeypatch.setattr(Path, "open", disturbed)
    with pytest.raises(Refused, match="changed while it was read") as refused:
        read_file(path)
    assert refused.value.code == "tensor_body_invalid"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "nothing", "."):
        with pytest.raises(Refused, match="this is no file"):
            read_file(tmp_path / name)

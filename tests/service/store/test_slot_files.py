"""Slots: a stamp vouches for whole contents, and nobody writes what somebody reads."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from deltawire_service.store import slot_files
from deltawire_service.store.errors import StoreFull
from deltawire_service.store.slot_files import Layout, SlotFiles, boot_id, is_of_this_boot

LAYOUT = Layout({"params/w": (3, 5), "params/b": (), "state/none": (0, 4)}, np.dtype("float32"))


def write(files: SlotFiles, folder: Path, number: float, taken: str | None = None) -> tuple[str, bytes]:
    with files.free(folder, LAYOUT, taken) as slot:
        for array in slot.arrays(writable=True).values():
            array[...] = number
        return slot.name, slot.set_stamp()


def test_arrays_are_aligned_and_apart() -> None:
    assert [place.begin % 64 for place in LAYOUT.places.values()] == [0, 0, 0]
    assert LAYOUT.bytes == 64 + 64 + 64


def test_a_slot_is_read_as_it_was_written_also_by_another_process(tmp_path: Path) -> None:
    files = SlotFiles()
    name, stamp = write(files, tmp_path, 2.5)
    assert is_of_this_boot(stamp)
    for reader in (files, SlotFiles()):
        with reader.shared(tmp_path, name, LAYOUT) as slot:
            assert slot and slot.stamp == stamp
            arrays = slot.arrays()
            assert {key: array.shape for key, array in arrays.items()} == {
                "params/w": (3, 5), "params/b": (), "state/none": (0, 4),
            }  # fmt: skip
            assert (arrays["params/w"] == 2.5).all() and not arrays["params/w"].flags.writeable


def test_the_slot_of_the_newest_version_and_those_that_are_read_are_not_written(tmp_path: Path) -> None:
    files = SlotFiles()
    first, _ = write(files, tmp_path, 1)
    second, stamp = write(files, tmp_path, 2, taken=first)
    assert first != second
    with files.shared(tmp_path, second, LAYOUT) as slot:
        third, _ = write(files, tmp_path, 3, taken=first)
        assert third not in (first, second)
        assert slot and slot.stamp == stamp and slot.arrays()["params/b"] == 2
    names = {write(files, tmp_path, 4, taken=first)[0] for _ in range(5)}
    assert names <= {second, third} and len(os.listdir(tmp_path)) == 3


def test_a_slot_that_is_being_written_is_not_read_and_has_no_stamp(tmp_path: Path) -> None:
    files = SlotFiles()
    name, stamp = write(files, tmp_path, 1)
    with pytest.raises(ZeroDivisionError), files.free(tmp_path, LAYOUT, None) as slot:
        assert slot.name == name
        with files.shared(tmp_path, name, LAYOUT) as read:
            assert read is None
        raise ZeroDivisionError
    with files.shared(tmp_path, name, LAYOUT) as read:
        assert read and read.stamp == bytes(32) != stamp


def test_a_slot_that_is_gone_is_not_read_and_its_memory_is_let_go(tmp_path: Path) -> None:
    files = SlotFiles()
    name, _ = write(files, tmp_path, 1)
    (tmp_path / name).unlink()
    with files.shared(tmp_path, name, LAYOUT) as slot:
        assert slot is None
    write(files, tmp_path, 1)
    assert "(deleted)" not in Path("/proc/self/maps").read_text().partition(name)[2].partition("\n")[0]


def test_a_full_disk_is_an_error_and_the_slot_is_made_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "full")

    files = SlotFiles()
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(StoreFull):
        write(files, tmp_path, 1)
    monkeypatch.undo()
    (left,) = os.listdir(tmp_path)
    with files.shared(tmp_path, left, LAYOUT) as slot:  # too short to be mapped
        assert slot is None
    assert write(files, tmp_path, 1)[0] == left


def test_a_scratch_slot_is_on_the_disk_without_a_name_and_gone_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, before = SlotFiles(), len(os.listdir("/proc/self/fd"))
    with files.scratch(tmp_path, LAYOUT) as slot:
        slot.arrays(writable=True)["params/w"][:] = 3
        assert (slot.arrays()["params/w"] == 3).all() and not os.listdir(tmp_path)
        assert f"{tmp_path}/" in Path("/proc/self/maps").read_text()
    del slot
    assert f"{tmp_path}/" not in Path("/proc/self/maps").read_text()
    assert len(os.listdir("/proc/self/fd")) == before

    def full(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(StoreFull), files.scratch(tmp_path, LAYOUT):
        pass


def test_slots_beyond_two_are_removed_unless_somebody_reads_them(tmp_path: Path) -> None:
    files = SlotFiles()
    newest, _ = write(files, tmp_path, 1)
    with files.free(tmp_path, LAYOUT, newest), files.free(tmp_path, LAYOUT, newest) as held:
        held.set_stamp()
        with files.free(tmp_path, LAYOUT, newest), files.free(tmp_path, LAYOUT, newest):
            pass
        assert len(os.listdir(tmp_path)) == 5
        files.remove_surplus(tmp_path, newest)
        assert {newest, held.name} <= set(os.listdir(tmp_path))
    files.remove_surplus(tmp_path, newest)
    assert newest in os.listdir(tmp_path) and len(os.listdir(tmp_path)) == 2


def test_another_boot_has_another_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, stamp = write(SlotFiles(), tmp_path, 1)
    other = tmp_path / "boot_id"
    other.write_text("01234567-89ab-cdef-0123-456789abcdef\n")
    monkeypatch.setattr(slot_files, "BOOT_ID", other)
    assert boot_id().hex() == "0123456789abcdef0123456789abcdef" and not is_of_this_boot(stamp)


WRITER = """
import os, signal, sys
import numpy as np
from pathlib import Path
from deltawire_service.store.slot_files import Layout, SlotFiles
with SlotFiles().free(Path(sys.argv[1]), Layout({"w": (1000,)}, np.dtype("float64")), None) as slot:
    slot.arrays(writable=True)["w"][:500] = 7
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_dies_while_it_writes_leaves_a_slot_without_a_stamp(tmp_path: Path) -> None:
    layout, files = Layout({"w": (1000,)}, np.dtype("float64")), SlotFiles()
    with files.free(tmp_path, layout, None) as slot:
        slot.set_stamp()
    assert subprocess.run([sys.executable, "-c", WRITER, str(tmp_path)]).returncode == -9
    with files.shared(tmp_path, slot.name, layout) as read:
        assert read and read.stamp == bytes(32) and read.arrays()["w"].sum() == 3500

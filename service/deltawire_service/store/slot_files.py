"""Slots: files mapped into memory that hold the parameters and the optimizer state of a model's newest version.

    64 bytes    the stamp, random, that says which version is in the slot; zeros while one is written
    the rest    the arrays, each at a multiple of 64 bytes

A step reads one slot and writes another one that nobody holds. A row of the database names the slot and its
stamp. So a slot that was only half written, or written again since, is never taken for the version in a row.
Slots are not synced: the stamp begins with the id of the system's boot, and after another boot none is trusted.

A slot is locked while it is written, and shared while it is read. It is never cut short, and its blocks are
allocated before it is mapped: a full disk is an error then, not the end of the process while it writes.
"""  # noqa: E501

from __future__ import annotations

import os
import secrets
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from mmap import mmap
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from deltawire.wire import Array
from deltawire_service.store.errors import disk_errors
from deltawire_service.store.file_locks import open_to_lock, released, try_lock, unlock
from deltawire_service.store.folders import new_id, opened
from deltawire_service.store.forks import at_fork

ALIGNMENT = 64
STAMP_BYTES = 32
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
MOST_MAPPED = 64
"""Slots that a process keeps mapped: the pages of a slot are found once."""

Shape = tuple[int, ...]


class Place(NamedTuple):
    """The place of an array in a slot: its first byte, its shape, and its dtype."""

    begin: int
    shape: Shape
    dtype: np.dtype[Any]


class Layout:
    """The places of all arrays in a slot.

    Args:
        shapes: the shapes of the arrays by name, in the order in which they lie there.
        dtype: their dtype.
        others: the dtypes of those that have another one.
    """

    def __init__(
        self,
        shapes: Mapping[str, Shape],
        dtype: np.dtype[Any],
        others: Mapping[str, np.dtype[Any]] = MappingProxyType({}),
    ):
        self.places = dict[str, Place]()
        end = ALIGNMENT
        for name, shape in shapes.items():
            self.places[name] = Place(end, shape, own := others.get(name, dtype))
            size = own.itemsize
            for axis in shape:
                size *= axis
            end += -(-size // ALIGNMENT) * ALIGNMENT
        self.bytes = end


class Slot:
    """A slot that is mapped and locked. Its arrays are used only as long as the lock is held.

    Args:
        name: the name of its file.
        memory: the file, mapped.
        layout: where its arrays are.
    """

    def __init__(self, name: str, memory: mmap, layout: Layout):
        self.name = name
        self._memory = memory
        self._layout = layout

    @property
    def stamp(self) -> bytes:
        """The stamp that the slot has now."""
        return self._memory[:STAMP_BYTES]

    def arrays(self, writable: bool = False) -> dict[str, Array]:
        """Return views of the arrays by name."""
        arrays = dict[str, Array]()
        for name, (begin, shape, dtype) in self._layout.places.items():
            array: Array = np.ndarray(shape, dtype, self._memory, begin)
            if not writable:
                array.flags.writeable = False
            arrays[name] = array
        return arrays

    def clear_stamp(self) -> None:
        """Take the stamp away, before the arrays are written."""
        self._memory[:STAMP_BYTES] = bytes(STAMP_BYTES)

    def set_stamp(self) -> bytes:
        """Set a new stamp, now that the arrays are complete, and return it."""
        stamp = boot_id() + secrets.token_bytes(STAMP_BYTES - len(boot_id()))
        self._memory[:STAMP_BYTES] = stamp
        return stamp


class SlotFiles:
    """The slots that a process has mapped. Shared between threads."""

    def __init__(self) -> None:
        self._mapped: OrderedDict[Path, mmap] = OrderedDict()
        self._renew_lock()
        at_fork(in_child=self._renew_lock)

    def _renew_lock(self) -> None:
        self._lock = Lock()

    @contextmanager
    def free(self, folder: Path, layout: Layout, taken: str | None) -> Iterator[Slot]:
        """Lock a slot that nobody holds, to write a version into it. The caller holds the model's lock.

        Args:
            folder: the folder of the model's slots.
            layout: where the arrays are in it.
            taken: the slot of the newest version, which is never written.

        Raises:
            StoreFull, StoreUnavailable: there is no room for one more slot, or the disk fails.
        """
        with disk_errors():
            path, descriptor = _lock_free(folder, layout.bytes, taken)
        with released(descriptor):
            with disk_errors():
                slot = Slot(path.name, self._map(path, layout.bytes), layout)
            slot.clear_stamp()
            yield slot

    @contextmanager
    def scratch(self, folder: Path, layout: Layout) -> Iterator[Slot]:
        """Give a slot that only the caller has, and that is gone at the end, or when the process dies.

        Its numbers may be more than fit into memory, for it is a file without a name.

        Args:
            folder: a folder on the disk of the store.
            layout: where the arrays are in it.

        Raises:
            StoreFull, StoreUnavailable: there is no room for it, or the disk fails.
        """
        with disk_errors():
            with TemporaryFile(dir=folder, buffering=0) as file:
                os.posix_fallocate(file.fileno(), 0, layout.bytes)
                memory = mmap(file.fileno(), layout.bytes)
        yield Slot("", memory, layout)

    @contextmanager
    def shared(self, folder: Path, name: str, layout: Layout) -> Iterator[Slot | None]:
        """Lock a slot for reading, together with others; give None where it is being written, or is gone.

        The stamp tells whether the slot still has the version that the caller looks for.

        Args:
            folder: the folder of the model's slots.
            name: the name of the slot.
            layout: where the arrays are in it.

        Raises:
            StoreUnavailable: the disk fails.
        """
        path = folder / name
        with disk_errors():
            try:
                descriptor = open_to_lock(path)
            except FileNotFoundError:
                descriptor = None
        if descriptor is None:
            yield None
            return
        with released(descriptor):
            with disk_errors():
                usable = try_lock(descriptor, shared=True) and os.fstat(descriptor).st_size >= layout.bytes
                memory = self._map(path, layout.bytes) if usable else None
            yield None if memory is None else Slot(name, memory, layout)

    def stamp(self, folder: Path, name: str) -> bytes:
        """Return the stamp of a slot; empty where there is no such slot.

        Args:
            folder: the folder of the model's slots.
            name: the name of the slot.

        Raises:
            StoreUnavailable: the disk fails.
        """
        with disk_errors():
            try:
                with opened(folder / name, os.O_RDONLY) as descriptor:
                    return os.pread(descriptor, STAMP_BYTES, 0)
            except FileNotFoundError:
                return b""

    def remove_surplus(self, folder: Path, taken: str) -> None:
        """Remove slots that nobody holds, but for two that take turns. The caller holds the model's lock.

        Args:
            folder: the folder of the model's slots.
            taken: the slot of the newest version; it stays, and one more.

        Raises:
            StoreUnavailable: the disk fails.
        """
        with disk_errors():
            for name in sorted(set(os.listdir(folder)) - {taken})[1:]:
                with released(open_to_lock(folder / name)) as descriptor:
                    if try_lock(descriptor):
                        (folder / name).unlink()

    def _map(self, path: Path, size: int) -> mmap:
        """Return a file, mapped. It is opened once more: a mapping would keep the lock of its descriptor."""
        with self._lock:
            if path in self._mapped:
                self._mapped.move_to_end(path)
                return self._mapped[path]
            for gone in [each for each in self._mapped if not each.exists()]:
                del self._mapped[gone]  # its memory is freed when the last array in it is
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            memory = mmap(descriptor, size)
        finally:
            os.close(descriptor)
        with self._lock:
            memory = self._mapped.setdefault(path, memory)
            if len(self._mapped) > MOST_MAPPED:
                self._mapped.popitem(last=False)
        return memory


def boot_id() -> bytes:
    """Return 16 bytes that are others after each start of the system."""
    return _read_id(BOOT_ID)


@cache
def _read_id(path: Path) -> bytes:
    return bytes.fromhex(path.read_text().strip().replace("-", ""))


def is_of_this_boot(stamp: bytes) -> bool:
    """Return whether the slot with this stamp was written since the system started."""
    return stamp.startswith(boot_id())


def _lock_free(folder: Path, size: int, taken: str | None) -> tuple[Path, int]:
    """Return a slot that nobody else holds, a new one if need be, and the descriptor of its lock."""
    for name in sorted(os.listdir(folder)):
        if name != taken:
            descriptor = open_to_lock(folder / name)
            if _prepare(descriptor, size):
                return folder / name, descriptor
    path = folder / new_id()
    descriptor = open_to_lock(path, os.O_CREAT | os.O_EXCL)
    if not _prepare(descriptor, size):
        raise BlockingIOError(f"{path} is new, and locked")
    return path, descriptor


def _prepare(descriptor: int, size: int) -> bool:
    """Lock an open slot and allocate all of its blocks; close it and return False where others hold it."""
    try:
        if not try_lock(descriptor):
            unlock(descriptor)
            return False
        if os.fstat(descriptor).st_size < size:
            os.posix_fallocate(descriptor, 0, size)
    except BaseException:
        unlock(descriptor)
        raise
    return True

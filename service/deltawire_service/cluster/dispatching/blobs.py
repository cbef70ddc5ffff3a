"""Files for workers: numbers of requests that are too large to travel with tasks, until their end.

Each process writes into a folder of its own, in which it holds the lock of a file. The kernel frees the lock
when the process ends: a folder that is not locked is removed, whichever container its process was in.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from itertools import count
from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from threading import Lock
from typing import NamedTuple

import numpy as np

from deltawire.wire import Array
from deltawire_service.cluster.array_sources import ALIGNMENT, Place, place_all
from deltawire_service.engine import check_deadline
from deltawire_service.mapped_pages import MappedFile, released_pieces
from deltawire_service.store.errors import disk_errors
from deltawire_service.store.file_locks import open_to_lock, released, try_lock, unlock
from deltawire_service.store.folders import opened, write_all
from deltawire_service.store.forks import at_fork
from deltawire_service.store.limits import StoreLimits
from deltawire_service.store.quotas import check_disk

FOLDER = "blobs"

LOCK = "lock"
"""The file in the folder of a process that it keeps locked."""

READ_BY_LINKS = (FOLDER, "datasets")
"""The folders, below that of the service, in whose folders the files lie that workers read."""


class Blob(NamedTuple):
    """A file with arrays."""

    path: Path
    size: int
    digest: str
    """SHA-256 of its bytes, in hex."""
    places: tuple[Place, ...]


class Blobs:
    """The files of one process; it may have been forked since this was made.

    Args:
        data_dir: the folder of the service.
        limits: how much of the disk stays free.
    """

    def __init__(self, data_dir: Path, limits: StoreLimits):
        self.data_dir = data_dir.resolve()
        self.folder = self.data_dir / FOLDER
        self._limits = limits
        self._numbers = count()
        self._forget()
        at_fork(in_child=self._forget)

    def prepare(self) -> None:
        """Make the folder, and remove what processes left that have ended.

        Raises:
            StoreFull, StoreUnavailable: the disk cannot be used.
        """
        with disk_errors():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._sweep()

    def write(self, arrays: Mapping[str, Array]) -> Blob:
        """Write arrays into a new file. It is removed where that fails.

        Raises:
            StoreFull, StoreUnavailable: there is no room, or the disk fails.
            DeadlineExceeded: the deadline has passed.
        """
        places, digest = place_all(arrays), sha256()
        size = sum(place.size + -place.size % ALIGNMENT for place in places)
        with disk_errors():
            folder = self._own_folder()
        check_disk(folder, self._limits, size)
        path = folder / str(next(self._numbers))
        try:
            with disk_errors(), opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as descriptor:
                os.posix_fallocate(descriptor, 0, max(1, size))
                for place in places:
                    begin = place.begin
                    for piece in released_pieces(np.ascontiguousarray(arrays[place.name])):
                        check_deadline()
                        write_all(descriptor, piece, begin)
                        digest.update(piece)
                        begin += len(piece)
                    digest.update(bytes(-place.size % ALIGNMENT))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Blob(path, size, digest.hexdigest(), places)

    def open(self, path: str, begin: int, size: int) -> memoryview:
        """Map bytes of a file that workers may read: one of a process of the service, or of a dataset.

        Args:
            path: the file, as a link names it.
            begin: the first byte.
            size: the number of bytes.

        Raises:
            FileMissing: the file is gone, or shorter, or none that workers may read.
            StoreUnavailable: the disk fails.
        """
        with disk_errors():
            whole = (self.data_dir / path).resolve()
            if whole.parent.parent not in [self.data_dir / folder for folder in READ_BY_LINKS]:
                raise FileNotFoundError
            with opened(whole, os.O_RDONLY) as descriptor:
                view = memoryview(MappedFile.of(descriptor, whole))
            if begin + size > len(view):
                raise FileNotFoundError
        return view[begin : begin + size]

    def _forget(self) -> None:
        self._own: Path | None = None
        self._making = Lock()

    def _own_folder(self) -> Path:
        """Return the folder of this process, made when it needs one for the first time."""
        with self._making:
            if self._own is None:
                self._sweep()  # this process may have taken the place of one that was killed
                self._own = self._make_own()
            return self._own

    def _make_own(self) -> Path:
        while True:
            folder = self.folder / token_hex(8)
            folder.mkdir(mode=0o700)
            with suppress(FileNotFoundError):  # another process removed it before it was locked
                descriptor = open_to_lock(folder / LOCK, os.O_CREAT)
                if try_lock(descriptor) and (folder / LOCK).exists():
                    return folder  # the lock is held until this process ends
                unlock(descriptor)

    def _sweep(self) -> None:
        """Remove the folders of processes that have ended."""
        for folder in self.folder.iterdir():
            if folder.is_dir():
                with suppress(FileNotFoundError):  # another process removes it
                    with released(open_to_lock(folder / LOCK, os.O_CREAT)) as descriptor:
                        if try_lock(descriptor):
                            rmtree(folder)
